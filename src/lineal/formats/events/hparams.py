"""Hyperparameters, as TensorBoard's plugin for them keeps them (tensorboard/plugins/hparams: plugin_data.proto, api.proto;
google/protobuf/struct.proto for the values)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.formats.events.wire import bytes_of, double_of, fields, int64_of, text_of

EndWord: TypeAlias = Literal["finished", "failed"]
_ENDS: dict[int, EndWord] = {1: "finished", 2: "failed"}


class HParams(NamedTuple):
    """What a session says at its start."""

    params: dict[str, Any]
    group: str = ""


class RunEnd(NamedTuple):
    """What it says at its end; `status` None: it does not tell, or still runs."""

    status: EndWord | None
    time: float


def read_hparams(content: bytes) -> HParams | RunEnd | None:
    """None for what names no values: the definition of an experiment."""
    for number, _, value in fields(content):
        if number == 3:
            return _session_start(bytes_of(value))
        if number == 4:
            return _session_end(bytes_of(value))
    return None


def _session_start(data: bytes) -> HParams:
    params: dict[str, Any] = {}
    group = ""
    for number, _, value in fields(data):
        if number == 1:
            name, said = "", b""
            for field, _, of in fields(bytes_of(value)):
                if field == 1:
                    name = text_of(of)
                elif field == 2:
                    said = bytes_of(of)
            params[name] = _value(said)
        elif number == 4:
            group = text_of(value)
    return HParams(params, group)


def _session_end(data: bytes) -> RunEnd:
    status: EndWord | None = None
    time = 0.0
    for number, _, value in fields(data):
        if number == 1:
            status = _ENDS.get(int64_of(value))
        elif number == 2:
            time = double_of(value)
    return RunEnd(status, time)


def _value(data: bytes) -> Any:
    """Numbers are doubles there: one that is whole is given as an int, which is what was meant."""
    for number, _, value in fields(data):
        if number == 2:
            double = double_of(value)
            return int(double) if double.is_integer() and abs(double) < 2**53 else double
        if number == 3:
            return text_of(value)
        if number == 4:
            return bool(int64_of(value))
        if number == 6:
            return [_value(bytes_of(of)) for field, _, of in fields(bytes_of(value)) if field == 1]
    return None
