"""How numbers, times and names read in a terminal."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_HARMLESS = {"\u200d"}  # joins emoji
_SHORT_ID_CHARS = 8
_INT_MAX = 10**10


def printable(text: str, *, keep_lines: bool = False) -> str:
    """The text with everything escaped that would move a cursor, ring a bell or turn the writing direction: names are
    data, and a terminal is a program."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in _HARMLESS
        or (keep_lines and character in "\n\t")
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character.encode("unicode_escape").decode()
        for character in text
    )


def shortened(text: str, width: int) -> str:
    """At most so many columns of a terminal, the middle left out: both ends of a name tell it apart."""
    if columns_of(text) <= width:
        return text
    tail_width = (width - 1) // 2
    head = _fitting(text, width - 1 - tail_width)
    tail = _fitting(text[::-1], tail_width)[::-1]
    return f"{head}…{tail}"


def apart(texts: Sequence[str], width: int) -> list[str]:
    """Each shortened. Where one is too long, what all begin with goes first, but for two words: commands differ at their ends."""
    if len(texts) > 1 and any(columns_of(text) > width for text in texts):
        pairs = enumerate(zip(min(texts), max(texts), strict=False))
        same = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
        words = texts[0][:same].split(" ")
        cut = len(" ".join(words[:-3])) + 1 if len(words) > 3 else texts[0].rfind("/", 0, same) + 1
        if cut > 1:
            texts = [f"…{text[cut:]}" for text in texts]
    return [shortened(text, width) for text in texts]


def columns_of(text: str) -> int:
    """How many columns of a terminal the text takes, at most: characters of East Asia and emoji take two."""
    return len(text) if text.isascii() else sum(map(_columns_of_one, text))


def _columns_of_one(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitting(text: str, width: int) -> str:
    """The beginning of the text that fits."""
    for length, character in enumerate(text):
        width -= _columns_of_one(character)
        if width < 0:
            return text[:length]
    return text


def number_text(value: float | int | None) -> str:
    """Four significant digits of a float, zeros too so that a column lines up; an int in full while it is short."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < _INT_MAX else f"{value:.3e}"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:#.4g}".removesuffix(".")


def deviation_text(value: float) -> str:
    """Two significant digits: more of them say nothing of a deviation."""
    if not math.isfinite(value):
        return number_text(value)
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.1e}"
    return f"{value:.0f}" if abs(value) >= 99.5 else f"{value:#.2g}".removesuffix(".")


def count_text(count: int, noun: str, plural: str | None = None) -> str:
    """1 run, 2,400 runs."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def bytes_text(size: int | None) -> str:
    """In powers of 1,024, as the page says them (`formatBytes` in format.ts)."""
    if size is None:
        return "?"
    amount, unit = float(size), 0
    while amount >= (1_023.5 if unit else 1_024) and unit < len(_UNITS) - 1:
        amount, unit = amount / 1_024, unit + 1
    return (
        f"{size} bytes"
        if unit == 0
        else f"{amount:.3g} {_UNITS[unit]}"
        if amount < 100
        else f"{amount:.0f} {_UNITS[unit]}"
    )


def duration_text(seconds: float | None) -> str:
    """12ms, 0.8s, 42s, 3m05s, 2h14m, 3d04h."""
    if seconds is None:
        return ""
    if seconds < 0.1:
        return f"{seconds * 1_000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S:02}h"


def ago_text(then_ms: int, now_ms: int) -> str:
    """just now, 42s ago, 3m ago, 2h ago, 5d ago, and the date after a month."""
    seconds = (now_ms - then_ms) // 1_000
    if seconds < 10:
        return "just now"
    if seconds < _MINUTE_S:
        return f"{seconds}s ago"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S}m ago"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S}h ago"
    if seconds < 31 * _DAY_S:
        return f"{seconds // _DAY_S}d ago"
    return datetime.fromtimestamp(then_ms / 1_000, UTC).strftime("%Y-%m-%d")


def time_text(time_ms: int) -> str:
    """In the reader's own time zone."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()


def short_ids(run_ids: Sequence[str]) -> list[str]:
    """Beginnings of the ids that tell these runs apart: 8 characters, more where needed. An id that somebody chose is
    short enough to be shown whole."""
    length = _SHORT_ID_CHARS
    distinct = len(set(run_ids))
    while len({run_id[:length] for run_id in run_ids}) < distinct:
        length += 2
    return [run_id[:length] if _is_random(run_id) else run_id for run_id in run_ids]


def _is_random(run_id: str) -> bool:
    return len(run_id) == 32 and all(character in "0123456789abcdef" for character in run_id)
