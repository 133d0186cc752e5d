"""The environments that the comparisons run in: one release of MLflow in each."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from benchmarks.environments import REQUIREMENTS, python_of, requirements_of, text_of

TRACKERS = sorted({path.name.split(".")[0] for path in REQUIREMENTS.glob("mlflow*.txt")})
PARTS = re.compile(r"^(mlflow(?:-skinny|-tracing)?)==(\S+)", re.MULTILINE)
INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps([[one.name, one.version] for one in distributions() if one.name.startswith("mlflow")]))
"""


@pytest.mark.parametrize("tracker", TRACKERS)
def test_one_release_of_mlflow_is_asked_for(tracker: str) -> None:
    """Its three packages hold the same modules: what is installed last stands over what was there, and some of that stays."""
    asked = [pair for path in requirements_of(tracker) for pair in PARTS.findall(text_of(path))]
    assert len(asked) == 1


def test_what_is_included_counts() -> None:
    assert "protobuf<7" in text_of(REQUIREMENTS / "mlflow.txt")  # else a change there would build nothing anew


@pytest.mark.parametrize("tracker", ["mlflow", "mlflow2"])
def test_one_release_of_mlflow_is_there(tracker: str) -> None:
    done = subprocess.run([str(python_of(tracker)), "-c", INSTALLED], capture_output=True, text=True, check=True)
    assert len({version for _, version in json.loads(done.stdout)}) == 1
