"""What attempts recorded of their circumstances: `store/captures.py`."""

from __future__ import annotations

from operator import methodcaller as call

import pytest

from lineal.model.captures import Capture, canonical, content_digest
from lineal.model.errors import NotFound
from lineal.query.syntax import Field
from lineal.store import captures
from lineal.store.captures import CaptureQuery
from lineal.store.contracts import GroupQuery, Store, TenantReader
from lineal.testing.suite_base import Said, SuiteBase, at, starting

CLEAN = {"kind": "git", "commit": "12e3", "branch": "main", "remote": "https://example.com/a", "is_dirty": False}
DIRTY = {**CLEAN, "commit": "12000", "branch": "fix", "is_dirty": True}


def captured(run_id: str, part: str, content: dict[str, object], time_ms: int, attempt_id: str = "a1") -> Said:
    return call("set_capture", run_id, attempt_id, part, canonical(content), at(time_ms, time_ms))


def capture(part: str, content: dict[str, object], said_ms: int, attempt_id: str = "a1") -> Capture:
    text = canonical(content)
    return Capture(attempt_id, part, text, content_digest(text).hex(), said_ms)


class CaptureRules(SuiteBase):
    def test_the_last_word_on_a_part_of_an_attempt_stands(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"), captured("r1", "code", CLEAN, 5), captured("r1", "hardware", {"a": "é\0"}, 6))
        self.tell(store, captured("r1", "code", DIRTY, 9))
        rows = len(reader.list_audit())
        self.tell(store, captured("r1", "code", CLEAN, 7), captured("r1", "code", DIRTY, 9))
        assert reader.list_captures("r1") == [capture("code", DIRTY, 9), capture("hardware", {"a": "é\0"}, 6)]
        assert len(reader.list_audit()) == rows
        assert reader.list_captures("r1")[1].content == {"a": "é\0"}

    def test_parts_are_those_of_the_latest_attempt_that_has_them(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            captured("r1", "code", DIRTY, 21, "b"),
            captured("r1", "code", CLEAN, 11, "a"),
            captured("r1", "environment", {"python": {"version": "3.13"}}, 12, "a"),
            captured("r1", "code", {"kind": "none"}, 1, "never begun"),
            starting("r1", "a", 10),
            starting("r1", "b", 20),
            starting("r2", "a", 30),
        )
        found = reader.list_captures("r1")
        assert [(one.attempt_id, one.part) for one in found] == [
            ("b", "code"),
            ("a", "code"),
            ("a", "environment"),
            ("never begun", "code"),
        ]
        assert reader.find_capture("r1", "code") == capture("code", DIRTY, 21, "b")
        assert reader.find_capture("r1", "hardware") is reader.find_capture("r2", "code") is None
        assert reader.get_captures_of(["r2", "r1"], ["environment", "code", "x"]) == [
            {},
            {
                "code": capture("code", DIRTY, 21, "b"),
                "environment": capture("environment", {"python": {"version": "3.13"}}, 12, "a"),
            },
        ]
        for ask in (reader.list_captures, lambda run: reader.find_capture(run, "code")):
            with pytest.raises(NotFound):
                ask("r9")

    def test_pages_of_captures_are_bounded_and_add_up(self, store: Store, reader: TenantReader) -> None:
        said = [captured("r1", f"p{n}", {"n": n}, 20 + n, attempt) for attempt in ("a", "b") for n in range(3)]
        self.tell(store, starting("r1", "a", 10), starting("r1", "b", 20), *said, starting("r2", "a", 30))
        every = reader.list_captures("r1")
        size = len(every[0].json_text)
        assert reader.read_captures("r1", CaptureQuery()) == (every, 6)
        for max_bytes, count in ((0, 1), (size, 1), (2 * size, 2), (100 * size, 6)):
            found: list[Capture] = []
            while len(found) < 6:
                page = reader.read_captures("r1", CaptureQuery(offset=len(found), max_bytes=max_bytes))
                assert len(page.captures) == min(count, 6 - len(found)) and page.total == 6
                found += page.captures
            assert found == every
        assert reader.read_captures("r1", CaptureQuery("p1")) == ([every[1], every[4]], 2)
        assert reader.read_captures("r1", CaptureQuery("p1", "a", 0)) == ([every[4]], 1)
        assert reader.read_captures("r1", CaptureQuery(None, "a", 2)) == (every[5:], 3)
        assert reader.read_captures("r1", CaptureQuery("none")) == reader.read_captures("r2", CaptureQuery()) == ([], 0)
        assert reader.read_captures("r1", CaptureQuery(offset=9)) == ([], 6)
        with pytest.raises(NotFound):
            reader.read_captures("r9", CaptureQuery())

    def test_runs_share_contents_and_tenants_do_not(self, store: Store, reader: TenantReader) -> None:
        with store.begin() as transaction:
            for number in range(3):
                captured(f"r{number}", "code", CLEAN, number + 1)(transaction.tenant("default"))
            captured("r0", "code", CLEAN, 1)(transaction.tenant("other"))
        self.tell(store, captured("r3", "code", CLEAN, 4), captured("r0", "sources", CLEAN, 9))
        assert {one.digest for run in range(4) for one in reader.list_captures(f"r{run}")} == {
            capture("code", CLEAN, 1).digest
        }
        assert store.tenant("other").list_captures("r0") == [capture("code", CLEAN, 1)]
        with pytest.raises(NotFound):
            store.tenant("other").list_captures("r3")

    def test_running_totals_are_overwritten_and_audited_once(self, store: Store, reader: TenantReader) -> None:
        parts = ("resources", "resources.rank-1")
        self.tell(store, *(captured("r1", part, {"wall_s": n}, 1 + n) for n, part in enumerate(parts)))
        rows, number = len(reader.list_audit()), store.change_number()
        for n in range(5):
            for place, part in enumerate(parts):
                self.tell(store, captured("r1", part, {"wall_s": n}, 10 + 2 * n + place))
        self.tell(store, captured("r1", "resources", {"wall_s": -1}, 7), captured("r2", "resources", {"wall_s": 4}, 99))
        assert reader.list_captures("r1") == [
            capture("resources", {"wall_s": 4}, 18),
            capture("resources.rank-1", {"wall_s": 4}, 19),
        ]
        assert reader.list_captures("r2") == [capture("resources", {"wall_s": 4}, 99)]
        assert len(reader.list_audit()) == rows + 1 and store.change_number() > number + 9

    def test_an_attempt_has_so_many_captures(
        self, store: Store, reader: TenantReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(captures, "CAPTURE_PARTS_MAX_COUNT", 2)
        told: list[bool] = []

        def telling(part: str, time_ms: int, attempt_id: str = "a1") -> None:
            said = captured("r1", part, {"n": time_ms}, time_ms, attempt_id)
            self.tell(store, lambda writer: told.append(bool(said(writer))))

        for number, part in enumerate(["code", "resources", "x", "code", "code"]):
            telling(part, 10 + number if number < 4 else 1)
        telling("x", 20, "a2")
        assert told == [True, True, False, True, True, True]
        found = [(one.attempt_id, one.part, one.content) for one in reader.list_captures("r1")]
        assert sorted(found, key=lambda one: one[:2]) == [
            ("a1", "code", {"n": 13}),
            ("a1", "resources", {"n": 11}),
            ("a2", "x", {"n": 20}),
        ]

    def test_the_code_is_searched(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1", time_ms=1), captured("r1", "code", CLEAN, 11))
        self.tell(store, starting("r2", time_ms=2), captured("r2", "code", DIRTY, 12))
        self.tell(store, starting("r3", time_ms=3), captured("r3", "code", {"kind": "none"}, 13))
        self.tell(store, starting("r4", time_ms=4), captured("r4", "environment", DIRTY, 14))
        for text, expected in {
            "git.commit = '12e3'": ["r1"],  # and not the number 12000
            "git.commit ^= '12'": ["r2", "r1"],
            "git.branch in ('main', 'fix')": ["r2", "r1"],
            "git.remote ilike 'HTTPS:%/a'": ["r2", "r1"],
            "git.dirty = 'True'": ["r2"],
            "git.dirty = 0": ["r1"],
            "git.dirty is null": ["r4", "r3"],
            "not git.commit = '12e3'": ["r4", "r3", "r2"],
        }.items():
            assert self.ids(reader, text) == expected, text
        assert self.ids(reader, order="git.commit desc") == ["r1", "r2", "r4", "r3"]
        assert self.ids(reader, order="git.dirty, name") == ["r1", "r2", "r3", "r4"]
        groups = reader.list_groups(GroupQuery((Field("git", "branch"),))).groups
        assert [(group.values, group.run_count) for group in groups] == [((None,), 2), (("fix",), 1), (("main",), 1)]
        assert reader.list_names("git", "") == ["branch", "commit", "dirty", "remote"]
        assert reader.list_values(Field("git", "branch"), "m") == ["main"]

    def test_the_latest_attempts_code_is_searched(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1", "a", 1), captured("r1", "code", CLEAN, 11, "a"))
        assert self.ids(reader, "git.dirty = 'False'") == ["r1"]
        self.tell(store, captured("r1", "code", DIRTY, 12, "b"))  # its beginning is not known: it is the earliest
        assert self.ids(reader, "git.dirty = 'False'") == ["r1"]
        self.tell(store, starting("r1", "b", 2))
        assert self.ids(reader, "git.dirty = 'True' and git.branch = 'fix'") == ["r1"]
        self.tell(store, starting("r1", "c", 3))
        assert self.ids(reader, "git.dirty = 'True' and git.branch = 'fix'") == ["r1"]
        self.tell(store, captured("r1", "code", {"kind": "none"}, 13, "c"))
        assert self.ids(reader, "git.dirty is null and git.branch is null") == ["r1"]

    def test_long_texts_of_code_are_read_not_searched(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, captured("r1", "code", {"branch": "b" * 1_000, "remote": "r" * 1_001}, 1))
        assert self.ids(reader, "git.branch is not null and git.remote is null") == ["r1"]
