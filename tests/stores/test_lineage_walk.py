"""Random histories: both stores walk to what a plain closure over all links finds; and at the cost of so many statements a level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.entities import Artifact, Attempt
from lineal.model.limits import LINEAGE_MAX_DEPTH, LINEAGE_NODES_MAX_COUNT
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, VersionUse
from lineal.model.lineage_graph import LineageGraph, LineageQuery
from lineal.model.registry import NewVersion, VersionContent, VersionFile
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.contracts import RunStart, Store
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store
from lineal.store.sql.links import SqlLinks
from lineal.testing.suite_base import Said, at

Link = tuple[str, str, str]
RUNS = [f"r{n}" for n in range(4)]
DIGESTS = [f"{n:064x}" for n in range(3)]
runs, digests = st.sampled_from(RUNS), st.sampled_from(DIGESTS)
HISTORIES = st.lists(
    st.one_of(
        st.tuples(st.just("data"), runs, digests),
        st.tuples(st.just("log"), runs, st.sampled_from("ab"), digests),
        st.tuples(st.just("take"), runs, runs, st.sampled_from("ab"), digests),
        st.tuples(st.just("make"), runs, st.integers(0, 2), st.sampled_from("ab"), digests),
        st.tuples(st.just("make"), runs, st.integers(0, 2)),
        st.tuples(st.just("use"), runs, st.integers(0, 2)),
        st.tuples(st.just("again"), runs, runs),
        st.tuples(st.just("child"), runs, runs),
    ),
    max_size=14,
)


def version_id(number: int) -> str:
    return f"{number:032x}"


def said(what: tuple[Any, ...], n: int) -> Said:
    kind, run_id, *rest = what
    stamp = at(n, n)
    if kind == "data":
        return call("use_dataset", run_id, DatasetUse(Dataset("d", rest[0])), stamp)
    if kind == "log":
        return call("add_artifact", run_id, Artifact(rest[0], 0, 1, rest[1], None, None, n), stamp)
    if kind == "take":
        return call("use_artifact", run_id, ArtifactUse(*rest), stamp)
    if kind == "use":
        return call("use_version", run_id, VersionUse(version_id(rest[0]), "m"), stamp)
    if kind == "again":
        return call("set_tags", run_id, {REPRODUCES_TAG: rest[0]}, stamp)
    if kind == "child":
        return call("start_attempt", run_id, Attempt(f"a{n}", n), RunStart("e", parent_run_id=rest[0]), stamp)
    files = () if len(rest) == 1 else (VersionFile(rest[1], 1, rest[2]),)
    made = NewVersion(version_id(rest[0]), "m", run_id, content=VersionContent(files))
    return lambda writer: writer.registry().create_version(made, stamp)


def links_of(history: list[tuple[Any, ...]]) -> set[Link]:
    """All that there are, worked out from the history alone. Artifacts as RUN:PATH:DIGEST."""
    links: set[Link] = set()
    first: dict[str, int] = {}
    users: set[tuple[str, str]] = set()
    logged: list[tuple[int, str, str, str]] = []
    made: set[int] = set()
    parents: dict[str, str] = {}
    again: dict[str, str] = {}
    for n, (kind, run_id, *rest) in enumerate(history, 1):
        if kind == "data":
            links.add((rest[0], "used", run_id))
            users.add((run_id, rest[0]))
            first.setdefault(rest[0], n)
        elif kind == "log":
            links.add((run_id, "made", f"{run_id}:{':'.join(rest)}"))
            logged.append((n, run_id, *rest))
        elif kind == "take":
            links |= {(":".join(rest), "used", run_id), (rest[0], "made", ":".join(rest))}
        elif kind == "use":
            links.add((version_id(rest[0]), "used", run_id))
        elif kind == "again":
            again[run_id] = rest[0]
        elif kind == "child":
            parents.setdefault(run_id, rest[0])
        elif rest[0] not in made:
            made.add(rest[0])
            if len(rest) == 1:
                links.add((run_id, "made", version_id(rest[0])))
            else:
                artifact = f"{run_id}:{rest[1]}:{rest[2]}"
                links |= {(artifact, "version", version_id(rest[0])), (run_id, "made", artifact)}
    links |= {(parent, "parent", run_id) for run_id, parent in parents.items()}
    links |= {(origin, "reproduction", run_id) for run_id, origin in again.items()}
    for n, run_id, path, digest in logged:
        if digest in first and n <= first[digest] and (run_id, digest) not in users:
            links.add((f"{run_id}:{path}:{digest}", "same_content", digest))
    return links


def closure(links: set[Link], start: str) -> set[Link]:
    found: set[Link] = set()
    for near, far in ((2, 0), (0, 2)):
        ahead, done = {start}, set[str]()
        while ahead:
            one = ahead.pop()
            done.add(one)
            of_it = {link for link in links if link[near] == one}
            found |= of_it
            ahead |= {link[far] for link in of_it} - done
    return found


def shown(graph: LineageGraph) -> set[Link]:
    names = {(node.kind, node.id): node.id for node in graph.nodes}
    names |= {
        (node.kind, node.id): f"{node.run_id}:{node.name}:{node.digest}"
        for node in graph.nodes
        if node.kind == "artifact"
    }
    return {(names[edge.origin], edge.relation, names[edge.target]) for edge in graph.edges}


def tell(store: Store, history: list[tuple[Any, ...]]) -> None:
    with store.begin() as transaction:
        writer = transaction.tenant("default")
        for n, what in enumerate(history, 1):
            said(what, n)(writer)


@given(history=HISTORIES, depth=st.integers(0, 4), limit=st.integers(1, 6))
def test_both_stores_walk_to_what_the_closure_of_all_links_is(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[Any, ...]], depth: int, limit: int
) -> None:
    memory = MemoryStore()
    with closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('walk') / 'db'}")) as sql:
        tell(memory, history)
        tell(sql, history)
        one, two = memory.tenant("default"), sql.tenant("default")
        links = links_of(history)
        known = {run_id for _, run_id, *_ in history} & set(one.find_run_ids("r", 100))
        for thing in sorted(known):
            whole = LineageQuery(thing, "run", depth=LINEAGE_MAX_DEPTH, limit=LINEAGE_NODES_MAX_COUNT)
            graph = one.find_lineage(whole)
            assert graph == two.find_lineage(whole)
            assert graph.is_complete and shown(graph) == closure(links, thing)
            bounded = LineageQuery(thing, "run", depth=depth, limit=limit)
            part = one.find_lineage(bounded)
            assert part == two.find_lineage(bounded)
            assert len(part.nodes) <= limit and shown(part) <= closure(links, thing)
            assert part.is_complete == (len(part.nodes) == len(graph.nodes)), bounded


# -- statements ------------------------------------------------------------------------------------------------


class Counting:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.count = 0

    def execute(self, *arguments: Any) -> Any:
        self.count += 1
        return self._connection.execute(*arguments)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Counting]:
    made: list[Counting] = []

    def counting(connection: Any, tenant: int) -> Any:
        made.append(Counting(connection))
        return SqlLinks(made[-1], tenant)  # type: ignore[arg-type]

    monkeypatch.setattr("lineal.store.sql.reader.SqlLinks", counting)
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def opener(request: Any, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    url = f"sqlite:///{tmp_path / 'db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    yield lambda: open_store(url)


def test_statements_do_not_grow_with_what_is_found(opener: Callable[[], Store], counted: list[Counting]) -> None:
    """A raw file, from which many runs make many files, each of which others take, and make versions of."""

    def history(wide: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for n in range(wide):
            run, later = f"w{wide}-{n}", f"w{wide}-later-{n}"
            found += [("data", run, f"{wide:064x}"), ("log", run, "a", f"{wide}{n:063x}")]
            found += [("take", later, run, "a", f"{wide}{n:063x}"), ("make", later, wide * 1_000 + n)]
        return found

    with closing(opener()) as store:
        tell(store, history(2) + history(40))
        counts = []
        for wide in (2, 40):
            counted.clear()
            graph = store.tenant("default").find_lineage(LineageQuery(f"{wide:064x}", "dataset"))
            assert graph.is_complete and len(graph.nodes) == 1 + 4 * wide
            counts.append(sum(one.count for one in counted))
        assert counts[0] == counts[1] < 120, counts
