"""Metrics below system/ say what the machine did: they disturb neither steps nor comparisons, and have labels of their own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.journal.points import Labelled
from lineal.model.vocabulary import is_system

NOW_NS = time.time_ns()
LABELS = (("gpu", "0"), ("host", "box"))


def say(run: lineal.Run, step: int, value: float) -> None:
    """As the sampler does."""
    assert run._journal.append_points({Labelled("system/gpu/power_watts", LABELS): value}, step, NOW_NS)


def test_labelled_series_beside_others_of_the_same_name(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run:
        for step in range(3):
            say(run, 1_000 + step, float(step))
            run.log({"system/gpu/power_watts": -1.0}, step=step)
    read = lineal.get_run(run.run_id, url=tmp_path)
    assert {(info.key.name, info.key.labels) for info in read.series} == {
        ("system/gpu/power_watts", ()),
        ("system/gpu/power_watts", LABELS),
    }
    assert read.history("system/gpu/power_watts", labels=dict(LABELS)).value.tolist() == [0.0, 1.0, 2.0]
    assert read.history("system/gpu/power_watts", labels=dict(LABELS)).step.tolist() == [1_000, 1_001, 1_002]


def test_a_ranks_own_label_is_kept_beside_them(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run, lineal.init("e", url=tmp_path, run_id=run.run_id, rank=3) as other:
        say(other, 1, 5.0)
    [info] = lineal.get_run(run.run_id, url=tmp_path).series
    assert info.key.labels == (("gpu", "0"), ("host", "box"), ("rank", "3"))


def test_a_tuple_is_no_name_of_a_users_metric(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run:
        run.log({("system/x", (("host", "box"),)): 1.0})  # type: ignore[dict-item]
    read = lineal.get_run(run.run_id, url=tmp_path)
    assert not read.series and read.losses == {"bad_name": 1}


def test_automatic_steps_of_a_resumed_run_are_not_disturbed(tmp_path: Path) -> None:
    with lineal.init("e", url=tmp_path) as run:
        run.log({"loss": 1.0})
        run.log({"system/temperature": 60.0}, step=5_000)
        say(run, 1_764_000_000, 200.0)
    with lineal.init("e", url=tmp_path, run_id=run.run_id, resume="must") as again:
        again.log({"loss": 0.5})
    assert lineal.get_run(run.run_id, url=tmp_path).history("loss").step.tolist() == [0, 1]


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """The first is best in its loss, the second in what the machine did."""
    ids = []
    for loss, percent in ((0.1, 10.0), (0.2, 90.0)):
        with lineal.init("e", url=tmp_path) as run:
            run.log({"loss": loss, "system/cpu_percent": percent, "system/b": percent})
            say(run, 1, percent)
        ids.append(run.run_id)
    return ids


def test_they_are_no_part_of_a_comparison_unless_asked_for(tmp_path: Path, two: list[str]) -> None:
    with lineal.open_store(tmp_path) as store:
        found = store.compare(two)
        assert found.best_run == two[0] and list(found.metrics) == ["loss"]
        asked = store.compare(two, ["system/cpu_percent"])
        assert asked.metrics["system/cpu_percent"].best_run_id == two[1]


def test_they_are_not_what_the_tables_of_the_terminal_show(tmp_path: Path, two: list[str]) -> None:
    def said(*arguments: str) -> str:
        result = CliRunner().invoke(command, [*arguments, "--url", str(tmp_path)], env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.output

    assert "loss" in said("runs", "list") and "system/" not in said("runs", "list")
    assert "loss" in said("runs", "show", two[0]) and "system/" not in said("runs", "show", two[0])
    assert "loss" in said("runs", "diff", *two) and "system/" not in said("runs", "diff", *two)
    asked = said("runs", "list", "--order-by", "metrics.system/cpu_percent desc")
    assert "system/cpu_perc" in asked
    # Who reads by program gets everything.
    series = json.loads(said("runs", "show", two[0], "--json"))["series"]
    assert {one["name"] for one in series if is_system(one["name"])} == {
        "system/cpu_percent",
        "system/b",
        "system/gpu/power_watts",
    }
