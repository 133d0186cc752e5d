"""What an event says (tensorflow/core/util/event.proto and framework/summary.proto, and the plugins' protocols of TensorBoard):
scalars, histograms, images, audio, texts and hyperparameters, in the old form (a field each) and the newer (a tensor, with the
name of a plugin in the tag's first value)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from lineal.formats.events.hparams import HParams, RunEnd, read_hparams
from lineal.formats.events.tensor import Tensor, read_tensor
from lineal.formats.events.wire import (
    NotProtobuf,
    bytes_of,
    double_of,
    doubles_of,
    fields,
    float_of,
    int64_of,
    text_of,
)


class Scalar(NamedTuple):
    tag: str
    value: float


class Histogram(NamedTuple):
    """`buckets`: (left, right, count), without empty ones. The last four are of the values themselves; None where the writer
    left them out, as the newer form does."""

    tag: str
    buckets: tuple[tuple[float, float, float], ...]
    value_count: float
    least: float | None = None
    most: float | None = None
    total: float | None = None
    total_squares: float | None = None


class Images(NamedTuple):
    """Encoded as their writer chose: PNG, nearly always."""

    tag: str
    files: tuple[bytes, ...]


class Audio(NamedTuple):
    tag: str
    files: tuple[bytes, ...]
    media_type: str


class Text(NamedTuple):
    tag: str
    texts: tuple[str, ...]


class Other(NamedTuple):
    """What is not read: `what` names the plugin, or the kind."""

    tag: str
    what: str


Said: TypeAlias = Scalar | Histogram | Images | Audio | Text | HParams | RunEnd | Other


class Event(NamedTuple):
    """`wall_time` in seconds since the epoch."""

    wall_time: float
    step: int
    said: tuple[Said, ...]


class EventReader:
    """Reads the events of one writer, in order: a tag's plugin is named with its first value only."""

    def __init__(self) -> None:
        self._plugins: dict[str, str] = {}

    def read(self, data: bytes) -> Event:
        """Raises NotProtobuf."""
        wall_time, step = 0.0, 0
        said: list[Said] = []
        for number, _, value in fields(data):
            if number == 1:
                wall_time = double_of(value)
            elif number == 2:
                step = int64_of(value)
            elif number == 5:
                said += self._values(bytes_of(value))
            elif number in (4, 9):
                said.append(Other("", "graph"))
        return Event(wall_time, step, tuple(said))

    def _values(self, summary: bytes) -> Iterator[Said]:
        for number, _, value in fields(summary):
            if number == 1:
                one = self._value(bytes_of(value))
                if one is not None:
                    yield one

    def _value(self, data: bytes) -> Said | None:
        tag, plugin, content = "", "", b""
        body: tuple[int, int | bytes] | None = None
        for number, _, value in fields(data):
            if number == 1:
                tag = text_of(value)
            elif number in (2, 4, 5, 6, 8):
                body = number, value
            elif number == 9:
                plugin, content = _plugin_of(bytes_of(value))
        if plugin:
            self._plugins.setdefault(tag, plugin)
        plugin = self._plugins.get(tag, "")
        if plugin == "hparams":
            return read_hparams(content)
        if body is None:
            return None
        number, value = body
        if number == 2:
            return Scalar(tag, float_of(value))
        inner = bytes_of(value)
        if number == 4:
            return Images(tag, tuple(bytes_of(of) for field, _, of in fields(inner) if field == 4))
        if number == 5:
            return _old_histogram(tag, inner)
        if number == 6:
            return _old_audio(tag, inner)
        return _of_tensor(tag, plugin, read_tensor(inner))


def _plugin_of(metadata: bytes) -> tuple[str, bytes]:
    """Its name and what it says for itself."""
    name, content = "", b""
    for number, _, value in fields(metadata):
        if number == 1:
            for field, _, of in fields(bytes_of(value)):
                if field == 1:
                    name = text_of(of)
                elif field == 2:
                    content = bytes_of(of)
    return name, content


def _of_tensor(tag: str, plugin: str, tensor: Tensor) -> Said:
    if plugin == "scalars" and len(tensor.numbers) == 1:
        return Scalar(tag, float(tensor.numbers[0]))
    if plugin == "histograms" and len(tensor.shape) == 2 and tensor.shape[1] == 3:
        rows = tensor.numbers
        buckets = tuple((rows[at], rows[at + 1], rows[at + 2]) for at in range(0, len(rows), 3) if rows[at + 2])
        return Histogram(tag, buckets, sum(row[2] for row in buckets))
    if plugin == "images" and len(tensor.texts) > 2:
        return Images(tag, tensor.texts[2:])  # the first two are width and height
    if plugin == "audio" and tensor.texts:
        per_row = tensor.shape[1] if len(tensor.shape) == 2 and tensor.shape[1] else 1  # the file, and a label
        return Audio(tag, tensor.texts[::per_row], "audio/wav")
    if plugin == "text" and tensor.texts:
        return Text(tag, tuple(text.decode("utf-8", "replace") for text in tensor.texts))
    return Other(tag, plugin or "tensor")


def _old_histogram(tag: str, data: bytes) -> Histogram:
    """A bucket reaches from the limit before it to its own; the outermost are drawn in to the extremes."""
    said: dict[int, float] = {}
    limits: list[float] = []
    counts: list[float] = []
    for number, wire, value in fields(data):
        if number <= 5:
            said[number] = double_of(value)
        elif number == 6:
            limits += doubles_of(wire, value)
        elif number == 7:
            counts += doubles_of(wire, value)
    if len(limits) != len(counts):
        raise NotProtobuf("a histogram has not as many limits as counts")
    least, most = said.get(1, 0.0), said.get(2, 0.0)
    lefts = [least, *limits[:-1]]
    rights = [*limits[:-1], most]
    buckets = tuple((max(a, least), min(b, most), n) for a, b, n in zip(lefts, rights, counts, strict=True) if n)
    return Histogram(tag, buckets, said.get(3, 0.0), least, most, said.get(4, 0.0), said.get(5, 0.0))


def _old_audio(tag: str, data: bytes) -> Audio:
    content, media_type = b"", "audio/wav"
    for number, _, value in fields(data):
        if number == 4:
            content = bytes_of(value)
        elif number == 5:
            media_type = text_of(value)
    return Audio(tag, (content,), media_type)
