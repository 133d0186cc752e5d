"""Values that do not change, as `dataclass(frozen=True, slots=True)` makes them, for modules that a training loads.

`dataclasses` compiles six methods for each class and loads `inspect` for it: of the forty classes that a training process needs
those were a third of the time that `init` takes. Here all classes share their methods, and an instance costs some two
microseconds instead of one. A type checker knows them by `dataclass_transform` (PEP 681)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, dataclass_transform

T = TypeVar("T")

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()


class Field(NamedTuple):
    """`type`: the annotation, as text. `default` and `default_factory` are MISSING where there is none."""

    name: str
    type: str
    default: Any = MISSING
    default_factory: Any = MISSING


class _Fresh(NamedTuple):
    make: Callable[[], Any]


def field(*, default_factory: Callable[[], T]) -> T:
    """A default that every instance has for itself."""
    made: Any = _Fresh(default_factory)
    whole: T = made
    return whole


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """The class with a slot for each annotated name, taken by position or by name, compared and shown by value. Its module says
    `from __future__ import annotations`; its bases have no slots of their own."""
    said = dict(cls.__dict__)
    names = said["__annotations__"]
    found = tuple(_field(name, text, said.pop(name, MISSING)) for name, text in names.items())
    for name in ("__dict__", "__weakref__"):
        said.pop(name, None)
    said |= {"__slots__": tuple(names), "__match_args__": tuple(names), "__frozen_fields__": found}
    made: Any = type(cls.__name__, cls.__bases__, {**_METHODS, **said})
    made.__frozen_puts__ = tuple((name, made.__dict__[name].__set__) for name in names)
    made.__frozen_defaults__ = {one.name: one.default for one in found if one.default is not MISSING}
    made.__frozen_factories__ = {one.name: one.default_factory for one in found if one.default_factory is not MISSING}
    whole: type[T] = made
    return whole


def fields(cls: type) -> tuple[Field, ...]:
    found: tuple[Field, ...] = cls.__frozen_fields__  # type: ignore[attr-defined]
    return found


def members(value: Any) -> dict[str, Any]:
    """The values by name."""
    return {name: getattr(value, name) for name in value.__match_args__}


def replace(value: T, **changes: Any) -> T:
    """The same with other values of some names."""
    return type(value)(**members(value) | changes)


def _field(name: str, text: str, default: Any) -> Field:
    if type(default) is _Fresh:
        return Field(name, text, default_factory=default.make)
    return Field(name, text, default)


def _init(self: Any, *values: Any, **named: Any) -> None:
    cls = type(self)
    if values:
        named = _with_places(cls, values, named)
    given = {**cls.__frozen_defaults__, **named}
    for name, make in cls.__frozen_factories__.items():
        if name not in given:
            given[name] = make()
    puts = cls.__frozen_puts__
    if len(given) != len(puts) or given.keys() != set(cls.__match_args__):
        raise _misfit(cls, given)
    for name, put in puts:
        put(self, given[name])


def _with_places(cls: Any, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    names = cls.__match_args__
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__} takes {len(names)} values, not {len(values)}")
    placed = dict(zip(names, values, strict=False))
    for name in placed.keys() & named.keys():
        raise TypeError(f"{cls.__name__} was given {name!r} twice")
    return placed | named


def _misfit(cls: Any, given: dict[str, Any]) -> TypeError:
    missing = [name for name in cls.__match_args__ if name not in given]
    unknown = [name for name in given if name not in cls.__match_args__]
    said = f"lacks {', '.join(missing)}" if missing else f"has no {', '.join(unknown)}"
    return TypeError(f"{cls.__name__} {said}")


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, name) for name in self.__match_args__)


def _eq(self: Any, other: object) -> Any:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[Any, ...]:
    return type(self), _values(self)


def _refuse(self: Any, name: str, value: object = None) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} does not change")


_METHODS: dict[str, Any] = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
}
