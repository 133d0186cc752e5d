"""Real small models trained with what logs to MLflow by itself, against a stock server and against ours: what differs.

    python -m tests.compat.training [--store sqlite|postgresql] [SCRIPT ...]

XGBoost, LightGBM and PyTorch Lightning under MLflow's autologging, Lightning's MLFlowLogger, Transformers' MLflowCallback and
Optuna's. Their environment (`mlflow_training`) is large, so this is no part of `make test`: scikit-learn's autologging is."""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.compat.compare import differences, drive, flat
from tests.compat.servers import lineal_server, stock_server

SCRIPTS = [
    "sklearn_autolog",
    "xgboost_autolog",
    "lightgbm_autolog",
    "lightning_training",
    "transformers_callback",
    "optuna_callback",
]

# Declared in docs/mlflow.md: the last point of each metric here, every point that was ever logged there.
HANDED_OUT = re.compile(r"> logged models \[\d+\] > metrics")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("scripts", nargs="*", default=SCRIPTS)
    asked = parser.parse_args()

    def kept_by(server: str) -> dict[str, Any]:
        with stock_server() if server == "stock" else lineal_server(server) as url:
            return drive("mlflow_training", url, asked.scripts)

    with ThreadPoolExecutor(2) as both:
        stock, here = both.map(kept_by, ["stock", asked.store])
    is_sound = True
    for name, found in (("stock", stock), (asked.store, here)):
        for script, broke in found["broke"].items():
            is_sound = False
            print(f"{name}: {script}: {broke}")
    for path, (first, second) in differences(stock, here).items():
        if HANDED_OUT.search(path):
            continue
        is_sound = False
        print(f"{path}\n    stock {first!r}\n    here  {second!r}")
    print(f"{sum(1 for _ in flat([stock['kept'], stock['said']]))} fields compared, of {', '.join(asked.scripts)}")
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
