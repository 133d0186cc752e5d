"""How numbers, times, names and curves read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.cli.sparkline import sparkline
from lineal.cli.wording import (
    ago_text,
    apart,
    bytes_text,
    columns_of,
    count_text,
    deviation_text,
    duration_text,
    number_text,
    printable,
    short_ids,
    shortened,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (3, "3"),
        (-12_345, "-12345"),
        (2**60, "1.153e+18"),
        (0.5, "0.5000"),
        (1.0, "1.000"),
        (2_500.0, "2500"),
        (1e-7, "1.000e-07"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (0.1, "0.10"),
        (0.02201, "0.022"),
        (1.26, "1.3"),
        (42.4, "42"),
        (123.4, "123"),
        (5e-7, "5.0e-07"),
        (3.1e9, "3.1e+09"),
        (math.nan, "NaN"),
    ],
)
def test_deviations(value: float, text: str) -> None:
    assert deviation_text(value) == text


@given(st.floats() | st.integers())
def test_numbers_are_short(value: float) -> None:
    assert len(number_text(value)) <= 11


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.012, "12ms"), (0.84, "0.8s"), (42.9, "42s"), (185, "3m05s"), (8_040, "2h14m"), (273_600, "3d04h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (9, "just now"),
        (42, "42s ago"),
        (185, "3m ago"),
        (8_040, "2h ago"),
        (273_600, "3d ago"),
        (40 * 86_400, "2023-10-05"),
    ],
)
def test_how_long_ago(seconds: int, text: str) -> None:
    now_ms = 1_700_000_000_000
    assert ago_text(now_ms - seconds * 1_000, now_ms) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        *[
            (None, "?"),
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_024, "1 KiB"),
            (1_500, "1.46 KiB"),
            (73_400, "71.7 KiB"),
        ],
        *[(102_348, "99.9 KiB"), (102_399, "100 KiB"), (2**20 - 1, "1 MiB"), (3 * 2**30, "3 GiB"), (2**61, "2048 PiB")],
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert bytes_text(size) == text


def test_counts() -> None:
    assert [count_text(1, "run"), count_text(2_400, "run"), count_text(0, "process", "processes")] == [
        "1 run",
        "2,400 runs",
        "0 processes",
    ]


@given(st.text())
def test_printable_is_printable(text: str) -> None:
    shown = printable(text)
    assert not [character for character in shown if ord(character) < 32 or character in "\x7f\x9b\u202e\u2028"]


def test_printable_leaves_what_is_harmless() -> None:
    family = "\U0001f468\u200d\U0001f469"
    assert printable(f"Zürich 日本 {family}") == f"Zürich 日本 {family}"
    assert printable("a\nb", keep_lines=True) == "a\nb"
    assert printable("a\nb\x1b[2J") == "a\\nb\\x1b[2J"


@given(st.text(), st.integers(3, 40))
def test_shortened_keeps_both_ends(text: str, width: int) -> None:
    short = shortened(text, width)
    assert len(short) <= width
    assert columns_of(short) <= width
    if short != text:
        head, _, tail = short.partition("…")
        assert text.startswith(head) and text.endswith(tail or "")


def test_wide_characters_take_two_columns() -> None:
    assert [columns_of(text) for text in ("abc", "Zürich", "日本", "😀")] == [3, 6, 4, 2]
    assert shortened("日本語の名前です", 9) == "日本…です"
    assert shortened("日本語", 6) == "日本語"


def test_short_ids_tell_apart() -> None:
    assert short_ids(["ab" * 16, "cd" * 16]) == ["abababab", "cdcdcdcd"]
    assert short_ids(["a" * 31 + "0", "a" * 31 + "1"]) == ["a" * 31 + "0", "a" * 31 + "1"]
    assert short_ids(["my-run-with-a-name"]) == ["my-run-with-a-name"]
    assert short_ids([]) == []


def test_a_curve() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([7, 0], 8) == "█▁"
    assert sparkline([3, 3, 3], 8) == "▅▅▅"
    assert sparkline([0.0, math.nan, 1.0], 8) == "▁ █"
    assert sparkline([math.nan], 8) == " "
    assert sparkline([], 8) == ""
    assert sparkline([0, 1], 8, blocks=False) == "_@"
    assert sparkline([0.5, 0.9, 2.0], 8, low=0.8, high=1.0) == "▁▅█"
    assert sparkline([-math.inf, 0.0, 1.0, math.inf], 8) == "▁▁██"


@given(st.lists(st.floats()), st.integers(1, 60))
def test_a_curve_of_anything_fits(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


def test_what_differs_at_the_end_of_long_texts_is_seen() -> None:
    python = "/home/ann/projects/digits/.venv/bin/python"
    one, other = f"{python} train.py --name a", f"{python} train.py --name another --lr 0.08"
    assert apart([one, other], 60) == ["…train.py --name a", "…train.py --name another --lr 0.08"]
    assert apart([f"/data/{'x' * 60}/a.csv", f"/data/{'x' * 60}/b.csv"], 60) == ["…a.csv", "…b.csv"]
    assert apart([one, one], 100) == [one, one]
    assert apart([one], 20) == [shortened(one, 20)]
    assert apart(["a" * 30, "b" * 30], 9) == ["aaaa…aaaa", "bbbb…bbbb"]
    assert apart([], 9) == []
