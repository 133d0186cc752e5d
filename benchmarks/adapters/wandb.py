"""Weights & Biases, offline: calls go to the helper process `wandb-core`, which writes a `.wandb` file.

Nothing in the package reads that file back into Python (`wandb sync` uploads it), so `read` walks it here:
LevelDB log blocks, then the package's own protobuf records. Records with a wrong checksum are left out.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Columns = tuple[Sequence[float], Sequence[float]]

BLOCK = 32_768
FILE_HEADER, RECORD_HEADER = 7, struct.Struct("<IHB")
FULL, FIRST, LAST = 1, 2, 4


def _records(data: bytes) -> Iterator[bytes]:
    at, parts = FILE_HEADER, b""
    while at + RECORD_HEADER.size <= len(data):
        room = BLOCK - at % BLOCK
        if room < RECORD_HEADER.size:
            at += room
            continue
        checksum, length, kind = RECORD_HEADER.unpack_from(data, at)
        start = at + RECORD_HEADER.size
        payload = data[start : start + length]
        at = start + length
        if kind == 0 or zlib.crc32(payload, zlib.crc32(bytes([kind]))) != checksum:
            return
        parts = payload if kind in (FULL, FIRST) else parts + payload
        if kind in (FULL, LAST):
            yield parts


class Tracker:
    name = "wandb"
    exact = True

    def environment(self, folder: Path) -> Mapping[str, str]:
        home = str(folder.parent / "home")
        quiet = {
            "WANDB_MODE": "offline",
            "WANDB_SILENT": "true",
            "WANDB_CONSOLE": "off",
            "WANDB_ERROR_REPORTING": "false",
        }
        return quiet | {"WANDB_CACHE_DIR": home, "WANDB_CONFIG_DIR": home, "WANDB_DATA_DIR": home}

    def import_tool(self) -> str:
        import wandb

        self.wandb = wandb
        return str(wandb.__version__)

    def open(self, folder: Path, run_name: str, params: Mapping[str, Any]) -> str:
        settings = self.wandb.Settings(silent=True, console="off", x_disable_stats=True)
        folder.mkdir(parents=True, exist_ok=True)
        self.run = self.wandb.init(
            project="bench",
            name=run_name,
            config=dict(params),
            dir=str(folder),
            mode="offline",
            settings=settings,
        )
        return str(self.run.id)

    def log(self, metrics: dict[str, Any], step: int) -> None:
        self.run.log(metrics, step=step)

    def log_many(self, calls: Iterable[tuple[dict[str, Any], int]]) -> None:
        log = self.run.log
        for metrics, step in calls:
            log(metrics, step=step)

    def finish(self) -> None:
        self.run.finish()

    def open_reader(self, folder: Path) -> None:
        self.folder = folder

    def read(self, run: str, metrics: Sequence[str]) -> Mapping[str, Any]:
        from wandb.proto import wandb_internal_pb2

        found: dict[str, list[tuple[int, float]]] = {name: [] for name in metrics}
        (path,) = self.folder.glob(f"wandb/*run-*-{run}/run-{run}.wandb")
        record = wandb_internal_pb2.Record()
        for payload in _records(path.read_bytes()):
            record.ParseFromString(payload)
            if record.HasField("history"):
                items = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
                step = int(items["_step"])
                for name in found.keys() & items.keys():
                    found[name].append((step, json.loads(items[name])))
        return found

    def columns(self, series: Any) -> Columns:
        return [step for step, _ in series], [value for _, value in series]

    def search(self) -> int:
        raise NotImplementedError("wandb offline has no search")

    def close_reader(self) -> None:
        pass
