"""Which version a loaded model is, known for as long as the model lives."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import Any

from lineal.model.limits import MODELS_TRACED_MAX_COUNT

_guard = threading.Lock()
_weak: dict[int, tuple[weakref.ref[Any], dict[str, str]]] = {}
_kept: OrderedDict[int, tuple[Any, dict[str, str]]] = OrderedDict()


def trace(model: Any, tags: dict[str, str]) -> None:
    """From now on `tags_of(model)` answers."""
    number = id(model)
    try:
        ref = weakref.ref(model, lambda _: _weak.pop(number, None))
    except TypeError:
        # Of a type that cannot be referred to weakly (ONNX models, lists): the last few are kept alive for it.
        with _guard:
            _kept.pop(number, None)
            _kept[number] = (model, tags)
            while len(_kept) > MODELS_TRACED_MAX_COUNT:
                _kept.popitem(last=False)
        return
    _weak[number] = (ref, tags)


def tags_of(model: Any) -> dict[str, str] | None:
    """None for what was not loaded by `load_model`."""
    known = _weak.get(id(model))
    if known is not None and known[0]() is model:
        return dict(known[1])
    with _guard:
        held = _kept.get(id(model))
    return dict(held[1]) if held is not None and held[0] is model else None
