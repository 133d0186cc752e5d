"""Terms and orders of the registry's lists, and the tokens of their pages: one form for every backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, get_args

from lineal.model.errors import InvalidInput
from lineal.model.limits import FILTER_COMPARISONS_MAX_COUNT, FILTER_LIST_MAX_COUNT, ORDER_KEYS_MAX_COUNT
from lineal.store.place_tokens import Key, place_of, token_of
from lineal.store.registry import By, ModelField, ModelsQuery, Term, VersionField, VersionsQuery

Query: TypeAlias = ModelsQuery | VersionsQuery

PATTERNS = ("like", "ilike", "contains")
_NUMBERS = ("<", "<=", ">", ">=")


def keys_of(query: Query) -> tuple[By, ...]:
    """The whole order: what is asked for, then what tells equals apart."""
    asked = [by.field for by in query.order]
    last: tuple[By, ...] = (By("name"), By("made"))
    if not isinstance(query, ModelsQuery):
        last = (By("name"), By("version", True), By("version_id"))
    return (*query.order, *(by for by in last if by.field not in asked))


def check(query: Query) -> None:
    """InvalidInput for what cannot be asked."""
    of_models = isinstance(query, ModelsQuery)
    fields: tuple[str, ...] = get_args(ModelField if of_models else VersionField)
    if len(query.terms) > FILTER_COMPARISONS_MAX_COUNT:
        raise InvalidInput(f"a filter has at most {FILTER_COMPARISONS_MAX_COUNT} comparisons", field="filter")
    for term in query.terms:
        if term.field not in fields:
            raise InvalidInput(f"there is no field {term.field!r:.40} to filter by", field="filter")
        is_number = term.field == "version"
        values = term.value if isinstance(term.value, tuple) else (term.value,)
        if len(values) > FILTER_LIST_MAX_COUNT:
            raise InvalidInput(f"a list has at most {FILTER_LIST_MAX_COUNT:,} values", field="filter")
        fits = all(isinstance(value, int if is_number else str) for value in values)
        if (
            not fits
            or (term.operator == "in") != isinstance(term.value, tuple)
            or (term.operator in _NUMBERS and not is_number)
            or (term.operator in PATTERNS and is_number)
        ):
            raise InvalidInput(
                f"{term.field} cannot be compared so: {term.operator} {term.value!r:.80}", field="filter"
            )
    names = [by.field for by in query.order]
    others = {"version", "version_id"} if of_models else {"made"}
    if len(names) > ORDER_KEYS_MAX_COUNT or len(set(names)) < len(names) or others & set(names):
        raise InvalidInput(f"this is no order: {names}", field="order_by")


def tester(term: Term) -> Callable[[Key | None], bool]:
    """Whether a value satisfies the term."""
    operator, value = term.operator, term.value
    if operator == "contains":
        part = str(value).lower()
        return lambda found: found is not None and part in str(found).lower()
    if operator in PATTERNS:
        from lineal.query.patterns import tester as pattern_tester

        matches = pattern_tester(operator, str(value))
        return lambda found: found is not None and matches(str(found))
    if operator == "isnt":
        return lambda found: found != value
    if operator == "in":
        assert isinstance(value, tuple)
        among = frozenset(value)
        return lambda found: found is not None and found in among
    return lambda found: found is not None and _COMPARED[operator](found, value)


_COMPARED: dict[str, Callable[[object, object], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
    ">": lambda a, b: a > b,  # type: ignore[operator]
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
}


def make_token(query: Query, place: Sequence[Key]) -> str:
    """The page behind the entry whose keys these are."""
    return token_of(_question(query), place)


def read_token(query: Query) -> list[Key] | None:
    """InvalidInput for a token that is damaged or another query's."""
    return place_of(_question(query), query.after)


def _question(query: Query) -> tuple[object, ...]:
    return type(query).__name__, query.terms, query.order, query.lifecycle
