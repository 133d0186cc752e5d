"""What loading a model costs in memory: its size once, and what its format's own reader needs besides. Each is loaded in a process
whose address space is bounded by the kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import lineal

SRC = Path(__file__).resolve().parents[3] / "src"
MIB = 1 << 20
SIZE = 48 * MIB
CHILD = """
import resource, sys
import lineal

name, allowed = sys.argv[1], int(sys.argv[2])
lineal.load_model(f"{name}-small/1", trust=True)  # all modules are there
[pages] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")]
resource.setrlimit(resource.RLIMIT_AS, (pages * 1024 + allowed,) * 2)
model = lineal.load_model(f"{name}/1", trust=True)
print("loaded")
"""


def arrays(size: int, count: int) -> dict[str, np.ndarray]:
    return {f"w{number}": np.full(size // count, number, np.uint8) for number in range(count)}


def log(run: lineal.Run, name: str, format: str, size: int, folder: Path) -> None:
    if format == "safetensors":
        run.log_model(name, arrays(size, 1))
    elif format == "onnx":
        graph = helper.make_graph([], "g", [], [])
        for key, array in arrays(size, 8).items():
            graph.initializer.append(numpy_helper.from_array(array, key))
        place = folder / name
        place.mkdir()
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        onnx.save_model(model, place / "model.onnx", save_as_external_data=True, location="weights", size_threshold=0)
        run.log_model(name, place)
    else:
        run.log_model(name, arrays(size, 8), format=format)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the size of a process is read from /proc")
@pytest.mark.parametrize(
    ("format", "times"),
    [
        ("safetensors", 1.0),
        ("joblib", 1.0),
        ("pickle", 1.0),
        # protobuf holds a tensor's bytes beside the message, and skops the bytes of all arrays until it has made them
        ("onnx", 1.0 + 2 / 8),
        ("skops", 2.0),
    ],
)
def test_a_large_model_costs_its_size_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, times: float
) -> None:
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    with lineal.init("exp") as run:
        log(run, "model-small", format, 64, tmp_path)
        log(run, "model", format, SIZE, tmp_path)
    allowed = int(times * SIZE) + 8 * MIB
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "model", str(allowed)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SRC), "LINEAL_URL": str(tmp_path / "notebook")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "loaded\n", done.stderr[-2000:]


def test_the_bound_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that held the file as well would be refused."""
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    with lineal.init("exp") as run:
        log(run, "model-small", "joblib", 64, tmp_path)
        log(run, "model", "joblib", SIZE, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD.replace("print", "more = bytes(32 << 20); print"), "model", str(SIZE + 8 * MIB)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SRC), "LINEAL_URL": str(tmp_path / "notebook")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1 and "MemoryError" in done.stderr
