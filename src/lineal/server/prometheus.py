"""Numbers about the server in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/, 0.0.4).

Written here and not taken from a library: what is needed of one is sixty lines, and its import would cost each start 50 ms.
One thread changes a counter or a histogram; any thread may read them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Counter:
    """Sums that only grow, one for each set of label values."""

    def __init__(self, name: str, says: str, labels: Sequence[str] = ()) -> None:
        self.name, self._says, self._labels = name, says, tuple(labels)
        self._sums: dict[tuple[str, ...], float] = {} if labels else {(): 0}

    def add(self, count: float, *values: str) -> None:
        self._sums[values] = self._sums.get(values, 0) + count

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self._says, "counter")
        for values, total in sorted(self._sums.copy().items()):
            yield f"{self.name}{_labels(zip(self._labels, values, strict=True))} {_number(total)}"


class Histogram:
    """How often a value was at most each bound, how often at all, and the sum of all."""

    def __init__(self, name: str, says: str, bounds: Sequence[float], labels: Sequence[str] = ()) -> None:
        self.name, self._says, self._labels = name, says, tuple(labels)
        self._bounds = tuple(bounds)
        self._cells: dict[tuple[str, ...], list[float]] = {}
        if not labels:
            self._cell(())

    def observe(self, value: float, *values: str) -> None:
        cell = self._cells.get(values) or self._cell(values)
        cell[bisect_left(self._bounds, value)] += 1
        cell[-1] += value

    def _cell(self, values: tuple[str, ...]) -> list[float]:
        return self._cells.setdefault(values, [0] * (len(self._bounds) + 1) + [0.0])

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self._says, "histogram")
        for values, cell in sorted(self._cells.copy().items()):
            labels = list(zip(self._labels, values, strict=True))
            *counts, total = cell.copy()
            below = 0.0
            for bound, count in zip([*map(_number, self._bounds), "+Inf"], counts, strict=True):
                below += count
                yield f"{self.name}_bucket{_labels([*labels, ('le', bound)])} {_number(below)}"
            yield f"{self.name}_sum{_labels(labels)} {_number(total)}"
            yield f"{self.name}_count{_labels(labels)} {_number(below)}"


def gauge(name: str, says: str, value: float | Mapping[str, float], label: str = "") -> Iterator[str]:
    """As it is now; one line for each value of the label, if there is one."""
    yield from _head(name, says, "gauge")
    cells = value.items() if isinstance(value, Mapping) else [("", value)]
    for of, number in cells:
        yield f"{name}{_labels([(label, of)] if label else [])} {_number(number)}"


def _head(name: str, says: str, kind: str) -> tuple[str, str]:
    return f"# HELP {name} {says}", f"# TYPE {name} {kind}"


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs)
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
