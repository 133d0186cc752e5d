"""LIKE, MATCHES, starts-with and orders of texts, of many at once. What they mean is `query.patterns.tester`; this is
that, faster: what a pattern needs of a text is looked for in all of them at once, and only what has it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import numpy as np

from lineal.query.patterns import tester
from lineal.store.search.numbers import Mask
from lineal.store.search.pool import TextPool
from lineal.store.search.texts import Test

# What an expression may be made of so that we know which texts can match: plain characters; what stands for others and is
# understood alike by RE2 and Python's engine, which cannot be slow on it; the rest, groups without flags and classes.
_PIECE = re.compile(
    r"([A-Za-z0-9_ /=:,#%@!~<>&;'\"-]|\\[./_-])"
    r"|(\.|\\d|\[[A-Za-z0-9_.-]+\])"
    r"|(\((?:\?:)?[A-Za-z0-9_ /=:,.|*+?-]*\)|\[\^?[A-Za-z0-9_. /-]+\]|\\[wsDWS])"
)
_REPEAT = re.compile(r"[*+?]|\{\d{1,2}\}")
_REPEATS_MAX_COUNT = 3
_PLAIN_MAX_CHARS = 100


def pattern_test(operator: str, pattern: str) -> Test:
    """For `like`, `ilike`, `matches` or `^=`."""
    if operator == "^=":
        return lambda pool, first: pool.like((pattern, ""), first)
    one = tester(operator, pattern)
    if operator == "matches":
        return _matches(pattern, one)
    wanted = pattern.lower() if operator == "ilike" else pattern
    pieces = re.split("[%_]+", wanted)
    is_lower = operator == "ilike"

    def test(pool: TextPool, first: int) -> Mask:
        if "_" in wanted:
            # The pieces are there in this order, which is not all.
            need = pieces if pieces[0] or pieces[-1] or len(pieces) > 2 else ["", ""]
            return _of_some(pool, first, pool.like(need, first, lower=is_lower), one, is_lower)
        found = pool.like(pieces, first, lower=is_lower)
        return _odd_ones(pool, first, found, one) if is_lower else found

    return test


def ordering_test(name: str, text: str) -> Test:
    def test(pool: TextPool, first: int) -> Mask:
        below, equal = pool.below(text, first)
        if name == "<":
            return below
        if name == "<=":
            return below | equal
        return ~below & ~equal if name == ">" else ~below

    return test


def _matches(pattern: str, one: Callable[[str], bool]) -> Test:
    # Without regard to case: what is needed is looked for in lower case, and RE2 has the last word.
    is_lower = pattern.startswith("(?i)")
    pieces, kind = needed(pattern[4:].lower() if is_lower else pattern)
    found = re.compile(pattern, re.ASCII).search if kind == "plain" else None

    def quick(text: str) -> bool:
        # Python's `$` also stands before a last line break, RE2's does not.
        return one(text) if found is None or "\n" in text else found(text) is not None

    def test(pool: TextPool, first: int) -> Mask:
        if kind == "any":
            return np.fromiter(map(one, pool.texts(first)), np.bool_, pool.count - first)
        has = pool.like(pieces, first, lower=is_lower)
        if is_lower:
            return _of_some(pool, first, has, one, is_lower)
        return has if kind == "exact" else _of_some(pool, first, has, quick, is_lower)

    return test


def needed(pattern: str) -> tuple[list[str], Literal["exact", "plain", "some", "any"]]:
    """The pieces that a text must have to match, as LIKE has them, and what is known more: "exact": it matches if it has
    them; "plain": else Python's engine tells; "some": else RE2 does; "any": nothing is needed, or we cannot tell."""
    nothing: tuple[list[str], Literal["any"]] = ([], "any")
    if len(pattern) > _PLAIN_MAX_CHARS:
        return nothing
    begins = pattern.startswith("^")
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    at, end = int(begins), len(pattern) - ends
    pieces = [""] if begins else ["", ""]
    repeats, is_exact, is_plain = 0, True, True
    while at < end:
        piece = _PIECE.match(pattern, at, end)
        if piece is None:
            return nothing
        at = piece.end()
        repeat = _REPEAT.match(pattern, at, end)
        if repeat is None and piece[1] is not None:
            pieces[-1] += piece[1][-1]
            continue
        at = at if repeat is None else repeat.end()
        repeats += repeat is not None
        is_exact = False
        is_plain &= piece[3] is None
        pieces.append("")
    if not ends:
        pieces.append("")
    if is_exact:
        return pieces, "exact"
    if is_plain and repeats <= _REPEATS_MAX_COUNT:
        return pieces, "plain"
    return (pieces, "some") if any(pieces) else nothing


def _of_some(pool: TextPool, first: int, has: Mask, one: Callable[[str], bool], is_lower: bool) -> Mask:
    """Of the texts that have what is needed, those that satisfy the test."""
    if is_lower:
        has[[number - first for number in pool.odd(first)]] = True
    found = np.zeros(len(has), np.bool_)
    places = np.flatnonzero(has)
    if len(places) * 4 > len(has):
        texts = pool.texts(first)
        found[places] = [one(texts[place]) for place in places.tolist()]
    else:
        found[places] = [one(pool[first + place]) for place in places.tolist()]
    return found


def _odd_ones(pool: TextPool, first: int, found: Mask, one: Callable[[str], bool]) -> Mask:
    """Lower case of what is not ASCII is Python's."""
    for number in pool.odd(first):
        found[number - first] = one(pool[number])
    return found
