"""Rules of `store/registry.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from operator import methodcaller as call
from typing import Any, TypeAlias

import pytest

from lineal.model.errors import InvalidInput, NotFound
from lineal.model.registry import NewVersion, VersionContent, VersionFile
from lineal.store.audit import digest_of
from lineal.store.contracts import Store, TenantReader
from lineal.store.registry import (
    By,
    ModelsQuery,
    RegistryReader,
    RegistryWriter,
    Term,
    TransitionsQuery,
    VersionsQuery,
)
from lineal.testing.suite_base import WRITER, Opener, SuiteBase, at

Spoken: TypeAlias = Callable[[RegistryWriter], object]
CONTENT = VersionContent(
    (VersionFile("m/model.pt", 5, "a" * 64), VersionFile("m/\N{ROCKET}")), '{"in":[1]}', '"x.json"'
)
CHANGES: dict[str, tuple[Spoken, str, str]] = {
    # method of a registry's writer -> a call of it, the action and the subject of its row
    "set_model": (call("set_model", "digits", at(1, 1), tags={"k": "v"}), "model.set", "digits"),
    "create_version": (call("create_version", NewVersion("1" * 32, "digits"), at(2, 2)), "version.create", "1" * 32),
    "set_version": (call("set_version", "1" * 32, at(3, 3), description="x"), "version.set", "1" * 32),
    "set_stage": (call("set_stage", "1" * 32, "staging", at(4, 4)), "stage.set", "1" * 32),
    "set_alias": (call("set_alias", "digits", "champion", "1" * 32, at(5, 5)), "alias.set", "digits"),
    "rename_model": (call("rename_model", "digits", "scans", at(6, 6)), "model.rename", "digits"),
}


def id_of(number: int) -> str:
    return f"{number:032x}"


def creating(number: int, name: str = "digits", time_ms: int | None = None, **said: object) -> Spoken:
    """Makes the version whose id is `number`."""
    when = 1_000 + number if time_ms is None else time_ms
    return call("create_version", NewVersion(id_of(number), name, **said), at(when, number))  # type: ignore[arg-type]


def deleting(name: str, time_ms: int) -> Spoken:
    return call("set_model", name, at(time_ms, time_ms), lifecycle="deleted")


class RegistryRules(SuiteBase):
    @pytest.fixture
    def registry(self, reader: TenantReader) -> RegistryReader:
        return reader.registry()

    def speak(self, store: Store, *statements: Spoken, tenant: str = "default") -> None:
        """One transaction."""
        with store.begin() as transaction:
            for statement in statements:
                statement(transaction.tenant(tenant).registry())

    def numbers(self, registry: RegistryReader, *terms: Term, order: Sequence[By] = ()) -> list[tuple[str, int]]:
        page = registry.list_versions(VersionsQuery(terms, tuple(order)))
        return [(version.name, version.version) for version in page.versions]

    def names(self, registry: RegistryReader, *terms: Term, order: Sequence[By] = ()) -> list[str]:
        return [model.name for model in registry.list_models(ModelsQuery(terms, tuple(order))).models]

    # -- models and versions -----------------------------------------------------------------------------------

    def test_an_empty_registry(self, registry: RegistryReader) -> None:
        assert registry.find_model("digits") is None and registry.find_version(id_of(1)) is None
        assert registry.list_models(ModelsQuery()) == ([], None) == registry.list_versions(VersionsQuery())
        assert registry.list_latest(["digits"]) == {} and registry.find_alias("digits", "a") is None
        for asked in (
            call("get_model", "digits"),
            call("get_version", "digits", 1),
            call("get_content", id_of(1)),
            call("list_transitions", TransitionsQuery("digits")),
        ):
            with pytest.raises(NotFound):
                asked(registry)

    def test_a_model_is_made_by_being_mentioned(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(7, name="a \N{ROCKET}", time_ms=9))
        model = registry.get_model("a \N{ROCKET}")
        assert (model.created_ms, model.updated_ms, model.version_count, model.last_version) == (9, 9, 1, 1)
        self.speak(store, call("set_model", "a \N{ROCKET}", at(3, 1), description="x", tags={"k": "v" * 100_000}))
        model = registry.get_model("a \N{ROCKET}")
        assert (model.created_ms, model.updated_ms, model.description) == (3, 9, "x")
        assert model.tags == {"k": "v" * 100_000} and model.lifecycle == "active" and model.aliases == {}

    def test_a_version_keeps_what_was_said_of_it(self, store: Store, registry: RegistryReader) -> None:
        said = NewVersion(
            *(id_of(1), "digits", "r1", "m-1", "runs:/r1/m", "m", "models:/x/1", "http://run", "sklearn", "first"),
            tags={"k": "v", "gone": None},
            status="pending",
            content=CONTENT,
        )
        with store.begin() as transaction:
            writer = transaction.tenant("default").registry()
            assert writer.create_version(said, at(5, 1)) == 1
            assert writer.get_version("digits", 1).version_id == id_of(1)  # as of the transaction
            assert writer.create_version(said._replace(source="other"), at(6, 1)) == 1
            assert registry.find_version(id_of(1)) is None
        version = registry.get_version("digits", 1)
        assert version == registry.find_version(id_of(1))
        assert (version.name, version.version, version.run_id, version.model_id) == ("digits", 1, "r1", "m-1")
        assert (version.source, version.path, version.location) == ("runs:/r1/m", "m", "models:/x/1")
        assert (version.run_link, version.format, version.description) == ("http://run", "sklearn", "first")
        assert (version.tags, version.status, version.stage, version.aliases) == ({"k": "v"}, "pending", "none", ())
        assert (version.created_ms, version.updated_ms, version.lifecycle) == (5, 5, "active")
        assert registry.get_content(id_of(1)) == CONTENT
        self.speak(store, creating(2))
        assert registry.get_content(id_of(2)) == VersionContent()
        assert registry.get_version("digits", 2).run_id is None

    def test_the_bytes_of_a_versions_files_are_kept(self, store: Store, registry: RegistryReader) -> None:
        """Also of one that no run made, and of one that was put away: nothing else may name them."""
        files = (VersionFile("m/a", 5, "a" * 64), VersionFile("m/b", None, "b" * 64), VersionFile("m/c", 7, None))
        said = NewVersion(id_of(1), "digits", content=VersionContent(files, "{}", f'"{"c" * 64}"'))
        self.speak(
            store, call("create_version", said, at(5, 1)), call("set_version", id_of(1), at(6, 2), lifecycle="deleted")
        )
        reader = store.tenant("default")
        assert reader.list_digests() == {"a" * 64: 5, "b" * 64: None}
        assert [list(reader.list_digests(one)) for one in ("a", "bb", "c", "0")] == [["a" * 64], ["b" * 64], [], []]
        assert store.tenant("other").list_digests() == {}

    def test_numbers_count_up_and_are_never_given_twice(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(1), creating(2), creating(3, name="words"), creating(1))
        self.speak(store, call("set_version", id_of(2), at(9_000), lifecycle="deleted"), creating(4))
        self.speak(store, creating(4), creating(2))
        assert self.numbers(registry) == [("digits", 3), ("digits", 1), ("words", 1)]
        assert registry.get_version("digits", 2).lifecycle == "deleted"
        assert registry.get_model("digits").last_version == 3 and registry.get_model("digits").version_count == 2
        self.speak(store, deleting("digits", 9_500))
        assert self.names(registry) == ["words"] and self.numbers(registry) == [("words", 1)]
        assert registry.get_model("digits").lifecycle == "deleted" == registry.get_version("digits", 1).lifecycle
        deleted = registry.list_versions(VersionsQuery(lifecycle="deleted")).versions
        assert [version.version for version in deleted] == [3, 2, 1]
        # another model takes the name: its numbers go on
        self.speak(store, call("set_model", "digits", at(9_600), is_new=True), creating(5, time_ms=9_700))
        assert self.numbers(registry) == [("digits", 4), ("words", 1)]
        model = registry.get_model("digits")
        assert (model.created_ms, model.version_count, model.last_version) == (9_600, 1, 4)
        with pytest.raises(NotFound):
            registry.get_version("digits", 1)
        old = registry.find_version(id_of(1))
        assert old is not None and (old.name, old.version, old.lifecycle) == ("digits", 1, "deleted")
        assert [m.last_version for m in registry.list_models(ModelsQuery(lifecycle="deleted")).models] == [3]

    def test_a_new_model_is_made_once(self, store: Store, registry: RegistryReader) -> None:
        new = call("set_model", "digits", at(20), is_new=True)
        self.speak(store, creating(1, time_ms=1), new)
        assert self.numbers(registry) == [("digits", 1)], "nobody had left the name"
        self.speak(store, deleting("digits", 30), new)
        assert self.names(registry) == [], "said before it was deleted"
        again = call("set_model", "digits", at(40), is_new=True)
        self.speak(store, again)
        self.speak(store, again, deleting("digits", 35))
        assert self.names(registry) == ["digits"]
        assert len(registry.list_models(ModelsQuery(lifecycle=None)).models) == 2

    def test_what_is_deleted_can_be_brought_back(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(1), creating(2), call("set_alias", "digits", "champion", id_of(1), at(2_000)))
        before = registry.get_model("digits")
        self.speak(store, deleting("digits", 3_000))
        assert registry.get_model("digits").aliases == {} and registry.find_alias("digits", "champion") is None
        self.speak(store, call("set_model", "digits", at(4_000), lifecycle="active"))
        after = registry.get_model("digits")
        assert (after.aliases, after.version_count, after.last_version) == ({"champion": 1}, 2, 2)
        assert before.created_ms == after.created_ms and self.numbers(registry) == [("digits", 2), ("digits", 1)]

    # -- names -------------------------------------------------------------------------------------------------

    def test_a_renamed_model_keeps_everything(self, store: Store, registry: RegistryReader) -> None:
        self.speak(
            store,
            creating(1),
            call("set_alias", "digits", "champion", id_of(1), at(2_000)),
            call("set_stage", id_of(1), "production", at(2_001), why="best"),
        )
        self.speak(store, call("rename_model", "digits", "scans", at(3_000)))
        assert self.names(registry) == ["scans"] and registry.find_model("digits") is None
        with pytest.raises(NotFound, match="'scans'"):
            registry.get_model("digits")
        model = registry.get_model("scans")
        assert (model.aliases, model.last_version, model.updated_ms) == ({"champion": 1}, 1, 3_000)
        assert [row.name for row in registry.list_transitions(TransitionsQuery("scans"))] == ["scans", "scans"]
        version = registry.find_alias("scans", "champion")
        assert version is not None and (version.name, version.stage) == ("scans", "production")
        # who does not know says the former name, and reaches it
        self.speak(store, creating(2), call("set_model", "digits", at(3_100), description="x"))
        assert registry.get_model("scans").last_version == 2 and registry.get_model("scans").description == "x"
        # a new model may take it
        self.speak(store, call("set_model", "digits", at(4_000), is_new=True), creating(3, time_ms=4_001))
        assert self.numbers(registry) == [("digits", 3), ("scans", 2), ("scans", 1)]

    def test_a_name_in_use_is_not_taken(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(1), creating(2, name="words"))
        rename = call("rename_model", "digits", "words", at(3_000))
        self.speak(store, rename)
        assert self.names(registry) == ["digits", "words"]
        self.speak(store, deleting("words", 4_000), call("rename_model", "digits", "words", at(5_000)))
        assert self.names(registry) == ["words"] and registry.get_version("words", 1).version_id == id_of(1)
        self.speak(store, creating(3, name="words"))
        assert registry.get_model("words").last_version == 2

    def test_the_later_renaming_wins_and_once(self, store: Store, registry: RegistryReader) -> None:
        renames = [call("rename_model", "a", "b", at(10)), call("rename_model", "a", "c", at(20))]
        self.speak(store, *reversed(renames))
        assert self.names(registry) == ["c"]
        number = store.change_number()
        self.speak(store, *renames)
        assert (self.names(registry), store.change_number()) == (["c"], number)
        self.speak(store, call("rename_model", "c", "a", at(30)))
        assert self.names(registry) == ["a"]

    # -- stages and aliases ------------------------------------------------------------------------------------

    def test_stages_and_what_is_archived(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, *(creating(n) for n in (1, 2, 3)), creating(4, name="words"))
        self.speak(store, *(call("set_stage", id_of(n), "production", at(2_000 + n)) for n in (1, 2, 4)))
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            writer.speak_for("alice")
            writer.registry().set_stage(id_of(3), "production", at(3_000, 7), archive_existing=True, why="better")
        stages = {version.version_id: version for version in registry.list_versions(VersionsQuery()).versions}
        assert [stages[id_of(n)].stage for n in (1, 2, 3, 4)] == ["archived", "archived", "production", "production"]
        assert [stages[id_of(n)].updated_ms for n in (1, 2, 3, 4)] == [3_000, 3_000, 3_000, 2_004]
        rows = registry.list_transitions(TransitionsQuery("digits"))
        assert [(row.version, row.before, row.after, row.why) for row in rows] == [
            (2, "production", "archived", "better"),
            (1, "production", "archived", "better"),
            (3, "none", "production", "better"),
            (2, "none", "production", ""),
            (1, "none", "production", ""),
        ]
        assert {(row.time_ms, row.writer, row.seq, row.actor, row.kind, row.alias) for row in rows[:3]} == {
            (3_000, WRITER, 7, "alice", "stage", None)
        }
        assert [row.number for row in rows] == [6, 5, 4, 2, 1]
        assert registry.list_transitions(TransitionsQuery("digits", version=3)) == [rows[2]]
        assert registry.list_transitions(TransitionsQuery("digits", before=5, limit=2)) == rows[2:4]
        audited = [row for row in store.tenant("default").list_audit() if row.action == "stage.set"]
        assert [row.subject for row in audited[-3:]] == [id_of(3), id_of(1), id_of(2)]
        # one that is put back later stays there, until it is archived again
        self.speak(store, call("set_stage", id_of(1), "production", at(4_000)))
        self.speak(store, call("set_stage", id_of(3), "staging", at(4_001), archive_existing=True))
        assert registry.get_version("digits", 1).stage == "production"
        assert registry.get_version("digits", 2).updated_ms == 3_000

    def test_a_version_moves_its_model_on_by_what_becomes_of_it_not_by_its_texts(
        self, store: Store, registry: RegistryReader
    ) -> None:
        self.speak(store, creating(1), creating(2))
        for time_ms, said, moved in (
            (2_000, call("set_version", id_of(1), at(2_000), description="x", tags={"k": "v"}, status="failed"), 1_002),
            (2_001, call("set_stage", id_of(2), "staging", at(2_001)), 2_001),
            (2_002, call("set_version", id_of(1), at(2_002), tags={"k": None}), 2_001),
            (2_003, call("set_stage", id_of(1), "staging", at(2_003), archive_existing=True), 2_003),
            (2_004, call("set_version", id_of(2), at(2_004), lifecycle="deleted"), 2_004),
        ):
            self.speak(store, said)
            assert registry.get_model("digits").updated_ms == moved, time_ms
            if time_ms < 2_004:
                assert max(one.updated_ms for one in registry.list_versions(VersionsQuery()).versions) == time_ms

    def test_a_stage_that_stays_is_no_transition(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(1), call("set_stage", id_of(1), "none", at(2_000)))
        assert registry.list_transitions(TransitionsQuery("digits")) == []
        assert registry.get_version("digits", 1).updated_ms == 2_000

    def test_the_latest_of_each_stage(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, *(creating(n) for n in range(1, 6)), creating(9, name="words"))
        for n, stage in ((2, "production"), (3, "production"), (4, "staging"), (5, "archived")):
            self.speak(store, call("set_stage", id_of(n), stage, at(2_000 + n)))
        found = registry.list_latest(["digits", "none", "words"])
        assert {name: [(v.stage, v.version) for v in versions] for name, versions in found.items()} == {
            "digits": [("none", 1), ("staging", 4), ("production", 3), ("archived", 5)],
            "words": [("none", 1)],
        }
        self.speak(store, call("set_version", id_of(3), at(3_000), lifecycle="deleted"), deleting("words", 3_001))
        found = registry.list_latest(["digits", "words"])
        assert [v.version for v in found["digits"]] == [1, 4, 2, 5] and found["words"] == []

    def test_aliases(self, store: Store, registry: RegistryReader) -> None:
        self.speak(store, creating(1), creating(2), creating(3, name="words"))
        self.speak(store, call("set_alias", "digits", "b-side", id_of(1), at(1_900)))
        for n, (alias, version_id) in enumerate(
            (("champion", id_of(1)), ("champion", id_of(2)), ("champion", id_of(2)), ("theirs", id_of(3)))
        ):
            self.speak(store, call("set_alias", "digits", alias, version_id, at(2_000 + n), why=f"w{n}"))
        assert registry.get_model("digits").aliases == {"b-side": 1, "champion": 2}
        assert registry.get_version("digits", 2).aliases == ("champion",)
        found = registry.find_alias("digits", "champion")
        assert found is not None and found == registry.get_version("digits", 2)
        assert registry.find_alias("digits", "Champion") is None and registry.find_alias("digits", "theirs") is None
        rows = registry.list_transitions(TransitionsQuery("digits"))
        assert [(r.kind, r.alias, r.before, r.after, r.why) for r in rows[1:]] == [
            ("alias", "champion", "1", "2", "w1"),
            ("alias", "champion", None, "1", "w0"),
            ("alias", "b-side", None, "1", ""),
        ]
        self.speak(store, call("set_alias", "digits", "champion", None, at(2_500)))
        assert registry.get_model("digits").aliases == {"b-side": 1}
        [row, *_] = registry.list_transitions(TransitionsQuery("digits"))
        assert (row.before, row.after, row.version) == ("2", None, None)
        self.speak(store, call("set_version", id_of(1), at(2_600), lifecycle="deleted"))
        assert registry.get_model("digits").aliases == {}
        assert registry.find_alias("digits", "b-side") is None

    # -- order -------------------------------------------------------------------------------------------------

    def test_order_and_duplicates_change_nothing_but_numbers(self, opener: Opener, store: Store) -> None:
        said: list[Spoken] = [
            creating(1, tags={"k": "made"}, description="made"),
            creating(2),
            call("set_stage", id_of(1), "production", at(2_000)),
            call("set_stage", id_of(2), "production", at(3_000), archive_existing=True),
            call("set_stage", id_of(2), "none", at(5_000)),
            call("set_version", id_of(1), at(4_000), tags={"k": "set", "l": "m"}, description="set", status="failed"),
            call("set_alias", "digits", "champion", id_of(1), at(4_100)),
            call("set_alias", "digits", "champion", id_of(2), at(4_200)),
            call("set_model", "digits", at(4_300), description="model", tags={"t": "1"}),
            call("set_model", "digits", at(900), description="older", tags={"t": "0", "u": "2"}),
        ]
        answers: set[tuple[Any, ...]] = set()
        for number, first in enumerate(permutations(range(4), 4)):
            tenant = f"t{number}"
            order = [*first, *range(4, len(said))] if number % 2 else [*range(len(said) - 1, 3, -1), *first]
            for place in [*order, order[number % len(said)]]:
                self.speak(store, said[place], tenant=tenant)
            registry = store.tenant(tenant).registry()
            model = registry.get_model("digits")
            versions = registry.list_versions(VersionsQuery(order=(By("created"),))).versions
            assert sorted(version.version for version in versions) == [1, 2]
            champion = registry.find_alias("digits", "champion")
            assert champion is not None
            shown = [
                (
                    v.version_id,
                    v.stage,
                    tuple(sorted(v.tags.items())),
                    v.description,
                    v.status,
                    v.created_ms,
                    v.updated_ms,
                )
                for v in versions
            ]
            settings = (model.description, tuple(sorted(model.tags.items())), model.created_ms, model.updated_ms)
            answers.add((champion.version_id, settings, *shown))
        assert len(answers) == 1
        [(champion_id, of_model, first_version, second_version)] = answers
        assert champion_id == id_of(2) and of_model == ("model", (("t", "1"), ("u", "2")), 900, 5_000)
        assert first_version[1:] == ("archived", (("k", "set"), ("l", "m")), "set", "failed", 1_001, 4_000)
        assert second_version[1:] == ("none", (), "", "ready", 1_002, 5_000)

    def test_saying_it_again_changes_nothing(self, store: Store, reader: TenantReader) -> None:
        statements = [change for change, _, _ in CHANGES.values()]
        self.speak(store, *statements)
        before = store.change_number(), reader.list_audit(), reader.registry().list_versions(VersionsQuery())
        self.speak(store, *statements)
        self.speak(store, *reversed(statements))
        after = store.change_number(), reader.list_audit(), reader.registry().list_versions(VersionsQuery())
        assert after == before
        assert len(reader.registry().list_transitions(TransitionsQuery("scans"))) == 2

    def test_a_version_that_is_only_spoken_of_shows_nowhere(self, store: Store, registry: RegistryReader) -> None:
        self.speak(
            store,
            call("set_stage", id_of(1), "staging", at(2_000), why="soon"),
            call("set_alias", "digits", "next", id_of(1), at(2_001)),
        )
        assert registry.find_version(id_of(1)) is None and self.numbers(registry) == []
        assert registry.get_model("digits").aliases == {} and registry.get_model("digits").version_count == 0
        [row] = registry.list_transitions(TransitionsQuery("digits"))
        assert (row.after, row.version) == (id_of(1), None)
        self.speak(store, creating(1))
        assert registry.get_version("digits", 1).stage == "staging" and registry.get_model("digits").aliases == {
            "next": 1
        }
        rows = registry.list_transitions(TransitionsQuery("digits"))
        assert [(r.kind, r.after, r.why) for r in rows] == [("alias", "1", ""), ("stage", "staging", "soon")]

    def test_what_was_archived_before_it_was_made_is_a_transition(self, store: Store, registry: RegistryReader) -> None:
        early = call("set_stage", id_of(1), "production", at(5_000))
        later = call("set_stage", id_of(2), "production", at(6_000), archive_existing=True)
        self.speak(store, early, later, creating(1), creating(2))
        rows = registry.list_transitions(TransitionsQuery("digits"))
        assert [(row.version, row.before, row.after) for row in rows] == [
            (1, "production", "archived"),
            (2, "none", "production"),
            (1, "none", "production"),
        ]
        self.speak(store, creating(3), call("set_stage", id_of(3), "production", at(5_500)))
        [row, *_] = registry.list_transitions(TransitionsQuery("digits"))
        assert (row.version, row.before, row.after) == (3, "none", "archived")
        self.speak(store, call("set_stage", id_of(4), "production", at(5_600)), creating(4))
        rows = registry.list_transitions(TransitionsQuery("digits", version=4))
        assert [(row.before, row.after) for row in rows] == [("production", "archived"), ("none", "production")]
        assert [registry.get_version("digits", n).stage for n in (1, 2, 3, 4)] == [
            *("archived", "production", "archived", "archived")
        ]

    # -- lists -------------------------------------------------------------------------------------------------

    @pytest.fixture
    def stocked(self, store: Store) -> Store:
        for n, name in enumerate(("RM1", "RM2", "RM3", "RM4", "RM4A", "RM4ab", "sum_"), 1):
            self.speak(
                store,
                call("set_model", name, at(n, n), tags={"n": str(n), "kind": "even" if n % 2 == 0 else "Odd"}),
                creating(n, name=name, time_ms=n, run_id=f"run{n % 3}", source=f"s/{n}", tags={"t": f"x{n}"}),
                creating(n + 50, name=name, time_ms=100 + n),
            )
        self.speak(store, call("set_model", "RM1", at(500), tags={"late": ""}))
        self.speak(store, call("set_stage", id_of(52), "production", at(600)))
        return store

    @pytest.mark.parametrize(
        "terms,names",
        [
            ([Term("name", "=", "RM2")], ["RM2"]),
            ([Term("name", "!=", "RM2"), Term("name", "like", "RM_")], ["RM1", "RM3", "RM4"]),
            ([Term("name", "like", "RM4%")], ["RM4", "RM4A", "RM4ab"]),
            ([Term("name", "like", "rm4%")], []),
            ([Term("name", "ilike", "rm4A%")], ["RM4A", "RM4ab"]),
            ([Term("name", "like", "%\\_")], []),
            ([Term("name", "contains", "m4A")], ["RM4A", "RM4ab"]),
            ([Term("name", "contains", "_")], ["sum_"]),
            ([Term("name", "in", ("RM1", "sum_", "none"))], ["RM1", "sum_"]),
            ([Term("name", "in", ())], []),
            ([Term("tag", "=", "3", "n")], ["RM3"]),
            ([Term("tag", "!=", "x", "late")], ["RM1"]),
            ([Term("tag", "isnt", "", "late"), Term("tag", "ilike", "odd", "kind")], ["RM3", "RM4A", "sum_"]),
            ([Term("tag", "isnt", "even", "kind"), Term("tag", "like", "%", "late")], ["RM1"]),
            ([Term("tag", "=", "3", "none")], []),
            ([Term("name", "=", "x' OR 1=1 --")], []),
        ],
    )
    def test_models_are_found(
        self, stocked: Store, registry: RegistryReader, terms: list[Term], names: list[str]
    ) -> None:
        assert self.names(registry, *terms) == names
        assert self.names(registry, *terms, order=[By("name", True)]) == names[::-1]

    @pytest.mark.parametrize(
        "terms,numbers",
        [
            ([Term("name", "=", "RM2")], [("RM2", 2), ("RM2", 1)]),
            ([Term("version", "<=", 1), Term("name", "ilike", "RM4_")], [("RM4A", 1)]),
            ([Term("version", "=", 2), Term("run_id", "=", "run1")], []),
            ([Term("run_id", "in", ("run1", "RUN2"))], [("RM1", 1), ("RM4", 1), ("sum_", 1)]),
            ([Term("run_id", "!=", "run1"), Term("version", "!=", 2)], [("RM2", 1), ("RM3", 1), ("RM4A", 1), ("RM4ab", 1)]),
            ([Term("run_id", "isnt", "run1"), Term("name", "=", "RM1")], [("RM1", 2)]),
            ([Term("source", "like", "S/%")], []),
            ([Term("source", "=", "s/4")], [("RM4", 1)]),
            ([Term("tag", "like", "x_", "t"), Term("tag", "!=", "x1", "t"), Term("version", ">", 0)],
             [("RM2", 1), ("RM3", 1), ("RM4", 1), ("RM4A", 1), ("RM4ab", 1), ("sum_", 1)]),
            ([Term("stage", "=", "production")], [("RM2", 2)]),
            ([Term("version_id", "=", id_of(7))], [("sum_", 1)]),
        ],
    )  # fmt: skip
    def test_versions_are_found(
        self, stocked: Store, registry: RegistryReader, terms: list[Term], numbers: list[tuple[str, int]]
    ) -> None:
        assert self.numbers(registry, *terms) == numbers

    def test_pages_lead_through_every_order(self, stocked: Store, registry: RegistryReader) -> None:
        orders = [(), (By("updated", True),), (By("created"), By("name", True)), (By("version"), By("created", True))]
        for order in orders:
            for terms in ((), (Term("name", "ilike", "rm%"),)):
                whole = registry.list_versions(VersionsQuery(terms, order)).versions
                assert len(whole) == (12 if terms else 14)
                found, after = [], None
                while True:
                    page = registry.list_versions(VersionsQuery(terms, order, limit=3, after=after))
                    found += page.versions
                    after = page.next_token
                    if after is None:
                        break
                    assert len(page.versions) == 3
                assert found == whole
        models = registry.list_models(ModelsQuery(order=(By("updated", True),), limit=2))
        assert [model.name for model in models.models] == ["RM2", "RM1"]
        rest = registry.list_models(ModelsQuery(order=(By("updated", True),), limit=9, after=models.next_token))
        assert [model.name for model in rest.models] == ["sum_", "RM4ab", "RM4A", "RM4", "RM3"]
        assert rest.next_token is None

    def test_what_cannot_be_asked(self, stocked: Store, registry: RegistryReader) -> None:
        token = registry.list_models(ModelsQuery(limit=2)).next_token
        assert token is not None
        for query in (
            ModelsQuery((Term("run_id", "=", "r"),)),
            ModelsQuery((Term("name", "<", "r"),)),
            ModelsQuery((Term("name", "=", 3),)),
            ModelsQuery((Term("name", "in", "r"),)),
            ModelsQuery(order=(By("name"), By("name", True))),
            ModelsQuery(order=(By("version"),)),
            ModelsQuery(after="evil"),
            ModelsQuery(after=token + "A"),
            ModelsQuery(after=token, lifecycle="deleted"),
            ModelsQuery((Term("name", "like", "x" * 5_000),)),
        ):
            with pytest.raises(InvalidInput):
                registry.list_models(query)
        for asked in (Term("version", "=", "1"), Term("version", "like", "1"), Term("stages", "=", "x")):  # type: ignore[arg-type]
            with pytest.raises(InvalidInput):
                registry.list_versions(VersionsQuery((asked,)))
        with pytest.raises(InvalidInput):
            registry.list_versions(VersionsQuery(after=token))

    # -- tenants, transactions, audit --------------------------------------------------------------------------

    def test_tenants_are_strangers(self, store: Store, registry: RegistryReader) -> None:
        with store.begin() as transaction:
            mine, theirs = (transaction.tenant(name).registry() for name in ("default", "acme"))
            for statement in (creating(1), creating(2), call("set_alias", "digits", "a", id_of(1), at(5_000))):
                statement(mine)
                statement(theirs)
            theirs.rename_model("digits", "theirs", at(6_000))
            mine.set_stage(id_of(1), "production", at(6_001))
            theirs.set_stage(id_of(2), "production", at(6_002), archive_existing=True)
        assert self.names(registry) == ["digits"] and registry.get_version("digits", 1).stage == "production"
        other = store.tenant("acme").registry()
        assert self.names(other) == ["theirs"] and other.get_version("theirs", 1).stage == "none"
        assert [row.number for row in other.list_transitions(TransitionsQuery("theirs"))] == [2, 1]
        assert store.tenant("nobody").registry().list_versions(VersionsQuery()).versions == []

    def test_an_undone_transaction_leaves_nothing(self, store: Store, reader: TenantReader) -> None:
        self.speak(store, creating(1))
        number, rows = store.change_number(), reader.list_audit()
        with pytest.raises(KeyError), store.begin() as transaction:
            writer = transaction.tenant("default").registry()
            for change, _, _ in CHANGES.values():
                change(writer)
            raise KeyError
        assert (store.change_number(), reader.list_audit()) == (number, rows)
        assert self.numbers(reader.registry()) == [("digits", 1)]

    def test_it_survives_closing(self, opener: Opener) -> None:
        if not self.keeps_content:
            pytest.skip("this store forgets when it is closed")
        store = opener()
        self.speak(store, *(change for change, _, _ in CHANGES.values()))
        before = store.tenant("default").registry().get_version("scans", 1)
        store.close()
        store = opener()
        assert store.tenant("default").registry().get_version("scans", 1) == before
        self.speak(store, creating(2, name="scans"))
        assert store.tenant("default").registry().get_model("scans").last_version == 2
        store.close()

    def test_every_kind_of_change_writes_one_audit_row(self, store: Store, reader: TenantReader) -> None:
        self.speak(store, *(change for change, _, _ in CHANGES.values()))
        rows = reader.list_audit()
        assert [(row.action, row.subject) for row in rows] == [change[1:] for change in CHANGES.values()]
        assert (
            rows[3].digest
            == digest_of({"version_id": "1" * 32, "stage": "staging", "archive_existing": False, "why": ""}).hex()
        )

    def test_what_is_listed_here_is_every_change(self) -> None:
        changes = set(vars(RegistryWriter)) - set(vars(RegistryReader))
        assert {name for name in changes if not name.startswith("_")} == CHANGES.keys()
