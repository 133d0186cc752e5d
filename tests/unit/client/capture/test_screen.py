"""Lines as a terminal shows them."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.client.capture.console.screen import OPEN_MAX_ROWS, OPEN_MS, Screen
from lineal.model.limits import CONSOLE_LINE_MAX_CHARS


def shown(*pieces: bytes) -> list[str]:
    screen = Screen()
    for piece in pieces:
        screen.feed(piece, 1)
    return [text for _, text in screen.take()]


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\nb\r\n\r\nc", ["a", "b", "", "c"]),
        ("é🦊\n".encode(), ["é🦊"]),
        (b"\xff\xfe\n", ["\ufffd\ufffd"]),
        (b"a\tb\n", ["a\tb"]),
        (b"\x00a\x07b\x7f\n", ["ab"]),
        (b"10%\r20%\r100%\n", ["100%"]),
        (b"long line\rshort\n", ["shortline"]),
        (b"long line\r\x1b[Kshort\n", ["short"]),
        (b"long line\x1b[2K\rshort\n", ["short"]),
        (b"abc\b\bX\n", ["aXc"]),
        (b"abc\x1b[2DX\x1b[5CY\n", ["aXc    Y"]),
        (b"abcdef\x1b[3G\x1b[1KX\n", ["  Xdef"]),
        (b"abcdef\x1b[3G\x1b[2Pz\n", ["abzf"]),
        (b"\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mrgb\x1b[m\n", ["red rgb"]),
        (b"\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
        (b"\x1b[?25lhidden cursor\x1b[?25h\n", ["hidden cursor"]),
        (b"\x1b(Bx\x1b=y\x1b>z\n", ["xyz"]),
        # Two bars, as tqdm draws them: the second below the first, then up again.
        (b"\rA 0%\n\rB 0%\x1b[A\rA 50%\n\rB 50%\x1b[A\rA 100%\n\rB 100%\n", ["A 100%", "B 100%"]),
        (b"one\ntwo\nthree\x1b[2A\r\x1b[2K1\n\x1b[2K2\n\x1b[2K3\n", ["1", "2", "3"]),
        (b"one\ntwo\n\x1b[2A\x1b[Jnew\n", ["new"]),
        (b"one\ntwo\n\x1b[2F\x1b[1MX\n", ["Xwo"]),
        (b"\x1b[9A\x1b[9Bx\n", ["x"]),
        (b"a\nb\x1b[2J\x1b[Hc\n", ["a", "b", "c"]),
        (b"unfinished \x1b[3", ["unfinished "]),
        (b"half a letter \xf0\x9f", ["half a letter \ufffd"]),
    ],
)
def test_it_shows_what_a_terminal_would(printed: bytes, lines: list[str]) -> None:
    assert shown(printed) == lines
    assert shown(*(bytes([one]) for one in printed)) == lines


_pieces = st.sampled_from(
    [
        b"x",
        b"\n",
        b"\r",
        b"\r\n",
        b"\b",
        b"\t",
        "é🦊".encode(),
        b"\x1b[A",
        b"\x1b[2K",
        b"\x1b[31m",
        b"\x1b[3C",
        b"\x1b[J",
        b"\x1b",
    ]
)


@given(st.lists(_pieces, max_size=40), st.lists(st.integers(0, 200), max_size=6))
def test_how_it_arrives_makes_no_difference(printed: list[bytes], cuts: list[int]) -> None:
    data = b"".join(printed)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert shown(*(data[a:b] for a, b in itertools.pairwise(places))) == shown(data)


@given(st.binary(max_size=200))
def test_nothing_is_too_odd(data: bytes) -> None:
    for line in shown(data):
        assert "\n" not in line and "\x1b" not in line and "\r" not in line


def test_rows_stay_open_for_a_while_and_then_are_as_they_are() -> None:
    screen = Screen()
    screen.feed(b"\rone\ntwo\nthree", 1_000)
    assert screen.take(1_000) == [] and screen.is_open
    screen.feed(b"\x1b[A\r2nd", 1_500)
    assert screen.take(1_000 + OPEN_MS) == [(1_000, "one")]
    assert screen.take(10_000) == []  # the cursor stands in the next row
    screen.feed(b"\n\x1b[9A\rx", 11_000)  # no higher than what is still open
    assert screen.take() == [(11_000, "xnd"), (1_000, "three")]
    assert screen.take() == [] and not screen.is_open
    screen.feed(b"more\n", 12_000)
    assert screen.take() == [(12_000, "more")]


@pytest.mark.parametrize("text", [b"one\ntwo\nthree", b"one\r\ntwo\r\nthree", b"\x1b[1mone\x1b[0m\x1b[K\ntwo\nthree"])
def test_where_nothing_has_moved_a_row_that_has_ended_is_as_it_is(text: bytes) -> None:
    screen = Screen()
    screen.feed(text, 1_000)
    assert screen.take(1_000) == [(1_000, "one"), (1_000, "two")] and not screen.is_open
    assert screen.take() == [(1_000, "three")]


@pytest.mark.parametrize("bar", [b"\r 0%\n", b" 0%\x08\x08\x08 1%\n", b"\x1b[?25l 1%\n", b"\x1b[2K\x1b[1A 1%\n"])
def test_where_something_has_moved_rows_stay_open(bar: bytes) -> None:
    screen = Screen()
    screen.feed(bar + b"below", 1_000)
    assert screen.take(1_000) == [] and screen.is_open


def test_what_has_left_the_screen_is_handed_out_at_once() -> None:
    screen = Screen()
    screen.feed(b"\r" + b"".join(b"%d\n" % number for number in range(10_000)), 5)
    taken = screen.take(5)
    assert [text for _, text in taken] == [str(number) for number in range(10_000 - OPEN_MAX_ROWS + 1)]
    assert len(screen.take()) == OPEN_MAX_ROWS - 1


@pytest.mark.parametrize("piece", [1, 1_000, 10**6])
def test_a_line_without_an_end_is_cut(piece: int) -> None:
    data = b"x" * (3 * CONSOLE_LINE_MAX_CHARS + 5)
    lines = (
        shown(*(data[start : start + piece] for start in range(0, len(data), piece)))
        if piece > 1
        else shown(b"\r" + data)
    )
    assert "".join(lines) == data.decode() and max(map(len, lines)) <= CONSOLE_LINE_MAX_CHARS


def test_bars_of_rich_are_folded() -> None:
    from rich.console import Console
    from rich.progress import Progress

    printed = io.StringIO()
    console = Console(file=printed, force_terminal=True, width=60, height=20)
    with Progress(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as progress:
        tasks = [progress.add_task(name, total=10) for name in ("load", "train")]
        for step in range(10):
            for task in tasks:
                progress.advance(task)
            progress.refresh()
            if step == 4:
                console.print("half way")
    console.print("done")
    lines = shown(printed.getvalue().encode())
    assert [line.split()[0] for line in lines] == ["half", "load", "train", "done"]
    assert all("100%" in line for line in lines[1:3])
