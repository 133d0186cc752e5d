"""`lineal runs export` on real folders: what is written reads back as what was logged."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import lineal
from lineal.cli import export_rows, export_text
from lineal.store import run_view

SRC = Path(__file__).resolve().parents[3] / "src"
ODD = 'a,b "quoted"\nline, \x1b[2J 😀'


@pytest.fixture
def odd(folder: Path) -> list[str]:
    """Three runs of values that are easily lost; their ids, newest first."""
    with lineal.init(
        "first",
        ODD,
        params={"lr": 0.1, "n": 2**53 + 1, "mixed": 1, "none": None, ODD: ODD},
        tags={"t": ODD},
        url=folder,
    ) as one:
        for step in range(3):
            one.log({"loss": 1 / (step + 1), "count": 2**53 + step}, step=step)
        one.log({"loss": math.nan}, step=1.5)
        one.log({"loss": -math.inf}, step=0)
    with lineal.init("second", "two", run_id="two", params={"lr": 1, "mixed": "text", "flag": True}, url=folder) as two:
        two.log({"up": math.inf, "count": 7})
    with lineal.init("second", "three", run_id="three", rank=1, url=folder) as three:
        three.log({"loss": 0.5}, step=0)
    found = [run.run_id for run in lineal.runs(url=folder)]
    assert sorted(found) == sorted([one.run_id, "two", "three"])
    return found


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["run_id"]: row for row in rows}


# -- runs ---------------------------------------------------------------------------------------


def test_csv_of_runs(invoke, odd: list[str]) -> None:
    rows = table(invoke("runs", "export").stdout)
    assert [row["run_id"] for row in rows] == odd
    first = next(row for row in rows if row["experiment"] == "first")
    assert (first["name"], first["tags.t"], first[f"params.{ODD}"]) == (ODD, ODD, ODD)
    assert (first["params.lr"], first["params.n"], first["params.none"]) == ("0.1", str(2**53 + 1), "None")
    assert (first["metrics.loss"], first["metrics.count"]) == ("-Infinity", str(2**53 + 2))
    two = by_id(rows)["two"]
    assert (two["metrics.up"], two["params.flag"], two["params.none"], two["metrics.loss"]) == (
        "Infinity",
        "True",
        "",
        "",
    )
    columns = list(first)
    assert columns[: len(export_rows.ATTRIBUTES)] == list(export_rows.ATTRIBUTES)
    groups = [name.partition(".")[0] for name in columns[len(export_rows.ATTRIBUTES) :]]
    assert groups == sorted(groups, key=["params", "metrics", "tags"].index)


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_json_of_runs_has_the_rest_run_and_typed_params(invoke, ask, odd: list[str], format_: str) -> None:
    text = invoke("runs", "export", "--format", format_).stdout
    if format_ == "json":
        answer = json.loads(text, parse_constant=pytest.fail)
        assert answer["total"] == 3
        runs = answer["runs"]
    else:
        runs = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    listed = ask("runs", "list")["runs"]
    assert [{**run, "experiment": None, "typed_params": None} for run in runs] == [
        {**run, "experiment": None, "typed_params": None} for run in listed
    ]
    two = by_id(runs)["two"]
    assert two["typed_params"] == {"lr": 1, "mixed": "text", "flag": True}
    assert (two["experiment"], two["metrics"]["up"]) == ("second", "Infinity")


def test_json_flag_without_a_file_is_the_json_format(ask, odd: list[str]) -> None:
    assert ask("runs", "export")["total"] == 3
    assert set(ask("runs", "export", "--points")) == {"points", "total"}


def test_parquet_of_runs_keeps_types(invoke, odd: list[str], tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    result = invoke("runs", "export", "-o", str(file))
    assert result.stdout.startswith(f"Wrote 3 runs to {file} (")
    frame = pl.read_parquet(file)
    assert frame["run_id"].to_list() == odd
    assert frame.schema["params.n"] == pl.Int64 and frame.schema["params.lr"] == pl.Float64
    assert frame.schema["params.flag"] == pl.Boolean and frame.schema["params.mixed"] == pl.String
    assert frame.schema["start_time"] == pl.Datetime("ms", "UTC")
    first = frame.row(by_predicate=pl.col("experiment") == "first", named=True)
    assert (first["params.n"], first["params.lr"], first["params.mixed"]) == (2**53 + 1, 0.1, "1")
    assert (first["metrics.loss"], first["metrics.count"], first["name"]) == (-math.inf, 2**53 + 2, ODD)
    assert first["metrics.up"] is None


def test_filter_order_experiment_and_deleted(invoke, folder: Path, odd: list[str]) -> None:
    def ids(*arguments: str) -> list[str]:
        return [row["run_id"] for row in table(invoke("runs", "export", *arguments).stdout)]

    assert ids("params.mixed = 'text'") == ["two"]
    assert ids("--experiment", "second") == ["two"]
    assert ids("--order-by", "run_id desc")[:2] == sorted(odd)[:0:-1]
    assert ids("--order-by", "metrics.count", "--order-by", "name")[0] == "two"
    lineal.delete_run("two", url=folder)
    assert ids("--deleted") == ["two"] and "two" not in ids()
    assert ids("params.lr = 99") == []


def test_pages_join_without_a_seam(invoke, sweep: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.cli.selection._PAGE_COUNT", 2)
    monkeypatch.setattr(export_rows, "_PAGE_COUNT", 2)
    assert [row["run_id"] for row in table(invoke("runs", "export").stdout)] == sweep[::-1]


# -- points -------------------------------------------------------------------------------------


def expected(folder: Path) -> list[tuple[str, str, str, float, str]]:
    """What the store says, read by the Python API."""
    found = []
    for run in lineal.runs(url=folder):
        for info in {info.key[:2]: info for info in run.series}.values():
            labels = dict(info.key.labels)
            history = run.history(info.key.name, labels=labels)
            text = json.dumps(labels, separators=(",", ":"))
            for step, value in zip(history.step.tolist(), history.value.tolist(), strict=True):
                found.append((run.run_id, info.key.name, text, float(step), str(float(value))))
    return found


def test_csv_quotes_every_line_end(invoke, folder: Path) -> None:
    for name in ("a\rb", "a\nb", "a\r\nb", "\r", "=1+1"):
        lineal.init("ends", name, params={f"p{name}": name}, url=folder).finish()
    text = invoke("runs", "export", "experiment = 'ends'").stdout_bytes.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sorted(row["name"] for row in rows) == sorted(("a\rb", "a\nb", "a\r\nb", "\r", "=1+1"))
    assert all(row[f"params.p{row['name']}"] == row["name"] for row in rows)


def test_csv_of_points_is_bit_exact(invoke, folder: Path, odd: list[str]) -> None:
    rows = table(invoke("runs", "export", "--points").stdout)
    assert list(rows[0]) == list(export_text.POINT_COLUMNS)
    count = [row["value"] for row in rows if row["metric"] == "count" and row["run_id"] not in ("two", "three")]
    assert count == [str(2**53 + step) for step in range(3)]
    loss = [
        (float(row["step"]), row["value"])
        for row in rows
        if row["metric"] == "loss" and row["run_id"] not in ("two", "three")
    ]
    assert sorted(loss) == sorted([(0, "1.0"), (1, "0.5"), (2, repr(1 / 3)), (1.5, "NaN"), (0, "-Infinity")])
    [ranked] = [row for row in rows if row["run_id"] == "three"]
    assert json.loads(ranked["labels"]) == {"rank": "1"}
    read = [
        (row["run_id"], row["metric"], row["labels"] or "{}", float(row["step"]), str(float(row["value"])))
        for row in rows
    ]
    assert sorted(read) == sorted(expected(folder))


def test_json_lines_of_points(invoke, odd: list[str]) -> None:
    points = [
        json.loads(line) for line in invoke("runs", "export", "--points", "--format", "jsonl").stdout.splitlines()
    ]
    assert {"run_id", "metric", "labels", "attempt", "step", "time_ms", "value"} == set(points[0])
    assert {point["value"] for point in points if point["run_id"] == "two"} == {"Infinity", 7}
    assert [point["labels"] for point in points if point["run_id"] == "three"] == [{"rank": "1"}]
    assert all(isinstance(point["time_ms"], int) for point in points)


def test_parquet_of_points(invoke, odd: list[str], tmp_path: Path) -> None:
    file = tmp_path / "points.parquet"
    invoke("runs", "export", "--points", "-o", str(file))
    frame = pl.read_parquet(file)
    rows = table(invoke("runs", "export", "--points").stdout)
    assert frame["metric"].to_list() == [row["metric"] for row in rows]
    values = [float(row["value"]) for row in rows]
    assert [math.isnan(value) for value in frame["value"]] == [math.isnan(value) for value in values]
    assert [value for value in frame["value"] if value == value] == [value for value in values if value == value]


def test_one_metric_only(invoke, odd: list[str]) -> None:
    rows = table(invoke("runs", "export", "--points", "--metric", "up", "--metric", "count").stdout)
    assert {row["metric"] for row in rows} == {"up", "count"}


def test_many_small_readings_give_the_same(invoke, odd: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = invoke("runs", "export", "--points").stdout
    monkeypatch.setattr(export_rows, "_POINTS_OF_READING", 1)
    monkeypatch.setattr(export_rows, "_ROWS_OF_SLICE", 2)
    assert sorted(invoke("runs", "export", "--points").stdout.splitlines()) == sorted(whole.splitlines())


def test_a_fork_exports_what_it_logged_itself(invoke, folder: Path) -> None:
    with lineal.init("e", run_id="stem", url=folder) as run:
        for step in range(4):
            run.log({"loss": step}, step=step)
    with lineal.init("e", run_id="fork", fork_from="stem@1", url=folder) as run:
        run.log({"loss": 9.0}, step=2)
    rows = table(invoke("runs", "export", "--points", "run_id = 'fork'").stdout)
    assert [(row["run_id"], row["step"]) for row in rows] == [("fork", "2")]


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.csv", "run_id,"),
        ("a.json", '{"runs": ['),
        ("a.jsonl", '{"run_id":'),
        ("a.ndjson", '{"run_id":'),
        ("a.txt", "run_id,"),
    ],
)
def test_the_suffix_decides_the_format(invoke, odd: list[str], tmp_path: Path, name: str, begins: str) -> None:
    result = invoke("runs", "export", "-o", str(tmp_path / name))
    assert result.stdout.startswith("Wrote 3 runs to ")
    assert (tmp_path / name).read_text().startswith(begins)


def test_json_says_what_was_written(ask, odd: list[str], tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    answer = ask("runs", "export", "-o", str(file))
    assert answer == {
        "file": str(file),
        "format": "csv",
        "kind": "runs",
        "count": 3,
        "size_bytes": file.stat().st_size,
    }


@pytest.mark.parametrize("format_", ["csv", "json", "jsonl", "parquet"])
def test_a_file_is_there_whole_or_as_it_was(
    invoke, odd: list[str], tmp_path: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    place.mkdir()
    file = place / f"runs.{format_}"
    file.write_text("as it was")
    real = run_view.run_dict
    calls = []

    def fails(*arguments: Any) -> dict[str, Any]:
        calls.append(1)
        if len(calls) > 2:
            raise OSError(28, "No space left on device", str(file))
        return real(*arguments)

    monkeypatch.setattr("lineal.cli.export_rows.run_dict", fails)
    result = invoke("runs", "export", "-o", str(file))
    assert (result.exit_code, "No space left" in result.stderr) == (5, True)
    assert file.read_text() == "as it was"
    assert [path.name for path in place.iterdir()] == [file.name]
    monkeypatch.setattr("lineal.cli.export_rows.run_dict", real)
    assert invoke("runs", "export", "-o", str(file)).exit_code == 0
    assert [path.name for path in place.iterdir()] == [file.name]


def test_a_link_is_followed_and_a_device_written(invoke, odd: list[str], tmp_path: Path) -> None:
    target = tmp_path / "target.csv"
    target.write_text("old")
    (tmp_path / "link.csv").symlink_to(target)
    assert invoke("runs", "export", "-o", str(tmp_path / "link.csv")).exit_code == 0
    assert (tmp_path / "link.csv").is_symlink() and target.read_text().startswith("run_id")
    assert invoke("runs", "export", "-o", os.devnull).exit_code == 0
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--format", "xml"], 2, "xml"),
        (["--format", "parquet"], 2, "-o FILE"),
        (["--metric", "loss"], 2, "--points"),
        (["--json", "--format", "csv"], 2, "-o FILE"),
        (["params.lr >"], 2, ""),
        (["-o", "."], 2, "folder"),
        (["-o", "nowhere/runs.csv"], 5, "nowhere"),
    ],
)
def test_what_cannot_be_exported(
    invoke,
    odd: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("runs", "export", *arguments)
    assert result.exit_code == status
    assert said in result.stderr


def test_parquet_without_polars_says_what_to_install(
    invoke, odd: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = invoke("runs", "export", "-o", str(tmp_path / "a.parquet"))
    assert (result.exit_code, "pip install polars" in result.stderr) == (2, True)
    assert not (tmp_path / "a.parquet").exists()


def test_nothing_to_export(invoke, folder: Path, tmp_path: Path) -> None:
    assert table(invoke("runs", "export").stdout) == []
    assert json.loads(invoke("runs", "export", "--format", "json").stdout) == {"runs": [], "total": 0}
    assert invoke("runs", "export", "--points", "--format", "jsonl").stdout == ""
    for option in ([], ["--points"]):
        file = tmp_path / "empty.parquet"
        assert invoke("runs", "export", *option, "-o", str(file)).exit_code == 0
        assert len(pl.read_parquet(file)) == 0


def test_memory_does_not_grow_with_the_runs(folder: Path) -> None:
    """Rows are made when they are written, not before."""
    with lineal.open_store(folder) as store:
        for number in range(7):
            with lineal.init("e", f"run {number}", url=folder):
                pass
        from lineal.cli.selection import matching

        asked: list[int] = []
        export_page, export_rows._PAGE_COUNT = export_rows._PAGE_COUNT, 3
        try:
            rows = export_rows.run_rows(store, matching(store, ""), asked.append)
            next(rows)
            assert asked == []
            for _ in range(3):
                next(rows)
            assert asked == [3]
            assert len(list(rows)) == 3 and asked == [3, 3, 1]
        finally:
            export_rows._PAGE_COUNT = export_page


def test_progress_goes_to_standard_error(folder: Path, odd: list[str], tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", "runs", "export"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder), "TERM": "xterm"},
        text=True,
        timeout=60,
    )
    os.close(theirs)
    seen = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "Exporting runs" in seen
    assert len(table(done.stdout)) == 3


def test_text_is_exported_as_it_was_logged(invoke, folder: Path) -> None:
    """Also where a spreadsheet would take it for a formula: what is read back is what was said."""
    formulas = ("=1+1", "+1", "-1", "@sum(a1)", "'=1", "\t=1")
    with lineal.init("sheets", "=name", params={f"p{n}": text for n, text in enumerate(formulas)}, url=folder):
        pass
    text = invoke("runs", "export", "--format", "csv").stdout
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert [row[f"params.p{n}"] for n in range(len(formulas))] == list(formulas)
    assert row["name"] == "=name"
