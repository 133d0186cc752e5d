"""Private keys in their textual armor (PEM: RFC 7468, OpenPGP: RFC 9580), whole or what a cut left of them. Lines stay lines."""

from __future__ import annotations

from lineal.client.capture.patterns import pattern

_MAX_BYTES = 20_000
"""Of one key: the largest RSA keys that anybody has are 13 KB."""


_EDGE = rb"-----(?P<side>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# In a patch lines begin with a +, in a log with words, in code with a quote.
_LETTERS = rb"(?m)(?P<before>^\+|\\[nr]|)(?P<letters>[A-Za-z0-9+/=]{16,})"
_ALONE = rb"""(?:\+|.{0,200}?[\s'"]|)(?P<letters>[A-Za-z0-9+/=]{1,20000}+)(?:\\[nr])*['",;)\s\\+]{0,9}\Z"""
_MIXED = rb"[0-9+/]"


def mask_keys(content: bytes, mask: bytes) -> bytes:
    pieces: list[bytes] = []
    edges = [(found.start(), found.end(), found["side"] == b"BEGIN") for found in pattern(_EDGE).finditer(content)]
    done = 0
    for place, (start, end, is_begin) in enumerate(edges):
        if is_begin:
            after = edges[place + 1] if place + 1 < len(edges) else None
            if after is not None and not after[2] and after[0] - end <= _MAX_BYTES:
                pieces += [content[done:end], _masked_body(content[end : after[0]], mask)]
                done = after[0]
            else:
                stop = min(len(content), end + _MAX_BYTES, after[0] if after is not None else len(content))
                pieces += [content[done:end], _masked_beginning(content[end:stop], mask)]
                done = stop
        elif done < start:  # its beginning is elsewhere
            begin = max(done, start - _MAX_BYTES)
            pieces += [content[done:begin], _masked_end(content[begin:start], mask)]
            done = start
    pieces.append(content[done:])
    return b"".join(pieces)


def _masked_body(body: bytes, mask: bytes) -> bytes:
    if b"\n" not in body:
        return mask if body.strip(b"\\nr .") else body
    masked = pattern(_LETTERS).sub(lambda found: found["before"] + mask, body)
    lines = masked.split(b"\n")
    for place in range(len(lines) - 2, 0, -1):  # the last line of a key may be a short one
        if pattern(_ALONE).match(lines[place]) and mask in lines[place - 1]:
            lines[place] = _masked_line(lines[place], mask)
            break
        if lines[place].strip(b" +-\t\r'\""):
            break
    return b"\n".join(lines)


def _masked_beginning(body: bytes, mask: bytes) -> bytes:
    """What follows a key's first line, where its last one is not to be seen: as far as lines look like it."""
    first, *lines = body.split(b"\n")
    first = pattern(_LETTERS).sub(lambda found: found["before"] + mask, first)
    for place, line in enumerate(lines):
        if not _is_of_key(line):
            break
        lines[place] = _masked_line(line, mask)
    return b"\n".join([first, *lines])


def _masked_end(body: bytes, mask: bytes) -> bytes:
    lines = body.split(b"\n")
    for place in range(len(lines) - 2, -1, -1):
        if not _is_of_key(lines[place], 1 if place == len(lines) - 2 else 16):
            break
        lines[place] = _masked_line(lines[place], mask)
    return b"\n".join(lines)


def _is_of_key(line: bytes, least: int = 16) -> bool:
    found = pattern(_ALONE).match(line)
    return (
        found is not None
        and len(found["letters"]) >= least
        and (least < 16 or len(found["letters"]) >= 40 or pattern(_MIXED).search(found["letters"]) is not None)
    )


def _masked_line(line: bytes, mask: bytes) -> bytes:
    found = pattern(_ALONE).match(line)
    if found is None:
        return line
    return line[: found.start("letters")] + mask + line[found.end("letters") :]
