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


class Trained(NamedTuple):
    """One training that is over. `number` counts from 1."""

    number: int
    total: int
    setting: Setting
    seed: int
    accuracy: float


class Sweep(NamedTuple):
    """`folder` is where everything was recorded."""

    run_id: str
    folder: str
    rows: list[Row]


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
        for number, (setting, seed) in enumerate(pairs, 1):
            accuracy = _record(sweep, data, setting, seed, epochs, url)
            on_trained(Trained(number, len(pairs), setting, seed, accuracy))
        rows = read_leaderboard(sweep.run_id, settings, url=url)
        sweep.set_note(as_markdown(rows))
        sweep.set_tags({"best": rows[0].setting.name})
    return Sweep(sweep.run_id, sweep.folder, rows)


def _record(sweep: Run, data: Digits, setting: Setting, seed: int, epochs: int, url: str | None) -> float:
    """One training as one run. Returns the accuracy on the validation scans."""
    with init(
        EXPERIMENT,
        f"{setting.name}-{seed}",
        params=setting.params(seed, epochs) | data.params(),
        tags={"setting": setting.name, "seed": seed},
        parent_run_id=sweep.run_id,
        url=url,
    ) as run:
        run.define_metric(METRIC, goal="max")
        network = Network(setting, seed)
        curve = list(_logged(run, network.train(data, epochs)))
        tested = network.accuracy(data.test)
        run.log({"test/accuracy": tested}, step=epochs - 1)
        wrong = round((1 - tested) * len(data.test))
        run.log_figure(network.draw_confusion(data.test, f"{run.name}: {wrong} misread"), "plots/confusion.png")
        with tempfile.TemporaryDirectory() as place:
            network.save(Path(place, "network.npz"))
            run.log_artifact(Path(place, "network.npz"), "model")
        run.set_note(f"{setting.describe()}. Misreads **{wrong} of {len(data.test)}** scans that it never saw.")
    return curve[-1][METRIC]


def _logged(run: Run, epochs: Iterable[dict[str, float]]) -> Iterable[dict[str, float]]:
    for epoch, measured in enumerate(epochs):
        run.log(measured, step=epoch)
        yield measured
