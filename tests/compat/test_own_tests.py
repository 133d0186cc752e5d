"""The command that runs MLflow's own tests fails where one of them differs and nobody said why. (The tests themselves are not here.)"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.compat import own_tests

SUITE = own_tests.SUITES["rest tracking"]
ASKED = ["POST /api/2.0/mlflow/runs/create"]
THERE = {f"{SUITE}::test_{name}": "passed" for name in ("one", "two", "three")}
DECLARED = next(pattern for pattern in own_tests.reasons() if not set(pattern) & set("*?["))

Main = Callable[..., int]


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Main:
    """`main(outcomes here, *arguments)`, over reports as pytest's plugin writes them."""

    def call(here: dict[str, str], *arguments: str, stock: dict[str, str] = THERE) -> int:
        def run(
            checkout: Path, suites: list[str], report: Path, more: Any, words: Any, only: Iterable[str] = ()
        ) -> None:
            said = here if more else stock
            report.parent.mkdir(parents=True, exist_ok=True)
            lines = [
                json.dumps({"test": test, "outcome": how, "why": "", "asked": ASKED}) for test, how in said.items()
            ]
            report.write_text("\n".join(lines))

        monkeypatch.setattr(own_tests, "_run", run)
        monkeypatch.setattr("sys.argv", ["own_tests", str(tmp_path), "--suite", "rest tracking", *arguments])
        return own_tests.main()

    @contextmanager
    def lineal(store: str) -> Iterator[dict[str, str]]:
        yield {"COMPAT_URL": "http://localhost:1"}

    monkeypatch.setattr(own_tests, "BUILD", tmp_path / "build")
    monkeypatch.setattr(own_tests, "_lineal", lineal)
    monkeypatch.setattr(own_tests, "counts", lambda: {"rest tracking": 2})
    return call


def test_all_pass(main: Main) -> None:
    assert main(THERE) == 0


def test_one_that_differs_without_a_reason_fails(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    failed = f"{SUITE}::test_two"
    assert main({**THERE, failed: "failed"}) == 1
    said = capsys.readouterr().out
    assert f"DIFFERS  {failed}" in said and "1 differ without being declared." in said


def test_one_that_was_not_run_fails(main: Main) -> None:
    here = dict(list(THERE.items())[:2])
    assert main(here) == 1
    assert main(here, "-k", "one or two") == 0  # it was not asked for


def test_a_declared_difference_passes(main: Main) -> None:
    test = f"{SUITE}::{DECLARED}"
    assert main({**THERE, test: "failed"}, stock={**THERE, test: "passed"}) == 0


def test_a_run_of_nothing_fails(main: Main) -> None:
    assert main({}) == 1
    assert main({}, "--stock-only") == 0


def test_what_the_stock_server_does_not_pass_is_not_held_to(main: Main) -> None:
    test = f"{SUITE}::test_two"
    assert main({**THERE, test: "failed"}, stock={**THERE, test: "failed"}) == 0


def test_a_stock_server_that_failed_on_a_busy_machine_is_said(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    """Else what it failed would be asked of nobody, and all that is left would pass."""
    busy = {test: "passed" if test.endswith("one") else "failed" for test in THERE}
    assert main(THERE, stock=busy) == 1
    assert "rest tracking: held to 1 of 2" in capsys.readouterr().out
    assert main(THERE, "--stock-only") == 1  # it was kept
    assert main(THERE, "--again") == 0


def test_every_suite_has_its_count() -> None:
    assert own_tests.counts().keys() == own_tests.SUITES.keys()
