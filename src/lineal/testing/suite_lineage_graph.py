"""What led to what: `model/lineage_graph.py`, `store/lineage_graph.py`."""

from __future__ import annotations

from operator import methodcaller as call

import pytest

from lineal.model.entities import Artifact, Attempt
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import LINEAGE_ARTIFACTS_COUNT, LINEAGE_MAX_DEPTH, LINEAGE_NODES_MAX_COUNT
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelUse, VersionUse
from lineal.model.lineage_graph import LineageGraph, LineageQuery, Node
from lineal.model.registry import NewVersion, VersionContent, VersionFile
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.contracts import RunStart, Store, TenantReader, TenantWriter
from lineal.testing.suite_base import Said, SuiteBase, at, starting

RAW, CLEAN, MODEL, OTHER = "a1" * 32, "b2" * 32, "c3" * 32, "d4" * 32
VERSION = "0123456789abcdef" * 2


def using(run_id: str, digest: str, n: int, name: str = "train", **more: str) -> Said:
    return call("use_dataset", run_id, DatasetUse(Dataset(name, digest, **more), "training"), at(n, n))


def logging(run_id: str, path: str, digest: str, n: int) -> Said:
    return call("add_artifact", run_id, Artifact(path, 0, 7, digest, None, None, n), at(n, n))


def taking(run_id: str, whose: str, path: str, digest: str, n: int) -> Said:
    return call("use_artifact", run_id, ArtifactUse(whose, path, digest, 1), at(n, n))


def making(run_id: str, n: int, *files: VersionFile, version_id: str = VERSION) -> Said:
    def say(writer: TenantWriter) -> None:
        version = NewVersion(version_id, "digits", run_id, path="models", content=VersionContent(files))
        writer.registry().create_version(version, at(n, n))

    return say


CHAIN: tuple[Said, ...] = (
    # raw data -> "clean" -> clean.csv, which is data of "train" -> model.pt -> digits/1 -> "serve"
    *(starting(run_id, time_ms=n) for n, run_id in enumerate(("clean", "train", "serve"), 1)),
    using("clean", RAW, 10, "raw", version="2.1", source="raw.csv"),
    logging("clean", "out/clean.csv", CLEAN, 11),
    using("train", CLEAN, 12),
    logging("train", "models/model.pt", MODEL, 13),
    making("train", 14, VersionFile("models/model.pt", 7, MODEL)),
    call("use_version", "serve", VersionUse(VERSION, "digits"), at(15, 15)),
)
LINKS = [
    (("artifact", "clean:out/clean.csv"), ("dataset", CLEAN), "same_content", None),
    (("artifact", "train:models/model.pt"), ("model_version", VERSION), "version", None),
    (("dataset", RAW), ("run", "clean"), "used", "training"),
    (("dataset", CLEAN), ("run", "train"), "used", "training"),
    (("model_version", VERSION), ("run", "serve"), "used", None),
    (("run", "clean"), ("artifact", "clean:out/clean.csv"), "made", None),
    (("run", "train"), ("artifact", "train:models/model.pt"), "made", None),
]


def registering(writer: TenantWriter) -> None:
    files = VersionContent((VersionFile("models/m-1/model.pkl", 7, MODEL),))
    version = NewVersion(VERSION, "fraud", "train", "m-1", path="models/m-1", content=files)
    writer.registry().create_version(version, at(30, 30))
    writer.registry().set_alias("fraud", "best", VERSION, at(31, 31))


MODELS: tuple[Said, ...] = (
    # raw data -> "train" -> the logged model m-1 -> fraud/1; and "score" took m-1 in
    *(starting(run_id, time_ms=n) for n, run_id in enumerate(("train", "score"), 1)),
    using("train", RAW, 10, "raw"),
    call("set_logged_model", "m-1", at(20, 20), name="net", run_id="train", path="models/m-1"),
    call("use_model", "train", ModelUse("m-1", "output", 7), at(21, 21)),
    logging("train", "models/m-1/model.pkl", MODEL, 22),
    logging("train", "models/m-1/MLmodel", CLEAN, 23),
    call("use_model", "score", ModelUse("m-1", "input"), at(24, 24)),
    registering,
)


class LineageGraphRules(SuiteBase):
    def graph(self, reader: TenantReader, thing: str, **bounds: object) -> LineageGraph:
        return reader.find_lineage(LineageQuery(thing, **bounds))  # type: ignore[arg-type]

    def ids_of(self, graph: LineageGraph) -> list[str]:
        return [node.id for node in graph.nodes]

    def links_of(self, graph: LineageGraph) -> list[tuple[str, str, str]]:
        return [(edge.origin[1], edge.target[1], edge.relation) for edge in graph.edges]

    # -- the whole chain -----------------------------------------------------------------------------------

    def test_from_either_end_the_whole_chain_is_found(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *CHAIN)
        for thing, down, up in ((RAW, True, False), ("serve", False, True)):
            graph = self.graph(reader, thing, down=down, up=up)
            assert graph.edges == sorted(LINKS)
            assert graph.is_complete and len(graph.nodes) == 8

    def test_from_the_middle_up_and_down(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *CHAIN)
        graph = self.graph(reader, "train")
        assert graph.start == ("run", "train") and graph.edges == sorted(LINKS)
        up = self.graph(reader, "train", down=False)
        assert [node for _, node in (edge.target for edge in up.edges)].count("train") == 1
        assert VERSION not in self.ids_of(up) and RAW in self.ids_of(up)
        down = self.graph(reader, "train", up=False)
        assert CLEAN not in self.ids_of(down) and "serve" in self.ids_of(down)

    def test_nodes_say_what_they_are(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            *CHAIN,
            call("start_attempt", "clean", Attempt("a2", 40), RunStart("digits"), at(40, 40)),
            call("set_lifecycle", "serve", "deleted", at(41, 41)),
        )
        nodes = {node.id: node for node in self.graph(reader, "train").nodes}
        assert nodes[RAW] == Node("dataset", RAW, "raw", digest=RAW, names=("raw",), version="2.1", source="raw.csv")
        clean = nodes["clean"]
        assert (clean.kind, clean.name, clean.experiment, clean.status) == ("run", "clean", "digits", "running")
        assert (clean.started_ms, clean.attempt_count, clean.is_deleted) == (1, 2, False)
        assert nodes["serve"].is_deleted
        assert nodes["clean:out/clean.csv"] == Node(
            "artifact",
            "clean:out/clean.csv",
            "out/clean.csv",
            run_id="clean",
            digest=CLEAN,
            version="1",
            size_bytes=7,
        )
        assert nodes[VERSION] == Node("model_version", VERSION, "digits", run_id="train", version="1", stage="none")

    def test_what_is_only_spoken_of_is_shown_as_such(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            call("start_attempt", "r1", Attempt("a1", 1), RunStart("digits", parent_run_id="gone"), at(1, 1)),
            taking("r1", "away", "x.pt", OTHER, 2),
            call("use_version", "r1", VersionUse("f" * 32, "digits"), at(3, 3)),
        )
        graph = self.graph(reader, "r1")
        unknown = {node.id for node in graph.nodes if not node.is_known}
        assert unknown == {"gone", "away", f"away:x.pt@{OTHER}", "f" * 32}
        assert graph.is_complete
        assert self.links_of(self.graph(reader, f"away:x.pt@{OTHER}"))[0][1] == "r1"

    # -- relations -----------------------------------------------------------------------------------------

    def test_runs_lead_to_runs(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("top", time_ms=1),
            call("start_attempt", "child", Attempt("a", 2), RunStart("digits", parent_run_id="top"), at(2, 2)),
            call("start_attempt", "fork", Attempt("a", 3), RunStart("digits", forked_from="child"), at(3, 3)),
            starting("again", time_ms=4),
            call("set_tags", "again", {REPRODUCES_TAG: "fork", "lineal.other": "top"}, at(5, 5)),
            starting("no", time_ms=6),
            call("set_tags", "no", {REPRODUCES_TAG: "top"}, at(6, 6)),
            call("set_tags", "no", {REPRODUCES_TAG: None}, at(7, 7)),
        )
        links = [("child", "fork", "forked"), ("fork", "again", "reproduction"), ("top", "child", "parent")]
        for thing in ("top", "fork", "again"):
            assert self.links_of(self.graph(reader, thing)) == links, thing
        assert self.ids_of(self.graph(reader, "no")) == ["no"]

    def test_an_artifact_that_was_taken_leads_on(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("a", time_ms=1),
            starting("b", time_ms=2),
            logging("a", "x", OTHER, 3),
            logging("a", "x", MODEL, 4),
            taking("b", "a", "x", OTHER, 5),
        )
        assert self.links_of(self.graph(reader, "b")) == [("a:x@1", "b", "used"), ("a", "a:x@1", "made")]
        assert self.links_of(self.graph(reader, "a:x")) == [("a", "a:x", "made")]
        assert self.links_of(self.graph(reader, "a:x@1")) == [("a:x@1", "b", "used"), ("a", "a:x@1", "made")]
        everything = self.graph(reader, "a")
        assert set(self.ids_of(everything)) == {"a", "b", "a:x", "a:x@1"} and everything.is_complete

    def test_the_same_bytes_are_lineage_only_of_who_had_them_first(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            *(starting(run_id, time_ms=1) for run_id in ("maker", "user", "copier", "later")),
            logging("maker", "x.csv", RAW, 10),
            using("user", RAW, 10),
            using("copier", RAW, 12),
            logging("copier", "copy.csv", RAW, 9),
            logging("later", "x.csv", RAW, 11),
        )
        graph = self.graph(reader, RAW, down=False)
        assert self.links_of(graph) == [("maker:x.csv", RAW, "same_content"), ("maker", "maker:x.csv", "made")]
        assert self.ids_of(self.graph(reader, "later")) == ["later:x.csv", "later"]
        assert ("copier:copy.csv", RAW, "same_content") not in self.links_of(self.graph(reader, "copier"))

    def test_digests_that_are_none_count_together_with_a_name(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, using("r1", "1", 1, "train"), using("r2", "1", 2, "test"), using("r3", "1", 3, "train"))
        assert self.links_of(self.graph(reader, "train")) == [("train@1", "r1", "used"), ("train@1", "r3", "used")]
        self.tell(store, using("r4", RAW, 4, "one"), using("r5", RAW, 5, "two"))
        graph = self.graph(reader, "two")
        assert self.links_of(graph) == [(RAW, "r4", "used"), (RAW, "r5", "used")]
        assert next(node for node in graph.nodes if node.kind == "dataset").names == ("one", "two")

    def test_versions_without_files_are_linked_to_their_run(self, store: Store, reader: TenantReader) -> None:
        many = tuple(VersionFile(f"shard-{n}", 1, f"{n:064x}") for n in range(50))
        self.tell(
            store,
            starting("r1"),
            making("r1", 2),
            making("r1", 3, *many, version_id="1" * 32),
            making("r1", 4, VersionFile("x", 1, None), version_id="2" * 32),
        )
        made = [("r1", version_id, "made") for version_id in (VERSION, "1" * 32, "2" * 32)]
        assert self.links_of(self.graph(reader, "r1")) == sorted(made)
        assert self.links_of(self.graph(reader, "digits/2")) == [("r1", "1" * 32, "made")]

    # -- logged models -------------------------------------------------------------------------------------

    def test_a_logged_model_stands_between_its_run_and_its_versions(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *MODELS)
        made = [(RAW, "train", "used"), ("m-1", VERSION, "version"), ("train", "m-1", "made")]
        for thing in ("fraud@best", "models:/fraud@best", "models/fraud/1", "m-1", "train", RAW):
            graph = self.graph(reader, thing, kind=None)
            assert graph.is_complete, thing
            links = self.links_of(graph)
            assert set(made) <= set(links), thing
            assert ("m-1", "score", "used") in links or "fraud" in thing
        up = self.graph(reader, VERSION, down=False)
        assert self.links_of(up) == made
        assert self.graph(reader, "m-1").start == ("logged_model", "m-1")
        nodes = {node.id: node for node in up.nodes}
        assert nodes["m-1"] == Node("logged_model", "m-1", "net", run_id="train")

    def test_files_of_a_logged_model_stand_for_themselves_in_it(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *MODELS, logging("train", "models/m-1x", OTHER, 40), logging("train", "a.txt", OTHER, 41))
        names = {node.name for node in self.graph(reader, "train").nodes if node.kind == "artifact"}
        assert names == {"models/m-1x", "a.txt"}
        of_file = self.links_of(self.graph(reader, "train:models/m-1/model.pkl", up=False))
        assert ("train:models/m-1/model.pkl", "m-1", "version") in of_file and ("m-1", VERSION, "version") in of_file

    def test_a_model_that_is_not_known_hides_nothing(self, store: Store, reader: TenantReader) -> None:
        """A version that says the id of one is linked as any other; a run that used one shows that it did."""

        def version(writer: TenantWriter) -> None:
            files = VersionContent((VersionFile("x.pt", 7, MODEL),))
            new = NewVersion(VERSION, "digits", "r1", "m-9", path="x.pt", content=files)
            writer.registry().create_version(new, at(5, 5))

        self.tell(store, starting("r1"), logging("r1", "x.pt", MODEL, 4), version)
        assert ("r1:x.pt", VERSION, "version") in self.links_of(self.graph(reader, "digits/1"))
        self.tell(store, starting("r2"), call("use_model", "r2", ModelUse("m-8", "input"), at(6, 6)))
        graph = self.graph(reader, "r2")
        assert self.links_of(graph) == [("m-8", "r2", "used")]
        assert [node.is_known for node in graph.nodes if node.kind == "logged_model"] == [False]
        with pytest.raises(NotFound):
            self.graph(reader, "m-8")

    def test_a_model_is_of_the_run_that_put_it_out_too(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("r1"),
            call("set_logged_model", "m-2", at(2, 2), name="net", lifecycle="deleted"),
            call("use_model", "r1", ModelUse("m-2", "output", 3), at(3, 3)),
        )
        for thing in ("r1", "m-2"):
            graph = self.graph(reader, thing)
            assert self.links_of(graph) == [("r1", "m-2", "made")], thing
            assert [node.is_deleted for node in graph.nodes if node.kind == "logged_model"] == [True]

    def test_rings_end(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            starting("a"),
            logging("a", "x", MODEL, 2),
            taking("a", "a", "x", MODEL, 3),
            call("set_tags", "a", {REPRODUCES_TAG: "a"}, at(4, 4)),
        )
        assert self.links_of(self.graph(reader, "a")) == [
            ("a:x", "a", "used"),
            ("a", "a:x", "made"),
            ("a", "a", "reproduction"),
        ]

    # -- bounds --------------------------------------------------------------------------------------------

    def test_depth_is_counted_in_links_each_way(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *CHAIN)
        found = [len(self.graph(reader, "train", depth=depth).nodes) for depth in range(5)]
        assert found == [1, 3, 5, 7, 8]
        complete = [self.graph(reader, "train", depth=depth).is_complete for depth in range(6)]
        assert complete == [False, False, False, False, True, True]

    def test_the_limit_is_of_nodes(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *(using(f"r{n}", RAW, n) for n in range(1, 30)))
        graph = self.graph(reader, "r7", limit=10)
        assert len(graph.nodes) == 2 and graph.is_complete
        graph = self.graph(reader, RAW, limit=10)
        assert len(graph.nodes) == 10 and not graph.is_complete
        assert {edge.target[1] for edge in graph.edges} == {f"r{n}" for n in range(1, 10)}, "the first ones"
        whole = self.graph(reader, RAW, limit=30)
        assert len(whole.nodes) == 30 and whole.is_complete

    def test_of_many_artifacts_those_that_lead_on_are_shown(self, store: Store, reader: TenantReader) -> None:
        self.tell(
            store,
            *(logging("r1", f"{n:03}.pt", f"{n:064x}", n) for n in range(1, 60)),
            logging("r1", ".lineal/code/patch.diff", OTHER, 70),
            taking("r2", "r1", "055.pt", f"{55:064x}", 80),
        )
        graph = self.graph(reader, "r1")
        shown = {node.name for node in graph.nodes if node.kind == "artifact"}
        assert shown == {f"{n:03}.pt" for n in (*range(1, LINEAGE_ARTIFACTS_COUNT + 1), 55)}
        assert not graph.is_complete

    def test_bounds_that_cannot_be_used(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, starting("r1"))
        wrong = ({"depth": -1}, {"depth": LINEAGE_MAX_DEPTH + 1}, {"limit": 0}, {"limit": LINEAGE_NODES_MAX_COUNT + 1})
        for bounds in (*wrong, {"kind": "model"}):
            with pytest.raises(InvalidInput) as refused:
                self.graph(reader, "r1", **bounds)
            assert refused.value.field == next(iter(bounds))

    # -- what is asked about -------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("text", "start"),
        [
            ("train", ("run", "train")),
            ("tra", ("run", "train")),
            ("clean:out/clean.csv", ("artifact", "clean:out/clean.csv")),
            ("cle:out/clean.csv@1", ("artifact", "clean:out/clean.csv")),
            (f"clean:out/clean.csv@{CLEAN[:12]}", ("artifact", "clean:out/clean.csv")),
            ("raw", ("dataset", RAW)),
            ("raw@2.1", ("dataset", RAW)),
            (f"raw@{RAW[:8]}", ("dataset", RAW)),
            (RAW[:8], ("dataset", RAW)),
            (RAW, ("dataset", RAW)),
            ("digits@best", ("model_version", VERSION)),
            ("digits/1", ("model_version", VERSION)),
            ("digits/none", ("model_version", VERSION)),
            (VERSION, ("model_version", VERSION)),
        ],
    )
    def test_names_of_things(self, store: Store, reader: TenantReader, text: str, start: tuple[str, str]) -> None:
        self.tell(store, *CHAIN, lambda writer: writer.registry().set_alias("digits", "best", VERSION, at(50, 50)))
        assert self.graph(reader, text).start == start
        assert self.graph(reader, text, kind=start[0]).start == start
        assert self.graph(reader, start[1]).start == start, "an id is a name"

    def test_a_kind_decides_where_a_name_is_of_two(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *CHAIN, using("clean", OTHER, 50, "train"))
        assert self.graph(reader, "train").start == ("run", "train")
        with pytest.raises(InvalidInput, match="2 datasets"):
            self.graph(reader, "train", kind="dataset")
        assert self.graph(reader, f"train@{OTHER[:8]}", kind="dataset").start == ("dataset", OTHER)

    def test_what_is_nothing(self, store: Store, reader: TenantReader) -> None:
        with pytest.raises(NotFound):
            self.graph(reader, "r1")
        self.tell(store, *CHAIN, starting("trail"))
        things = (
            "",
            " ",
            "x",
            "x:y",
            "clean:nothing",
            "digits/9x",
            "digits@no",
            "a1a1a1a",
            "9" * 32,
            "raw@9",
            "clean:",
        )
        for thing in things:
            with pytest.raises(NotFound):
                self.graph(reader, thing)
        with pytest.raises(NotFound):
            self.graph(reader, "train", kind="artifact")
        with pytest.raises(InvalidInput, match="several"):
            self.graph(reader, "tra")
        with pytest.raises(NotFound):
            self.graph(store.tenant("other"), "train")

    def test_tenants_are_apart(self, store: Store, reader: TenantReader) -> None:
        self.tell(store, *CHAIN)
        with store.begin() as transaction:
            other = transaction.tenant("other")
            for said in (starting("theirs"), using("theirs", CLEAN, 60), logging("theirs", "x", RAW, 5)):
                said(other)
        assert "theirs" not in self.ids_of(self.graph(reader, CLEAN))
        assert self.ids_of(self.graph(store.tenant("other"), CLEAN)) == ["theirs:x", CLEAN, "theirs"]
