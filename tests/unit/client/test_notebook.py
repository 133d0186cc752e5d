"""In a notebook a cell is run again and again: each time a new run, the one before finished, not left open."""

from __future__ import annotations

import pytest

import lineal

interactiveshell = pytest.importorskip("IPython.core.interactiveshell")


@pytest.fixture
def shell(tmp_path):
    shell = interactiveshell.InteractiveShell.instance()
    shell.user_ns["folder"] = str(tmp_path / "notebook")
    yield shell
    run = lineal.api.current_run()
    if run is not None:
        run.finish()
    interactiveshell.InteractiveShell.clear_instance()


def test_init_in_a_cell_that_is_run_again_finishes_the_run_before(shell, tmp_path):
    cell = "import lineal\nrun = lineal.init(url=folder)\nrun.log({'loss': 1.0})"
    for _ in range(3):
        assert shell.run_cell(cell).success
    statuses = [run.status for run in lineal.runs(url=tmp_path / "notebook")]
    assert sorted(statuses) == ["finished", "finished", "running"]


def test_a_failing_cell_within_with_is_a_failed_run(shell, tmp_path, capsys):
    result = shell.run_cell("import lineal\nwith lineal.init(url=folder) as run:\n    1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    (run,) = lineal.runs(url=tmp_path / "notebook")
    assert run.status == "failed"
    assert "ZeroDivisionError" in (run.attempts[0].error or "")
