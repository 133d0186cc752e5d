"""The comparison itself: what differs is found, what differs by nature is not."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any

from tests.compat.compare import differences

RUN, MODEL, OTHER = "a" * 32, "m-" + "b" * 32, "c" * 32


def found(run: str = RUN, model: str = MODEL, experiment: str = "1", now: int = 1_000_000_000_000) -> dict[str, Any]:
    info = {
        "run_id": run,
        "run_name": "one",
        "start_time": now + 5,
        "artifact_uri": f"mlflow-artifacts:/{experiment}/{run}/artifacts",
    }
    kept = {
        "digits": {
            "experiment": {"experiment_id": experiment, "name": "digits"},
            "runs": [{"info": info, "metrics": {"loss": 0.5}}],
        }
    }
    said = {
        "runs": {
            "model": model,
            "again": model,
            "name": f"{'brave-fox-12' if run == RUN else 'calm-owl-7'}",
            "at": 1_000,
            "it": run,
        }
    }
    return {"began_ms": now, "ended_ms": now + 10, "said": said, "broke": {}, "kept": kept}


def test_ids_times_and_invented_names_are_not_differences() -> None:
    assert not differences(found(), found(OTHER, "m-" + "d" * 32, "1234567890123456789", 1_000_000_900_000))


def test_a_value_is() -> None:
    other = copy.deepcopy(found())
    other["kept"]["digits"]["runs"][0]["metrics"]["loss"] = 0.25
    assert differences(found(), other) == {"kept > digits > runs [0] > metrics > loss": (0.5, 0.25)}


def test_a_missing_field_and_an_extra_one_are() -> None:
    other = copy.deepcopy(found())
    other["said"]["runs"]["more"] = other["said"]["runs"].pop("at")
    assert differences(found(), other) == {
        "said > runs > at": (1_000, "<nothing>"),
        "said > runs > more": ("<nothing>", 1_000),
    }


def test_another_id_where_the_same_was_is() -> None:
    other = copy.deepcopy(found())
    other["said"]["runs"]["again"] = "m-" + "e" * 32
    other["said"]["runs"]["it"] = OTHER
    assert set(differences(found(), other)) == {"said > runs > again", "said > runs > it"}


def test_a_time_that_was_given_is_compared() -> None:
    other = copy.deepcopy(found())
    other["said"]["runs"]["at"] = 1_001
    assert list(differences(found(), other)) == ["said > runs > at"]


def test_every_test_of_mlflows_own_that_differs_stands_in_the_docs_with_its_reason() -> None:
    declared = tomllib.loads((Path(__file__).parent / "own" / "differences.toml").read_text())["difference"]
    wanted = [
        (", ".join(f"`{pattern.rstrip('*').removesuffix('[[]')}`" for pattern in one["tests"]), one["why"])
        for one in declared
    ]
    docs = (Path(__file__).resolve().parents[2] / "docs" / "mlflow.md").read_text()
    section = docs.partition("### MLflow's own tests that differ")[2].partition("\n###")[0]
    rows = re.findall(r"^\| (`test_.+?) \| (.+) \|$", section, re.MULTILINE)
    assert rows == wanted
