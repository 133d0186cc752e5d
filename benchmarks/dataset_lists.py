"""How long the lists of datasets by themselves take: `python -m benchmarks.dataset_lists [--runs 100000]`, CPU time, best of five.

Four shapes of the same number of runs: all use the same two datasets; each has a digest of its own under one name; each has a name of its
own; a thousand names with ten digests each. Every tenth run made a model version, ten thousand of them at most."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from lineal.model.lineage import Dataset, DatasetUse
from lineal.model.registry import NewVersion
from lineal.store.contracts import Store
from lineal.store.datasets import DatasetReader, NamesQuery, UsesQuery, VersionsQuery
from lineal.store.open import open_store, sqlite_url
from lineal.testing.suite_base import at, starting

T = TypeVar("T")
AT_ONCE, MADE_MAX_COUNT = 1_000, 10_000
SHAPES: dict[str, Callable[[int], list[tuple[str, str]]]] = {
    "the same two": lambda n: [("train", "a1" * 32), ("test", "b2" * 32)],
    "a digest each": lambda n: [("train", f"{n:064x}")],
    "a name each": lambda n: [(f"data/{n:06} set", f"{n:064x}")],
    "ten digests a name": lambda n: [(f"data {n % 1_000}", f"{n % 10_000:064x}")],
}


def fill(store: Store, runs: int, used: Callable[[int], list[tuple[str, str]]]) -> float:
    """CPU seconds."""
    began = time.process_time()
    for first in range(0, runs, AT_ONCE):
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            for n in range(first, min(first + AT_ONCE, runs)):
                run_id = f"r{n:08}"
                starting(run_id, time_ms=n + 1)(writer)
                for place, (name, digest) in enumerate(used(n)):
                    data = Dataset(name, digest, "v1", "local", "data.csv", None, '{"row_count": 5}')
                    writer.use_dataset(run_id, DatasetUse(data, "training"), at(n + 1, 4 * n + place))
                if n % 10 == 0 and n < 10 * MADE_MAX_COUNT:
                    writer.registry().create_version(NewVersion(f"{n:032x}", "digits", run_id), at(n + 1, 4 * n + 3))
    return time.process_time() - began


def measure(reader: DatasetReader) -> None:
    def timed(what: str, ask: Callable[[], T]) -> T:
        best = float("inf")
        for _ in range(5):
            began = time.process_time()
            answer = ask()
            best = min(best, time.process_time() - began)
        print(f"  {what:<36} {best * 1_000:8.2f} ms")
        return answer

    page = timed("names, 100", lambda: reader.list_names(NamesQuery()))
    timed("names, 1,000", lambda: reader.list_names(NamesQuery(limit=1_000)))
    timed("names, the last used first", lambda: reader.list_names(NamesQuery(order="last_used")))
    timed("names, a search that finds none", lambda: reader.list_names(NamesQuery("zebra")))
    name = page.datasets[-1].name
    versions = timed("versions of a name, 100", lambda: reader.list_versions(VersionsQuery(name)))
    digest = versions.versions[0].dataset.digest
    uses = timed("uses of a name, 100", lambda: reader.list_uses(UsesQuery(name)))
    timed("uses of a version, 100", lambda: reader.list_uses(UsesQuery(name, digest)))
    if uses.next_token is not None:
        timed("uses of a name, the next 100", lambda: reader.list_uses(UsesQuery(name, after=uses.next_token)))
    timed("model versions of a name, 100", lambda: reader.list_made(UsesQuery(name)))
    timed("model versions of a version", lambda: reader.list_made(UsesQuery(name, digest)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100_000)
    given = parser.parse_args()
    for shape, used in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lineal.db"
            with closing(open_store(sqlite_url(path))) as store:
                cpu_s = fill(store, given.runs, used)
                print(f"{shape}: {cpu_s / given.runs * 1e6:,.0f} us of CPU a run to write")
                measure(store.tenant("default").datasets())


if __name__ == "__main__":
    main()
