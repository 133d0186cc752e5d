"""The layouts of one writer: which names and types were logged together, and how to pack them in one call."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from lineal.journal.numbers import code_of
from lineal.model.errors import InvalidInput
from lineal.model.limits import LAYOUTS_MAX_COUNT, NAME_MAX_BYTES, SERIES_PER_RUN_MAX_COUNT
from lineal.model.values import check_name
from lineal.model.vocabulary import Labels
from lineal.record.frame import points_struct
from lineal.record.records import LayoutDefined

LayoutKey: TypeAlias = tuple[tuple[Any, ...], tuple[type, ...], type]
"""(names, types of the values, type of the step), as they come."""


class Labelled(NamedTuple):
    """Stands for a name where a series has labels of its own, besides its writer's. For Lineal's own callers: not checked."""

    name: str
    labels: Labels


Name: TypeAlias = str | Labelled


class PackedLayout:
    """One layout: `pack(length, kind, 0, seq, time_ns, step, *values, number)` gives the frame without its checksum."""

    __slots__ = ("codes", "length", "names", "number", "pack", "step_code")

    def __init__(self, number: int, names: tuple[Name, ...], codes: str, step_code: str, packer: struct.Struct) -> None:
        self.number = number
        self.names = names
        self.codes = codes
        self.step_code = step_code
        self.pack: Callable[..., bytes] = packer.pack
        self.length = packer.size + 4

    def definition(self, labels: dict[str, str]) -> LayoutDefined:
        series: list[list[Any]] = []
        for name, code in zip(self.names, self.codes, strict=True):
            own, all_labels = name, labels
            if isinstance(name, Labelled):
                own, all_labels = name.name, {**dict(name.labels), **labels}
            series.append([own, code, all_labels] if all_labels else [own, code])
        return LayoutDefined(self.number, self.step_code, series)


class Layouts:
    """Numbers are given once a writer and never mean anything else; `current` holds what this segment has defined."""

    __slots__ = ("_known", "_names", "_packers", "current")

    def __init__(self) -> None:
        self.current: dict[Any, PackedLayout] = {}  # by whatever key is cheapest to build from a call
        self._known: dict[tuple[tuple[Name, ...], str, str], PackedLayout] = {}
        self._packers: dict[str, struct.Struct] = {}
        self._names: set[Name] = set()

    def find(self, key: LayoutKey) -> PackedLayout | None:
        """The layout of that key; None if a type among it needs converting first, or if there are LAYOUTS_MAX_COUNT layouts
        and this would be another of several names: then the caller records name by name.

        Raises InvalidInput for a name that cannot be recorded, OverLimit-like refusals included."""
        names, types, step_type = key
        codes = [code_of(value_type) for value_type in types]
        step_code = code_of(step_type)
        if step_code is None or None in codes:
            return None
        checked = tuple(_checked(name) for name in names)
        if checked != names:
            return None
        self._count(checked)
        code_text = "".join(code for code in codes if code)
        known_key = (checked, code_text, step_code)
        layout = self._known.get(known_key)
        if layout is None and len(checked) > 1 and len(self._known) >= LAYOUTS_MAX_COUNT:
            return None
        if layout is None:
            layout = PackedLayout(
                len(self._known) + 1, checked, code_text, step_code, self._packer(step_code, code_text)
            )
            self._known[known_key] = layout
        return layout

    def _packer(self, step_code: str, codes: str) -> struct.Struct:
        packer = self._packers.get(step_code + codes)
        if packer is None:
            packer = self._packers[step_code + codes] = points_struct(step_code, codes)
        return packer

    def _count(self, names: tuple[Name, ...]) -> None:
        new = [name for name in names if name not in self._names]
        if len(self._names) + len(new) > SERIES_PER_RUN_MAX_COUNT:
            raise InvalidInput(
                f"a run may have {SERIES_PER_RUN_MAX_COUNT:,} metric names; {new[0]!r:.60} would be one more",
                field="metric name",
            )
        self._names.update(new)


def _checked(name: Any) -> Name:
    return name if type(name) is Labelled else check_name(name, field="metric name", max_bytes=NAME_MAX_BYTES)
