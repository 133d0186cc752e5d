"""A run that does what it is told, while a test looks at it.

    python -m tests.browser.live FOLDER EXPERIMENT NAME

prints {"run_id": ...}, then obeys a JSON object a line and answers "ok": {"log": {name: value}, "step": n},
{"tags": {...}}, {"note": "..."}, {"dataset": NAME}, {"finish": "failed"}. The end of standard input finishes the run."""

from __future__ import annotations

import json
import sys

from lineal.api import init


def main() -> None:
    folder, experiment, name = sys.argv[1:4]
    with init(experiment, name, params={"lr": 0.1}, url=folder) as run:
        print(json.dumps({"run_id": run.run_id}), flush=True)
        for line in sys.stdin:
            said = json.loads(line)
            if "log" in said:
                run.log(said["log"], step=said.get("step"))
            if "tags" in said:
                run.set_tags(said["tags"])
            if "dataset" in said:
                run.log_dataset(said["dataset"], digest=f"of {said['dataset']}")
            if "note" in said:
                run.set_note(said["note"])
            if "finish" in said:
                run.finish(said["finish"])
            print("ok", flush=True)


if __name__ == "__main__":
    main()
