"""MLflow's own tests, unedited, against a stock MLflow server and against Lineal, through one harness.

    python -m tests.compat.own_tests CHECKOUT [--store sqlite|postgresql] [--suite NAME ...] [--again] [-k EXPRESSION]

CHECKOUT is a folder with MLflow's `tests`, of the commit that `COMMIT` names; none of it is part of this repository, so this
does not run in CI. Lineal is held to what a stock server passes with at least one request sent and that asks only for what
Lineal has (tracking, artifacts, logged models, registry, webhooks): `held to` in the table, and only these are asked of Lineal.
The stock server's results (half an hour, once) are kept below `build/compat` and asked for again by --again.

Exits with status 1 where a test that is held to differs and `own/differences.toml` does not say why (with -k: one of those that were
asked), where none was asked, or where the stock server passed fewer than `[held_to]` there says (a busy machine does that to it).
Each test gets an empty server: a fresh stock process, or a fresh tenant of one `lineal serve`."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.environments import python_of
from tests.compat.servers import lineal_server

COMMIT = "a89bed67689f916c79a8e1c1ad6cfb5cd7649c77"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "compat"
ENVIRONMENT = "mlflow_own_tests"  # the release made next after the commit

SUITES = {
    "rest tracking": "tests/tracking/test_rest_tracking.py",
    "model registry": "tests/tracking/test_model_registry.py",
    "artifacts": "tests/tracking/test_mlflow_artifacts.py",
    "webhooks": "tests/tracking/test_client_webhooks.py",
    "webhooks told": "tests/webhooks/test_e2e.py",
    "SQL tracking store": "tests/store/tracking/sqlalchemy_store/test_sqlalchemy_store.py",
    "SQL registry store": "tests/store/model_registry/test_sqlalchemy_store.py",
}

# What Lineal speaks of MLflow: paths below these, under either prefix.
OURS = re.compile(
    r"/(api|ajax-api)/2\.0/mlflow/(?!runs/create-promptlab-run)"
    r"(experiments|runs|metrics|artifacts|logged-models|registered-models|model-versions|webhooks|upload-artifact)\b"
    r"|/(api|ajax-api)/2\.0/mlflow-artifacts/"
    r"|/(get-artifact|model-versions/get-artifact|version|health)$"
    r"|/(api|ajax-api)/3\.0/mlflow/server-info$"
    r"|^/(logs|reset)$"  # asked of the receiver that webhooks' tests start
)

Result = dict[str, Any]


@contextmanager
def _lineal(store: str) -> Iterator[dict[str, str]]:
    command = shlex.join([sys.executable, "-m", "lineal.cli.main", "serve", "--log", "quiet"])
    with lineal_server(store) as url:
        yield {"COMPAT_URL": url, "COMPAT_LINEAL": command}


def _run(
    checkout: Path, suites: list[str], report: Path, more: dict[str, str], words: list[str], only: Iterable[str] = ()
) -> None:
    """A line of JSON a test into `report`; `only`: the tests that are asked, all of the suites without."""
    python = python_of(ENVIRONMENT)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    environment = {
        **os.environ,
        **more,
        "COMPAT_REPORT": str(report),
        # Their `tests` come from the checkout, `mlflow` from the environment.
        "PYTHONPATH": os.pathsep.join([str(checkout), str(HERE / "own")]),
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "NO_COLOR": "1",
        "CI": "false",
    }
    with tempfile.TemporaryDirectory() as place:
        # Below a folder without pytest settings; their conftest files are found from the paths' own folders.
        command = [str(python), "-m", "pytest", "-q", "-p", "own_plugin", "-p", "no:cacheprovider", "--timeout", "120"]
        command += ["--basetemp", f"{place}/t", "--tb", "short", *words, *suites]
        if only:
            wanted = Path(place) / "wanted"
            wanted.write_text("\n".join(only))
            environment["COMPAT_ONLY"] = str(wanted)
        with report.with_suffix(".log").open("w") as log:
            subprocess.run(command, cwd=checkout, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)


def _read(report: Path) -> dict[str, Result]:
    if not report.exists():
        return {}
    said = [json.loads(line) for line in report.read_text().splitlines()]
    return {one["test"]: one for one in said}


def is_ours(result: Result) -> bool:
    return all(OURS.search(line.split()[1]) for line in result.get("asked", []))


def passed_there(stock: dict[str, Result]) -> dict[str, Result]:
    """What a stock server passes with a request sent."""
    return {test: one for test, one in stock.items() if one["outcome"] == "passed" and one.get("asked")}


def held_to(stock: dict[str, Result]) -> dict[str, Result]:
    """What of it asks only for what Lineal has."""
    return {test: one for test, one in passed_there(stock).items() if is_ours(one)}


def reasons() -> dict[str, str]:
    """Test patterns and why they differ: the declared differences."""
    declared = tomllib.loads((HERE / "own" / "differences.toml").read_text())
    return {pattern: entry["why"] for entry in declared.get("difference", []) for pattern in entry["tests"]}


def reason_of(test: str, known: dict[str, str]) -> str | None:
    short = test.split("::", 1)[1]
    return next((why for pattern, why in known.items() if fnmatch.fnmatchcase(short, pattern)), None)


def undeclared(stock: dict[str, Result], here: dict[str, Result], *, only_run: bool = False) -> list[str]:
    """What Lineal is held to, does not pass, and nobody gave a reason for. `only_run`: of those that were asked at all."""
    known = reasons()
    failed = (test for test in held_to(stock) if here.get(test, {}).get("outcome") != "passed")
    return [test for test in failed if reason_of(test, known) is None and (test in here or not only_run)]


def counts() -> dict[str, int]:
    """By suite, how many tests Lineal is held to, where the stock server had the time that it needs."""
    declared: dict[str, int] = tomllib.loads((HERE / "own" / "differences.toml").read_text())["held_to"]
    return declared


def fewer(stock: dict[str, Result], suites: dict[str, str]) -> list[str]:
    """Suites that are short of tests: what a stock server failed would be asked of nobody, and no one would hear of it."""
    held, wanted = held_to(stock), counts()
    found = {name: sum(test.startswith(path) for test in held) for name, path in suites.items()}
    return [f"{name}: held to {found[name]} of {wanted[name]}" for name in suites if found[name] < wanted[name]]


def _table(stock: dict[str, Result], here: dict[str, Result], suites: dict[str, str]) -> Iterator[str]:
    yield f"{'suite':<22}{'passed there':>14}{'held to':>9}{'here':>6}"
    totals: Counter[str] = Counter()
    held = held_to(stock)
    for name, path in suites.items():
        ours = [test for test in held if test.startswith(path)]
        figures = {
            "there": sum(test.startswith(path) for test in passed_there(stock)),
            "held to": len(ours),
            "here": sum(here.get(test, {}).get("outcome") == "passed" for test in ours),
        }
        totals.update(figures)
        yield _line(name, figures)
    yield _line("all", totals)


def _line(name: str, figures: dict[str, int] | Counter[str]) -> str:
    held, here = figures["held to"], figures["here"]
    share = f"{100 * here / held:>7.1f} %" if held else f"{'-':>8}"
    return f"{name:<22}{figures['there']:>14}{held:>9}{here:>6}{share}"


def _differences(stock: dict[str, Result], here: dict[str, Result]) -> Iterator[str]:
    known = reasons()
    for test in held_to(stock):
        got = here.get(test, {"outcome": "not run", "why": ""})
        if got["outcome"] == "passed":
            continue
        why = reason_of(test, known)
        yield f"{'declared' if why else 'DIFFERS '} {test}"
        first = next(iter(str(got["why"]).splitlines()), "")
        yield f"           {why or first[:200]}"
        if not why and got.get("asked"):
            yield f"           last asked: {got['asked'][-1]}  ({got.get('where', '')})"


def main() -> int:
    """1 where an undeclared test differs, or none was asked."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--suite", choices=list(SUITES), action="append")
    parser.add_argument("--again", action="store_true", help="ask the stock server again")
    parser.add_argument("--stock-only", action="store_true")
    parser.add_argument("-k", dest="words", default="")
    asked = parser.parse_args()
    suites = {name: path for name, path in SUITES.items() if name in (asked.suite or SUITES)}
    words = ["-k", asked.words] if asked.words else []
    stock: dict[str, Result] = {}
    here: dict[str, Result] = {}
    for name, path in suites.items():
        kept = BUILD / "own" / f"stock-{name.replace(' ', '-')}.jsonl"
        if asked.again or not kept.exists():
            _run(asked.checkout, [path], kept, {}, [])
        stock.update(_read(kept))
    if not asked.stock_only:
        report = BUILD / "own" / f"lineal-{asked.store}.jsonl"
        with _lineal(asked.store) as more:
            _run(asked.checkout, list(suites.values()), report, more, words, held_to(stock))
        here = _read(report)
        print("\n".join(_differences(stock, here)))
        print()
    print(
        "What a stock server passes with a request sent, what of it asks only for what Lineal has, and what of that passes here:"
    )
    print("\n".join(_table(stock, here, suites)))
    short = fewer(stock, suites)
    if short:
        print(
            "The stock server failed tests that it passes; ask it --again, on a machine with time:", *short, sep="\n  "
        )
        return 1
    if asked.stock_only:
        return 0
    differ = undeclared(stock, here, only_run=bool(asked.words))
    if differ or not here:
        print(f"{len(differ)} differ without being declared." if here else "Nothing was asked of Lineal.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
