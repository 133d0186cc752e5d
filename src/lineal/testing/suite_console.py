"""Consoles: `store/console.py`."""

from __future__ import annotations

from operator import methodcaller as call

import pytest

from lineal.model.console import ConsoleLine, ConsoleLines
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import CONSOLE_BLOCK_CHARS, CONSOLE_PAGE_MAX_COUNT
from lineal.store import console
from lineal.store.console import ConsoleQuery
from lineal.store.contracts import Store, TenantReader
from lineal.testing.suite_base import WRITER, Said, SuiteBase, at, starting


def printed(
    run_id: str,
    seq: int,
    *texts: str,
    streams: str = "o",
    attempt: str = "a1",
    writer: str = WRITER,
    time_ms: int = 0,
    rank: int = 0,
) -> Said:
    letters = (streams * len(texts))[: len(texts)]
    times = tuple(time_ms or 1_000 * seq + index for index in range(len(texts)))
    return call("append_console", run_id, attempt, ConsoleLines(letters, times, texts, rank), at(seq, seq, writer))


def texts_of(reader: TenantReader, run_id: str = "r1", **asked: object) -> list[str]:
    return [line.text for line in reader.read_console(run_id, ConsoleQuery(**asked)).lines]  # type: ignore[arg-type]


class ConsoleRules(SuiteBase):
    def test_lines_come_back_as_they_were_printed(self, store: Store, reader: TenantReader) -> None:
        odd = ("", "\ttab", "nul\0", "🦊 \u2028 \u202e", '"\\n', "x" * 20_000)
        self.tell(store, starting("r1"), printed("r1", 2, *odd, streams="oeb"))
        page = reader.read_console("r1", ConsoleQuery())
        streams = ("stdout", "stderr", "both") * 2
        assert page.lines == [
            ConsoleLine(number, 2_000 + number - 1, stream, text, "a1")  # type: ignore[arg-type]
            for number, (stream, text) in enumerate(zip(streams, odd, strict=True), 1)
        ]
        assert (page.total, page.next) == (6, 6) and reader.get_details("r1").console_line_count == 6
        assert reader.list_audit()[-1].action == "attempt.start"

    def test_a_run_without_a_console_has_an_empty_one(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        for asked in (ConsoleQuery(), ConsoleQuery(after=5), ConsoleQuery(before=5), ConsoleQuery(search="x")):
            page = reader.read_console("r1", asked)
            assert page.lines == [] and page.total == 0
        assert reader.get_details("r1").console_line_count == 0
        with pytest.raises(NotFound):
            reader.read_console("r2", ConsoleQuery())
        with pytest.raises(NotFound):
            store.tenant("other").read_console("r1", ConsoleQuery())

    def test_printing_makes_a_run_known(self, store: Store, reader: TenantReader) -> None:
        number = store.change_number()
        self.tell(store, printed("r1", 1, "x"))
        assert reader.get_run("r1").run_id == "r1" and store.change_number() > number
        number = store.change_number()
        self.tell(store, printed("r1", 2, "y"))
        assert reader.list_changes(number).run_ids == ["r1"]

    def test_lines_say_whose_they_are(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"), printed("r1", 2, "zero", "zero"))
        self.tell(store, printed("r1", 3, "three", "3", rank=3), printed("r1", 4, "three", rank=3))
        self.tell(store, printed("r1", 5, "zero"), printed("r1", 6, "one", rank=1, writer="b" * 15))
        found = reader.read_console("r1", ConsoleQuery()).lines
        assert [(line.rank, line.text) for line in found] == [
            (0, "zero"),
            (0, "zero"),
            (3, "three"),
            (3, "3"),
            (3, "three"),
            (0, "zero"),
            (1, "one"),
        ]
        back = reader.read_console("r1", ConsoleQuery(before=8)).lines
        assert back == found

    def test_a_statement_counts_once(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, printed("r1", 1, "a"), printed("r1", 1, "a"), printed("r1", 2, "b"))
        self.tell(store, printed("r1", 2, "b"), printed("r1", 1, "a"))
        self.tell(store, printed("r1", 1, "other", writer="w2"), printed("r1", 3, "c"), printed("r1", 3, "c"))
        self.tell(store, printed("r1", 3, "c"), printed("r1", 1, "other", writer="w2"))
        assert texts_of(reader) == ["a", "b", "other", "c"]

    def test_what_was_undone_was_not_printed(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, printed("r1", 1, "a"))
        with pytest.raises(ZeroDivisionError), store.begin() as transaction:
            printed("r1", 2, "b")(transaction.tenant("default"))
            raise ZeroDivisionError
        self.tell(store, printed("r1", 2, "c"))
        assert texts_of(reader) == ["a", "c"]

    def test_numbers_go_on_over_writers_attempts_and_blocks(self, store: Store, reader: TenantReader) -> None:
        long = "x" * (CONSOLE_BLOCK_CHARS // 2)
        self.tell(store, printed("r1", 1, "a", "b"), printed("r1", 1, "w", writer="w2"), printed("r2", 1, "else"))
        self.tell(store, printed("r1", 2, long, long, "c"), printed("r1", 3, "d", attempt="a2"))
        for seq in range(4, 40):
            self.tell(store, printed("r1", seq, f"line {seq}", attempt="a2"))
        page = reader.read_console("r1", ConsoleQuery())
        assert [line.number for line in page.lines] == list(range(1, page.total + 1)) and page.total == 43
        assert [line.text for line in page.lines[:7]] == ["a", "b", "w", long, long, "c", "d"]
        assert [line.time_ms for line in page.lines[-2:]] == [38_000, 39_000]
        found = reader.read_console("r1", ConsoleQuery(attempt_id="a2", limit=2))
        assert [(line.number, line.attempt_id) for line in found.lines] == [(7, "a2"), (8, "a2")]
        assert texts_of(reader, attempt_id="a1", after=5) == ["c"]

    def test_pages_add_up_forward_and_backward(self, store: Store, reader: TenantReader) -> None:
        for seq in range(1, 24):
            self.tell(store, printed("r1", seq, *(f"{seq}.{n}" for n in range(seq % 4 + 1)), attempt=f"a{seq % 3}"))
        everything = texts_of(reader)
        total = len(everything)
        for limit in (1, 7, total, total + 1):
            forward: list[str] = []
            after = 0
            while after < total:
                page = reader.read_console("r1", ConsoleQuery(after=after, limit=limit))
                forward += [line.text for line in page.lines]
                assert page.next > after
                after = page.next
            backward: list[str] = []
            before = total + 1
            while before > 1:
                page = reader.read_console("r1", ConsoleQuery(before=before, limit=limit))
                backward = [line.text for line in page.lines] + backward
                assert page.next < before
                before = page.next
            assert forward == backward == everything
        assert texts_of(reader, before=10**9, limit=3) == everything[-3:]
        assert texts_of(reader, after=4, before=8) == everything[4:7]
        assert texts_of(reader, after=total) == texts_of(reader, after=10**9) == texts_of(reader, before=1) == []
        assert reader.read_console("r1", ConsoleQuery(after=10**9)).next == total

    def test_searches_find_lines_in_whatever_case(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, printed("r1", 1, "Loss: 1", "STRASSE", "loss 50%_", streams="oe"), printed("r1", 2, "loss"))
        assert texts_of(reader, search="LOSS") == ["Loss: 1", "loss 50%_", "loss"]
        assert texts_of(reader, search="straße") == ["STRASSE"]
        assert texts_of(reader, search="%_") == ["loss 50%_"]
        assert texts_of(reader, search="loss", stream="stdout", before=4) == ["Loss: 1", "loss 50%_"]
        assert texts_of(reader, stream="stderr") == ["STRASSE"]
        page = reader.read_console("r1", ConsoleQuery(search="loss", limit=1))
        assert ([line.number for line in page.lines], page.next, page.total) == ([1], 1, 4)
        page = reader.read_console("r1", ConsoleQuery(before=4, search="loss", limit=1))
        assert ([line.number for line in page.lines], page.next) == ([3], 3)
        for wrong in ({"search": ""}, {"search": "a\nb"}, {"limit": 0}, {"limit": CONSOLE_PAGE_MAX_COUNT + 1}):
            with pytest.raises(InvalidInput):
                texts_of(reader, **wrong)

    def test_a_search_looks_at_so_much_at_a_time(
        self, store: Store, reader: TenantReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(console, "CONSOLE_SEARCHED_MAX_CHARS", CONSOLE_BLOCK_CHARS)
        for seq in range(1, 9):
            self.tell(store, printed("r1", seq, "x" * CONSOLE_BLOCK_CHARS, f"needle {seq}", attempt=f"a{seq}"))
        found, after, asked = [], 0, 0
        while after < 16:
            page = reader.read_console("r1", ConsoleQuery(after=after, search="needle 7"))
            found += [line.number for line in page.lines]
            after, asked = page.next, asked + 1
        assert found == [14] and asked > 2
        found, before = [], 17
        while before > 1:
            page = reader.read_console("r1", ConsoleQuery(before=before, search="needle 2"))
            found += [line.number for line in page.lines]
            before = page.next
        assert found == [4]
