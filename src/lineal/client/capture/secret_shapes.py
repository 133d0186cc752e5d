"""What is a secret by its shape, wherever it stands.

Shapes are those that the issuers publish so that scanners may know them: GitHub ("Behind GitHub's new authentication token formats"),
GitLab ("Token prefixes"), AWS ("IAM identifiers, unique ID prefixes"), Slack ("Token types", "Incoming webhooks"), Google API
keys, Stripe ("API keys"), Hugging Face, OpenAI and Anthropic ("sk-"), npm, PyPI ("token macaroons"), HashiCorp ("Vault tokens"),
Databricks, Telegram ("Authorizing your bot"), Azure ("Configure connection strings"), JSON Web Tokens (RFC 7519), PEM (RFC 7468) and
OpenPGP's armor (RFC 9580)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lineal.client.capture.patterns import pattern, text_pattern
from lineal.client.capture.secret_commands import mask_commands
from lineal.client.capture.secret_keys import mask_keys
from lineal.client.capture.secret_names import is_secret_name

MASK = "[masked]"
_MASK = MASK.encode()

_TOKENS = rb"""(?x) (?<![A-Za-z0-9]) (?:
      gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | ghs_[A-Za-z0-9_.-]{20,}
    | gl(?:pat|dt|rt|ptt|ft|soat|agent|cbt|imt|sa|c)[-_][A-Za-z0-9_.=+/-]{20,}
    | sk-(?:proj|ant|svcacct|admin|or|lf)-[A-Za-z0-9_-]{20,} | sk-[A-Za-z0-9]{20,}
    | (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}
    | hf_[A-Za-z0-9]{20,} | api_org_[A-Za-z0-9]{20,}
    | xox[abcdeoprs]-[A-Za-z0-9%-]{10,} | xapp-[A-Za-z0-9-]{10,} | xoxe\.xox[bp]-[A-Za-z0-9-]{10,}
    | AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,} | GOCSPX-[A-Za-z0-9_-]{20,}
    | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9]{20,}
    | npm_[A-Za-z0-9]{30,} | pypi-[A-Za-z0-9_-]{40,}
    | dckr_[op]at_[A-Za-z0-9_-]{20,} | dop_v1_[a-f0-9]{40,} | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | hv[sbr]\.[A-Za-z0-9_-]{20,} | dapi[a-f0-9]{32}
    | r8_[A-Za-z0-9]{30,} | gsk_[A-Za-z0-9]{40,} | pcsk_[A-Za-z0-9_]{40,} | pplx-[A-Za-z0-9]{40,}
    | lsv2_(?:pt|sk)_[a-f0-9_]{30,} | \d{8,10}:AA[A-Za-z0-9_-]{32,35} | AGE-SECRET-KEY-1[A-Z0-9]{50,}
    | lnl_[A-Za-z0-9_-]{20,}
    | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]* | eyJhcGlf[A-Za-z0-9_=-]{40,}
)"""
_URL = rb"(?i)\b[a-z][a-z0-9+.-]{1,30}://[^\s'\"<>\x00-\x1f]+"
# Of what stands beside a secret. To look for such a word takes a fiftieth of what a pattern does; few lines have one.
CLUES = (
    b"pass",
    b"pwd",
    b"key",
    b"secret",
    b"token",
    b"auth",
    b"bearer",
    b"credential",
    b"sharedaccess",
    b"identified",
    b"curl",
    b"mysql",
    b"mariadb",
    b"login",
)
# Each is compiled when one of its words is seen first, and looked for only where one is, which is where there is a clue.
_BESIDE: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (
        rb"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token|apikey|digest|negotiate)\s+)[^\s'\"]{6,}",
        (b"authorization",),
    ),
    (rb"(?i)\b(bearer\s+)(?=[a-z_.~+/=-]*\d)[a-z0-9_.~+/=-]{20,}", (b"bearer",)),
    (
        rb"(?i)(?<![\w-])((?:x-[a-z-]{0,40}(?:key|token|secret|auth)|(?:private|deploy|job)-token|api-key):[ \t]{0,9})"
        rb"(?![$<{%\[])[^\s'\"\\,;)}]{6,}",
        (b"-key:", b"-token:", b"-secret:", b"-auth:"),
    ),
    (
        rb"(?i)\b((?:accountkey|sharedaccesskey|sharedaccesssignature)=)[^;\s'\"{$%]{8,}",
        (b"accountkey=", b"sharedaccess"),
    ),
    (rb"(?i)(;\s*(?:password|pwd)=)[^;\s'\"{$%<][^;'\"\n]*", (b"password=", b"pwd=")),
    # The file .netrc, as ftp's manual has it; and .pgpass, as PostgreSQL's has it, where it is spoken of.
    (
        rb"(\b(?:machine[ \t]+\S{1,255}|default)\s+(?:[+ -]?\s{0,99}(?:login|account)\s+\S{1,255}\s+){0,2}[+ -]?\s{0,99}password\s+)"
        rb"(?![$<{%\[])\S{1,1000}",
        (b"machine ", b"default login"),
    ),
    (
        rb"(?i)((?<![\w.*:-])[\w.*-]{1,255}:(?:\d{2,5}|\*):[\w*.-]{1,64}:[\w*.@-]{1,64}:)(?![$<{%\[/])[^\s'\":]{1,255}",
        (b"pgpass",),
    ),
    (rb"(?i)\b(identified(?:\s+with\s+\S{1,60})?\s+by\s+['\"])[^'\"\n]{1,500}", (b"identified",)),
    (
        rb"(?i)\b((?:with|encrypted|set)\s+password\s+(?:=\s+)?['\"])[^'\"\n]{1,500}",
        (b"password '", b'password "', b"password ="),
    ),
    (rb"\b(HTTP(?:Basic|Digest)Auth\([^,()\n]{1,200},\s*['\"])[^'\"\n]{1,500}", (b"basicauth", b"digestauth")),
    (rb"\b((?:wandb|huggingface_hub|comet_ml)\.login\((?:\w{1,20}\s*=\s*)?['\"])[^'\"\n]{4,500}", (b".login(",)),
)
_TOKEN_MIN_BYTES = 15
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:%+/=-"
_WORDS = bytes(byte if byte in _LETTERS else 32 for byte in range(256))
_PIECE_BYTES = 32_768
"""What is looked through at once: no other thread runs meanwhile, for some milliseconds."""

_AUTHORITY = rb"[^/?#]*"
_PORT = rb"\A(?:(?:\[[^\]]*\]|[^:@\[,]*)(?::(?:\d*|[$<{%][^,]*))?(?:,|\Z))+\Z"
_PLACEHOLDER = rb"\[?[A-Z_]{2,20}:[A-Z_]{2,20}"  # http://NAME:PASSWORD@HOST
_DIGEST = rb"(?i)\A(?:sha\d+|md5):"  # image:tag@sha256:...
_PARAMETER = rb"(?P<before>[?&;#](?P<name>[\w.%-]{1,60})=)(?P<value>[^&;#\s]+)"
_SIGNS = frozenset(
    [
        "sig",
        "signature",
        "x-amz-signature",
        "x-amz-security-token",
        "x-goog-signature",
        "x-ms-signature",
        "hdnea",
        "hdnts",
        "access_key",
    ]
)
# Whoever knows these addresses may write there: the rest of the path is the secret.
_HOOK = (
    rb"(?i)\A((?:hooks\.slack\.com/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com/api/webhooks"
    rb"|[\w.-]+\.webhook\.office\.com/webhookb2|hooks\.zapier\.com/hooks/catch)/|api\.telegram\.org/bot)[^\s?#]+"
)
# These are what a site calls its pages, too: /auth/login.
_PATHS_OF_PAGES = frozenset(
    [
        "auth",
        "authorization",
        "cookie",
        "dsn",
        "pass",
        "pw",
        "pwd",
        "credential",
        "credentials",
        "creds",
        "secrets",
        "bearer",
    ]
)
_NAME = r"[\w.-]{1,40}"
_REFERENCE = rb"\A(?:[${<%:*]|\[masked\])"


def clues_of(lower: bytes) -> list[bytes]:
    return [clue for clue in CLUES if clue in lower]


def mask_bytes(content: bytes, is_code: bool = False) -> bytes:
    """The same with everything masked that has the shape of a secret. Lines stay lines. In code the address of a page with "token"
    in its path stays, unless what follows looks like a secret."""
    if b"PRIVATE KEY" in content:
        content = mask_keys(content, _MASK)
    if len(content) <= _PIECE_BYTES:
        return _masked_piece(content, is_code)
    return b"".join([_masked_piece(piece, is_code) for piece in pieces_of(content)])


def pieces_of(content: bytes) -> Iterator[bytes]:
    """Some kilobytes each, cut where a line ends; in longer lines before a blank, or what else no secret has within."""
    start = 0
    while start < len(content):
        stop = start + _PIECE_BYTES
        if stop >= len(content):
            stop = len(content)
        else:
            ends = (content.rfind(mark, start, stop) + 1 for mark in (b"\n", b" ", b",", b'"', b"'"))
            stop = next((end for end in ends if end > start + _PIECE_BYTES // 2), stop)
        yield content[start:stop]
        start = stop


def _masked_piece(content: bytes, is_code: bool) -> bytes:
    lower = content.lower()
    content = mask_piece(content, lower, clues_of(lower), is_code)
    return mask_commands(content, MASK)


def mask_piece(content: bytes, lower: bytes, clues: list[bytes], is_code: bool) -> bytes:
    """Without keys and commands."""
    if _may_have_token(content):
        content = pattern(_TOKENS).sub(_MASK, content)
    if b"://" in content:
        content = pattern(_URL).sub(lambda found: _masked_url(found[0], is_code), content)
    if not clues:
        return content
    for source, words in _BESIDE:
        if any(word in lower for word in words):
            content = pattern(source).sub(rb"\1" + _MASK, content)
    return content


def _may_have_token(content: bytes) -> bool:
    """All that a token may consist of is looked at where it is long enough, which takes a third of the time."""
    long = [word for word in content.translate(_WORDS).split() if len(word) >= _TOKEN_MIN_BYTES]
    return bool(long) and pattern(_TOKENS).search(b" ".join(long)) is not None


def _masked_url(whole: bytes, is_code: bool) -> bytes:
    scheme, mark, rest = whole.partition(b"://")
    end = _authority_end(rest, scheme.lower() in (b"http", b"https"))
    host, place = rest[:end], rest[end:]
    user, at, server = host.rpartition(b"@")
    if (
        at
        and not user.startswith((b"$", b"<", _MASK))
        and b"{" not in user
        and not pattern(_DIGEST).match(server)
        and not pattern(_PLACEHOLDER).fullmatch(user)
        and (b":" in user or scheme.lower() in (b"http", b"https"))
    ):
        host = _MASK + b"@" + server
    hook = pattern(_HOOK).match(server + place)
    if hook is not None:
        place = hook[1][len(server) :] + _MASK + (server + place)[hook.end() :]
    path_end = min((end for end in (place.find(b"?"), place.find(b"#")) if end >= 0), default=len(place))
    return (
        scheme
        + mark
        + host
        + _masked_path(place[:path_end], is_code)
        + pattern(_PARAMETER).sub(_masked_parameter, place[path_end:])
    )


def _authority_end(rest: bytes, is_page: bool) -> int:
    """Where user, password, host and port end: a password may have a "/", "?" or "#" that was not escaped, up to the last "@". Behind
    the "@" of a page's address there may be another in its path."""
    found = pattern(_AUTHORITY).match(rest)
    assert found is not None
    user, at, _ = found[0].partition(b"@")
    if b":" not in user or pattern(_PORT).match(user if at else found[0]):
        return found.end()
    last = rest.partition(b"?")[0].rfind(b"@")
    if not at and last < 0:
        last = rest.rfind(b"@")
    if last < found.end() or (at and is_page):
        return found.end()
    found = pattern(_AUTHORITY).match(rest, last)
    assert found is not None
    return found.end()


def _masked_path(path: bytes, is_code: bool) -> bytes:
    if path.count(b"/") < 2:
        return path
    parts = path.split(b"/")
    for place in range(1, len(parts)):
        name, value = parts[place - 1].decode("utf-8", "replace"), parts[place]
        if (
            value
            and name.lower() not in _PATHS_OF_PAGES
            and text_pattern(_NAME).fullmatch(name)
            and is_secret_name(name)
            and not pattern(_REFERENCE).match(value)
            and (not is_code or _looks_random(value))
        ):
            parts[place] = _MASK
    return b"/".join(parts)


def _masked_parameter(found: re.Match[bytes]) -> bytes:
    name = found["name"].decode("utf-8", "replace")
    is_secret = name.lower() in _SIGNS or is_secret_name(name)
    return found["before"] + _MASK if is_secret and not pattern(_REFERENCE).match(found["value"]) else found[0]


def _looks_random(value: bytes) -> bool:
    return len(value) >= 20 or (
        len(value) >= 8 and bool(pattern(rb"\d").search(value)) and bool(pattern(rb"[A-Za-z]").search(value))
    )
