"""Lineage as text: what a run made that led to nothing is one line, and what leads on is drawn."""

from __future__ import annotations

from lineal.cli.lineage_tree import NodeName, tree_lines
from lineal.model.lineage_graph import Edge, LineageGraph, Node

DATA: NodeName = ("dataset", "d" * 64)
RUN: NodeName = ("run", "r1")
VERSION: NodeName = ("model_version", "v1")


def graph(start: NodeName, paths: list[str]) -> LineageGraph:
    files: list[NodeName] = [("artifact", f"r1:{path}") for path in paths]
    nodes = [
        Node("dataset", DATA[1], "digits", digest=DATA[1]),
        Node("run", "r1", "mlp", run_id="r1", status="finished", experiment="e"),
        Node("model_version", "v1", "net", version="1", stage="none"),
        *(Node("artifact", id_, id_.partition(":")[2], run_id="r1", size_bytes=3) for _, id_ in files),
    ]
    edges = [
        Edge(DATA, RUN, "used", "training"),
        *(Edge(RUN, file, "made") for file in files),
        Edge(files[0], VERSION, "version"),
    ]
    return LineageGraph(start, nodes, edges, True)


def test_files_that_led_to_nothing_are_one_line() -> None:
    lines = list(tree_lines(graph(DATA, ["model.bin", "a.txt", "b.txt", "c.txt", "d.txt"])))
    assert lines == [
        "dataset digits@dddddddddddd",
        "led to",
        "└── used by for training: run mlp r1 (e, finished)",
        "    ├── made: artifact r1:model.bin (3 bytes)",
        "    │   └── in: model net/1",
        "    └── made: 4 files that led to nothing (a.txt, b.txt, c.txt, ...)",
    ]


def test_one_file_and_those_of_the_run_itself_are_drawn() -> None:
    assert "    └── made: artifact r1:a.txt (3 bytes)" in list(tree_lines(graph(DATA, ["model.bin", "a.txt"])))
    own = list(tree_lines(graph(RUN, ["model.bin", "a.txt", "b.txt"])))
    assert own[-2:] == ["├── made: artifact r1:a.txt (3 bytes)", "└── made: artifact r1:b.txt (3 bytes)"]
