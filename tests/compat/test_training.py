"""What the comparison of trainings counts, and the one difference that it lets be; the trainings run by `make compat`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from tests.compat.training import REST, SCRIPTS, last_points, script_of, table

HERE = Path(__file__).parent
# name, value, step, dataset, digest, run
POINTS = [
    ["loss", 0.1, 10, None, None, "r"],
    ["loss", 0.5, 2, None, None, "r"],
    ["loss", 0.7, 1, "train", "d", "r"],
]


def found(points: list[list[Any]]) -> dict[str, Any]:
    kept = {
        "xgboost": {
            "experiment": {"experiment_id": "1", "name": "xgboost"},
            "runs": [{"info": {"run_id": "a" * 32, "run_name": "one"}, "metrics": {"loss": 0.1}}],
            "logged models": [{"name": "model", "metrics": points}],
        },
        "registered models": [],
    }
    said = {"xgboost_autolog": {"loaded": [1]}}
    return {"client": "3", "began_ms": 10**12, "ended_ms": 10**12, "said": said, "broke": {}, "kept": kept}


def test_every_script_is_there() -> None:
    assert all((HERE / "scripts" / f"{script}.py").exists() for script in SCRIPTS)


def test_of_a_logged_models_metrics_the_last_points_are_compared() -> None:
    whole, left_out = last_points(found(POINTS))
    assert left_out == 1
    last, none = last_points(found([POINTS[0], POINTS[2]]))
    assert none == 0
    assert whole == last


def test_an_earlier_point_is_no_last_one() -> None:
    whole, _ = last_points(found(POINTS))
    earlier, _ = last_points(found([POINTS[1], POINTS[2]]))
    assert whole != earlier


def test_fields_belong_to_the_script_that_made_them() -> None:
    assert script_of("kept > lightning logger > runs [0] > info") == "lightning_training"
    assert script_of("said > optuna_callback > best") == "optuna_callback"
    assert script_of("kept > Default > experiment > name") == REST


def test_a_difference_is_in_the_row_of_its_script() -> None:
    other = copy.deepcopy(found(POINTS))
    other["kept"]["xgboost"]["runs"][0]["metrics"]["loss"] = 0.2
    rows = {line[:24].strip(): line[24:].split() for line in table(found(POINTS), other)}
    assert rows["xgboost_autolog"][0] == "1"
    assert rows["xgboost_autolog"][-1] == "1"
    assert rows[REST][-1] == "0"
    assert rows["all"][-1] == "1"
