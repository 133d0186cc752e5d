"""Values that do not change: as `dataclasses` would make them, field by field."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.frozen import MISSING, Field, field, fields, frozen, replace


@frozen
class Point:
    """What it says."""

    x: int
    y: int = 2
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.x + self.y


@dataclasses.dataclass(frozen=True, slots=True)
class AsDataclasses:
    x: int
    y: int = 2
    labels: dict[str, str] = dataclasses.field(default_factory=dict)


@frozen
class Other:
    x: int
    y: int = 2
    labels: dict[str, str] = field(default_factory=dict)


def made(cls: Any, values: list[Any], named: dict[str, Any]) -> Any:
    try:
        return cls(*values, **named)
    except TypeError:
        return TypeError


NAMES = st.sampled_from(["x", "y", "labels", "z"])


@given(values=st.lists(st.integers(), max_size=4), named=st.dictionaries(NAMES, st.integers(), max_size=4))
def test_is_made_of_what_a_dataclass_is_made_of(values: list[int], named: dict[str, int]) -> None:
    ours, theirs = made(Point, values, named), made(AsDataclasses, values, named)
    if theirs is TypeError:
        assert ours is TypeError
    else:
        assert (ours.x, ours.y, ours.labels) == (theirs.x, theirs.y, theirs.labels)
        assert repr(ours) == repr(theirs).replace("AsDataclasses", "Point")


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(TypeError, match="Point lacks x"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Point has no z"):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Point was given 'x' twice"):
        Point(1, x=2)  # type: ignore[misc]
    with pytest.raises(TypeError, match="Point takes 3 values, not 4"):
        Point(1, 2, {}, 4)  # type: ignore[call-arg]


def test_is_compared_by_value_with_its_own_kind() -> None:
    assert Point(1) == Point(1, 2, {})
    assert Point(1) != Point(1, 3)
    assert Point(1) != Other(1)  # type: ignore[comparison-overlap]
    assert len({Field("x", "int"), Field("x", "int")}) == 1


@frozen
class Name:
    first: str
    last: str


def test_equal_ones_are_one_in_a_set() -> None:
    assert {Name("a", "b"), Name("a", "b"), Name("a", "c")} == {Name("a", "b"), Name("a", "c")}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))  # by its dict, as a tuple would be


def test_does_not_change() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="x does not change"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="x does not change"):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 2  # type: ignore[attr-defined]
    assert point == Point(1)


def test_every_one_has_a_default_of_its_own() -> None:
    one, other = Point(1), Point(1)
    one.labels["rank"] = "1"
    assert other.labels == {}


def test_another_with_other_values() -> None:
    point = Point(1, labels={"a": "b"})
    assert replace(point, y=5) == Point(1, 5, {"a": "b"})
    with pytest.raises(TypeError, match="Point has no z"):
        replace(point, z=5)


def test_keeps_what_else_the_class_has() -> None:
    assert Point(1).total == 3
    assert Point.__doc__ == "What it says."
    assert Point.__module__ == __name__


def test_says_its_fields() -> None:
    x, y, labels = fields(Point)
    assert x == Field("x", "int", MISSING, MISSING)
    assert y == Field("y", "int", 2, MISSING)
    assert (labels.name, labels.default, labels.default_factory) == ("labels", MISSING, dict)


def test_is_copied_and_pickled() -> None:
    point = Point(1, labels={"a": "b"})
    assert copy.copy(point) == point
    deep = copy.deepcopy(point)
    assert deep == point
    assert deep.labels is not point.labels
    assert pickle.loads(pickle.dumps(point)) == point


def test_is_matched_by_place() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("does not match")
