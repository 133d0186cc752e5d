"""Real small models trained with what logs to MLflow by itself, against a stock server and against ours: what differs.

    python -m tests.compat.training [--store sqlite|postgresql] [SCRIPT ...]

scikit-learn, XGBoost, LightGBM and PyTorch Lightning under MLflow's autologging, Lightning's MLFlowLogger, Transformers'
MLflowCallback and Optuna's. Their environment (`mlflow_training`) is large, so this is no part of `make test`: scikit-learn's
autologging is."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.compat.compare import differences, drive, flat
from tests.compat.servers import lineal_server, stock_server

Found = dict[str, Any]

# The scripts, and the experiments that each makes.
SCRIPTS = {
    "sklearn_autolog": ("sklearn",),
    "xgboost_autolog": ("xgboost",),
    "lightgbm_autolog": ("lightgbm",),
    "lightning_training": ("lightning logger", "lightning autolog"),
    "transformers_callback": ("transformers",),
    "optuna_callback": ("optuna",),
}
REST = "beside them"  # the default experiment, the registry
_EXPERIMENT_OF = {experiment: script for script, made in SCRIPTS.items() for experiment in made}


def last_points(found: Found) -> tuple[Found, int]:
    """With the last point alone of each metric, run and dataset of a logged model, as Lineal hands them out (docs/mlflow.md
    declares that); and how many others there were."""
    left_out = 0
    kept = dict(found["kept"])
    for name, held in kept.items():
        if not isinstance(held, dict) or not held.get("logged models"):
            continue
        models = []
        for model in held["logged models"]:
            last: dict[tuple[Any, ...], list[Any]] = {}
            for point in sorted(model["metrics"], key=lambda one: one[2]):
                key, _, _, *rest = point
                last[key, *rest] = point
            left_out += len(model["metrics"]) - len(last)
            models.append({**model, "metrics": sorted(last.values(), key=lambda one: (one[0], str(one[3:])))})
        kept[name] = {**held, "logged models": models}
    return {**found, "kept": kept}, left_out


def script_of(path: str) -> str:
    """Whose a field is, by its path."""
    side, name, *_ = [*path.split(" > "), ""]
    return name if side in ("said", "broke") else _EXPERIMENT_OF.get(name, REST)


def table(stock: Found, here: Found) -> Iterator[str]:
    """A row a script: how much was compared, and how much of it differs."""
    runs: Counter[str] = Counter()
    models: Counter[str] = Counter()
    for name, held in stock["kept"].items():
        if isinstance(held, dict):
            runs[_EXPERIMENT_OF.get(name, REST)] += len(held["runs"])
            models[_EXPERIMENT_OF.get(name, REST)] += len(held.get("logged models", []))
    fields = Counter(script_of(path) for path, _ in flat({part: stock[part] for part in ("said", "kept")}))
    differing = Counter(script_of(path) for path in differences(stock, here))
    rows = [*stock["said"], REST]
    yield f"{'script':<24}{'runs':>6}{'models':>8}{'fields':>8}{'differences':>13}"
    for one in rows:
        yield f"{one:<24}{runs[one]:>6}{models[one]:>8}{fields[one]:>8}{differing[one]:>13}"
    sums = [sum(part[one] for one in rows) for part in (runs, models, fields, differing)]
    yield f"{'all':<24}{sums[0]:>6}{sums[1]:>8}{sums[2]:>8}{sums[3]:>13}"


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("scripts", nargs="*", default=list(SCRIPTS), metavar="SCRIPT", help=", ".join(SCRIPTS))
    asked = parser.parse_args()

    def kept_by(server: str) -> Found:
        with stock_server() if server == "stock" else lineal_server(server) as url:
            return drive("mlflow_training", url, asked.scripts)

    with ThreadPoolExecutor(2) as both:
        stock, here = both.map(kept_by, ["stock", asked.store])
    stock, left_out = last_points(stock)
    here, _ = last_points(here)
    broke = [(name, *one) for name, found in (("stock", stock), (asked.store, here)) for one in found["broke"].items()]
    for name, script, trace in broke:
        print(f"{name}: {script}: {trace}")
    found = differences(stock, here)
    for path, (first, second) in found.items():
        print(f"{path}\n    stock {first!r}\n    here  {second!r}")
    print(f"A stock mlflow server (client {stock['client']}) and lineal serve over {asked.store}, field by field:\n")
    print("\n".join(table(stock, here)))
    print(
        f"\nDeclared in docs/mlflow.md: {left_out} earlier points of logged models' metrics, handed out by a stock server."
    )
    sys.exit(1 if broke or found else 0)


if __name__ == "__main__":
    main()
