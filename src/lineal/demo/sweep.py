"""Trains every setting with every seed. What concerns Lineal stands in `_record`, and is all a user would write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lineal.api import Run, init
from lineal.demo.leaderboard import METRIC, Row, as_markdown, read_leaderboard
from lineal.demo.settings import EPOCHS, EXPERIMENT, SEEDS, SETTINGS, Setting
from lineal.demo.training import Digits, Network, one_thread
from lineal.registry.calls import promote

MODEL = "digits"
ALIAS = "champion"


class Trained(NamedTuple):
    """One training that is over. `number` counts from 1."""

    number: int
    total: int
    setting: Setting
    seed: int
    accuracy: float


class Sweep(NamedTuple):
    """`folder` is where everything was recorded; `version` the number of the model's version that is in production now."""

    run_id: str
    folder: str
    rows: list[Row]
    version: int


def run_sweep(
    data: Digits,
    on_trained: Callable[[Trained], None],
    *,
    url: str | None = None,
    settings: Sequence[Setting] = SETTINGS,
    seeds: Sequence[int] = SEEDS,
    epochs: int = EPOCHS,
) -> Sweep:
    """A parent run with one child a training. Its leaderboard is read back out of the store."""
    with one_thread(), init(EXPERIMENT, "sweep", params=data.params(), url=url, tags={"demo": "sweep"}) as sweep:
        sweep.define_metric(METRIC, goal="max")
        pairs = [(setting, seed) for setting in settings for seed in seeds]
        best, champion = -1.0, ""
        for number, (setting, seed) in enumerate(pairs, 1):
            accuracy, version_id = _record(sweep, data, setting, seed, epochs, url, best)
            if version_id is not None:
                best, champion = accuracy, version_id
            on_trained(Trained(number, len(pairs), setting, seed, accuracy))
        rows = read_leaderboard(sweep.run_id, settings, url=url)
        sweep.set_note(as_markdown(rows))
        sweep.set_tags({"best": rows[0].setting.name})
    why = f"Reads {best:.1%} of the validation scans, more than the {len(pairs) - 1} other trainings."
    # Not locked: whoever plays with the demo may edit every run of it.
    version = promote(champion, to="production", alias=ALIAS, why=why, archive_existing=True, lock_run=False, url=url)
    return Sweep(sweep.run_id, sweep.folder, rows, version.version)


def _record(
    sweep: Run, data: Digits, setting: Setting, seed: int, epochs: int, url: str | None, best: float
) -> tuple[float, str | None]:
    """One training as one run. Returns the accuracy on the validation scans, and which version of the model it became, if it is
    more than `best`."""
    with init(
        EXPERIMENT,
        f"{setting.name}-{seed}",
        params=setting.params(seed, epochs) | data.params(),
        tags={"setting": setting.name, "seed": seed},
        parent_run_id=sweep.run_id,
        url=url,
    ) as run:
        run.define_metric(METRIC, goal="max")
        for context, part in (("training", data.train), ("validation", data.val), ("test", data.test)):
            run.log_dataset("digits", {"scans": part.scans, "digits": part.digits}, context=context)
        network = Network(setting, seed)
        curve = list(_logged(run, network.train(data, epochs)))
        tested = network.accuracy(data.test)
        run.log({"test/accuracy": tested}, step=epochs - 1)
        wrong = round((1 - tested) * len(data.test))
        run.log_figure(network.draw_confusion(data.test, f"{run.name}: {wrong} misread"), "plots/confusion.png")
        with tempfile.TemporaryDirectory() as place:
            network.save(Path(place, "network.npz"))
            run.log_artifact(Path(place, "network.npz"), "model")
        accuracy = curve[-1][METRIC]
        version = None
        if accuracy > best:
            version = run.log_model(MODEL, network.arrays(), description=f"{run.name}: {setting.describe()}").version_id
        run.set_note(f"{setting.describe()}. Misreads **{wrong} of {len(data.test)}** scans that it never saw.")
    return accuracy, version


def _logged(run: Run, epochs: Iterable[dict[str, float]]) -> Iterable[dict[str, float]]:
    for epoch, measured in enumerate(epochs):
        run.log(measured, step=epoch)
        yield measured
