"""LIKE, MATCHES, starts-with and orders of texts, of many at once. What they mean is `query.patterns.tester`; this is
that, faster: what a pattern needs of a text is looked for in all of them at once, and only what has it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from lineal.query.patterns import tester
from lineal.store.search.numbers import Mask
from lineal.store.search.pool import TextPool
from lineal.store.search.texts import Test

# Expressions that RE2 and Python's engine understand alike, and that the latter cannot be slow on: ASCII, plain characters,
# `.`, small classes, one of these repeated.
_PIECE = re.compile(r"([A-Za-z0-9_ /=:,#%@!~<>&;'\"-]|\\[./_-])|(\.|\\d|\[[A-Za-z0-9_.-]+\])")
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
    pieces, is_exact = needed(pattern)
    found = re.compile(pattern, re.ASCII).search if pieces is not None else None

    def quick(text: str) -> bool:
        # Python's `$` also stands before a last line break, RE2's does not.
        return one(text) if found is None or "\n" in text else found(text) is not None

    def test(pool: TextPool, first: int) -> Mask:
        if pieces is None:
            return np.fromiter(map(one, pool.texts(first)), np.bool_, pool.count - first)
        has = pool.like(pieces, first)
        return has if is_exact else _of_some(pool, first, has, quick, False)

    return test


def needed(pattern: str) -> tuple[list[str] | None, bool]:
    """Of a plain expression: the pieces that a text must have, as LIKE has them, and whether that is all. None of another."""
    if len(pattern) > _PLAIN_MAX_CHARS:
        return None, False
    at, end = 0, len(pattern)
    begins = pattern.startswith("^")
    ends = pattern.endswith("$") and not pattern.endswith("\\$")
    at, end = at + begins, end - ends
    pieces = [""] if begins else ["", ""]
    repeats, is_exact = 0, True
    while at < end:
        piece = _PIECE.match(pattern, at, end)
        if piece is None:
            return None, False
        at = piece.end()
        repeat = _REPEAT.match(pattern, at, end)
        if repeat is not None or piece[1] is None:
            at = repeat.end() if repeat is not None else at
            repeats += repeat is not None
            is_exact = False
            pieces.append("")
        else:
            pieces[-1] += piece[1][-1]
    if not ends:
        pieces.append("")
    return (pieces, is_exact) if repeats <= _REPEATS_MAX_COUNT else (None, False)


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
