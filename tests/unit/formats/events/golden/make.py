"""Writes the golden event files with real libraries, and beside each what TensorBoard's own EventAccumulator finds in it.

Not run by the tests: pip install tensorboard==2.21.0 tensorboardX==2.6.5 'protobuf<7' pillow; python make.py"""

from __future__ import annotations

import base64
import json
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.plugins.text import summary_v2 as text_summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboardX import SummaryWriter

HERE = Path(__file__).parent
START = 1_700_000_000.0
UNBOUNDED = dict.fromkeys(("compressedHistograms", "images", "audio", "scalars", "histograms", "tensors"), 0)


def with_tensorboardx(folder: Path) -> None:
    """The old form: a field each."""
    numbers = np.random.default_rng(7)
    with SummaryWriter(str(folder)) as writer:
        for step in range(40):
            at = START + step * 1.25
            writer.add_scalar("train/loss", 1 / (step + 1), step, walltime=at)
            writer.add_scalar("train/odd", [math.nan, math.inf, -math.inf, -0.0][step % 4], step, walltime=at)
            if step % 10 == 0:
                writer.add_histogram("weights", numbers.normal(size=500), step, walltime=at)
                writer.add_image("scan", numbers.integers(0, 255, (3, 6, 5), np.uint8), step, walltime=at)
                writer.add_text("thoughts", f"step **{step}**: naïve\n\nsecond paragraph", step, walltime=at)
        writer.add_scalar("train/back", 2.5, -3, walltime=START + 60)
        writer.add_scalar("train/far", 1e-30, 2**40, walltime=START + 61)
        writer.add_scalar("train/ünïcode and spaces", 3.0, 1, walltime=START + 62)
        writer.add_histogram_raw(
            "given",
            0.0,
            4.0,
            6,
            13.0,
            33.0,
            bucket_limits=[1, 2, 3, 4],
            bucket_counts=[1, 0, 2, 3],
            walltime=START + 64,
        )


def with_hparams(folder: Path) -> None:
    with SummaryWriter(str(folder)) as writer:
        hparams = {"lr": 0.01, "batch_size": 64, "optimizer": "adam", "nesterov": True, "warmup": 0.0}
        writer.add_hparams(hparams, {"accuracy": 0.875, "loss": 0.25}, name="session")


def with_tensorboard(folder: Path) -> None:
    """The newer form: tensors with a plugin's name, as TensorFlow 2, Keras and PyTorch's `new_style` write them."""
    numbers = np.random.default_rng(8)
    writer = EventFileWriter(str(folder))
    started = plugin_data_pb2.SessionStartInfo(group_name="t1", start_time_secs=START)
    started.hparams["units"].number_value = 32
    started.hparams["dropout"].number_value = 0.1
    started.hparams["act"].string_value = "relu"
    started.hparams["bias"].bool_value = False
    said = plugin_data_pb2.HParamsPluginData(session_start_info=started)
    say(writer, of_session(metadata.SESSION_START_INFO_TAG, said), 0, START)
    for step in range(20):
        at = START + step * 2.5
        say(writer, new_scalar("epoch_loss", 2.0 / (step + 1), first=step == 0), step, at)
        if step % 5 == 0:
            values = numbers.normal(size=300).astype(np.float32)
            say(writer, histogram_summary.histogram_pb("kernel", values), step, at)
            say(writer, text_summary.text_pb("note", f"at {step}"), step, at)
            say(writer, new_images("views", [png(step), png(step + 1)]), step, at)
    say(writer, sound("beep"), 5, START + 89)
    say(writer, scalar_summary.scalar_pb("plain", 4.5), 3, START + 90)
    ended = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_FAILURE, end_time_secs=START + 91)
    said = plugin_data_pb2.HParamsPluginData(session_end_info=ended)
    say(writer, of_session(metadata.SESSION_END_INFO_TAG, said), 0, START + 91)
    writer.close()


def say(writer: EventFileWriter, summary: Any, step: int, at: float) -> None:
    event = event_pb2.Event(wall_time=at, step=step)
    event.summary.ParseFromString(summary.SerializeToString())
    writer.add_event(event)


def of_session(tag: str, said: Any) -> Any:
    summary = summary_pb2.Summary()
    summary.value.add(tag=tag, metadata=metadata.create_summary_metadata(said))
    return summary


def new_scalar(tag: str, value: float, *, first: bool) -> Any:
    """As TensorFlow writes it: the metadata in the first value only."""
    summary = summary_pb2.Summary()
    one = summary.value.add(tag=tag)
    if first:
        one.metadata.plugin_data.plugin_name = "scalars"
    one.tensor.dtype = 1
    one.tensor.tensor_content = np.float32(value).tobytes()
    return summary


def new_images(tag: str, files: list[bytes]) -> Any:
    summary = summary_pb2.Summary()
    one = summary.value.add(tag=tag)
    one.metadata.plugin_data.plugin_name = "images"
    one.tensor.dtype = 7
    one.tensor.tensor_shape.dim.add(size=2 + len(files))
    one.tensor.string_val.extend([b"4", b"3", *files])
    return summary


def sound(tag: str) -> Any:
    import io
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(np.arange(0, 4_000, 40, dtype=np.int16).tobytes())
    summary = summary_pb2.Summary()
    one = summary.value.add(tag=tag).audio
    one.encoded_audio_string, one.content_type = buffer.getvalue(), "audio/wav"
    one.sample_rate, one.num_channels, one.length_frames = 8_000, 1, 100
    return summary


def png(seed: int) -> bytes:
    import io

    from PIL import Image

    shades = np.random.default_rng(seed).integers(0, 255, (3, 4, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(shades).save(buffer, "PNG")
    return buffer.getvalue()


# -- what TensorBoard finds ---------------------------------------------------------------------


def found_in(folder: Path) -> dict[str, Any]:
    """By tag: what EventAccumulator has, nothing sampled and nothing purged."""
    seen = EventAccumulator(str(folder), size_guidance=UNBOUNDED, purge_orphaned_data=False).Reload()
    plugins = {tag: seen.SummaryMetadata(tag).plugin_data.plugin_name for tag in seen.Tags()["tensors"]}
    found: dict[str, Any] = {"scalars": {}, "histograms": {}, "images": {}, "audio": {}, "texts": {}}
    for tag in seen.Tags()["scalars"]:
        found["scalars"][tag] = [[one.wall_time, one.step, shown(one.value)] for one in seen.Scalars(tag)]
    for tag in seen.Tags()["histograms"]:
        found["histograms"][tag] = [
            [one.wall_time, one.step, *old_buckets(one.histogram_value)] for one in seen.Histograms(tag)
        ]
    for tag in seen.Tags()["images"]:
        found["images"][tag] = [
            [one.wall_time, one.step, [encoded(one.encoded_image_string)]] for one in seen.Images(tag)
        ]
    for tag in seen.Tags()["audio"]:
        found["audio"][tag] = [
            [one.wall_time, one.step, [encoded(one.encoded_audio_string)]] for one in seen.Audio(tag)
        ]
    for tag, plugin in plugins.items():
        for one in seen.Tensors(tag):
            add_tensor(found, tag, plugin, one)
    found["hparams"] = hparams_of(seen)
    return found


def add_tensor(found: dict[str, Any], tag: str, plugin: str, one: Any) -> None:
    from tensorboard.util import tensor_util

    value = tensor_util.make_ndarray(one.tensor_proto)
    at = [one.wall_time, one.step]
    if plugin == "scalars":
        found["scalars"].setdefault(tag, []).append([*at, shown(float(value.item()))])
    elif plugin == "histograms":
        rows = [row for row in value.tolist() if row[2]]
        found["histograms"].setdefault(tag, []).append([*at, rows, sum(row[2] for row in rows)])
    elif plugin == "images":
        found["images"].setdefault(tag, []).append([*at, [encoded(file) for file in value.tolist()[2:]]])
    elif plugin == "text":
        found["texts"].setdefault(tag, []).append([*at, [text.decode() for text in value.ravel().tolist()]])


def old_buckets(value: Any) -> list[Any]:
    limits, counts = list(value.bucket_limit), list(value.bucket)
    lefts, rights = [value.min, *limits[:-1]], [*limits[:-1], value.max]
    rows = [[max(a, value.min), min(b, value.max), n] for a, b, n in zip(lefts, rights, counts, strict=True) if n]
    return [rows, value.num, value.min, value.max, value.sum, value.sum_squares]


def hparams_of(seen: Any) -> dict[str, Any]:
    content = seen.summary_metadata
    found: dict[str, Any] = {}
    for tag in (metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG):
        if tag in content:
            said = plugin_data_pb2.HParamsPluginData.FromString(content[tag].plugin_data.content)
            for name, value in said.session_start_info.hparams.items():
                found[name] = getattr(value, value.WhichOneof("kind"))
    return found


def shown(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    for name, write in (
        ("tensorboardX", with_tensorboardx),
        ("hparams", with_hparams),
        ("tensorboard", with_tensorboard),
    ):
        with tempfile.TemporaryDirectory() as place:
            write(Path(place))
            source = max(Path(place).rglob("*tfevents*"), key=lambda path: path.stat().st_size)
            alone = Path(place, "alone")
            alone.mkdir()
            shutil.copy(source, alone / f"events.out.tfevents.1700000000.host.{name}")
            (HERE / f"{name}.json").write_text(
                json.dumps(found_in(alone), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            )
            shutil.copy(source, HERE / f"{name}.tfevents")


if __name__ == "__main__":
    main()
