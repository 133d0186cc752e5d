"""One field of all runs, as it compares: numbers, texts, or either, as params have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineal.model.limits import ORDER_TEXT_CHARS
from lineal.model.values import value_text
from lineal.query.evaluate import NAN_KEY, NO_KEY, Operand, SortKey, holds, operand_of, tells_nan
from lineal.query.syntax import LIST_OPERATORS, PATTERN_OPERATORS, Comparison, Field, Scalar
from lineal.query.value_sets import split_values
from lineal.series.columns import Int64s
from lineal.store.search.numbers import Keys, Mask, NumberColumn, Rows, resized
from lineal.store.search.patterns import ordering_test, pattern_test
from lineal.store.search.pool import TextPool
from lineal.store.search.texts import TextColumn


class Column:
    """Rows are numbered as in the table of runs. `through`: up to which of its changes this is right."""

    def __init__(self, field: Field, capacity: int) -> None:
        self.field = field
        self.through = -1
        self._capacity = capacity
        self.numbers = None if field.is_text else NumberColumn(capacity)
        self.texts = None if field.is_number else TextColumn(capacity)
        self._whole: TextColumn | None = None
        self._is_nan: Mask | None = None  # where a metric is NaN, and not missing

    @property
    def size_bytes(self) -> int:
        parts = sum(part.size_bytes for part in (self.numbers, self.texts, self._whole) if part is not None)
        return parts + (0 if self._is_nan is None else len(self._is_nan))

    def resize(self, capacity: int) -> None:
        self._capacity = capacity
        for part in (self.numbers, self.texts, self._whole):
            if part is not None:
                part.resize(capacity)
        if self._is_nan is not None:
            self._is_nan = resized(self._is_nan, capacity, False)

    def set(
        self,
        cleared: Rows,
        rows: Int64s,
        numbers: Sequence[int | float | None],
        texts: Sequence[str | None] | None,
    ) -> None:
        """These rows have these values now, and the others of the cleared ones none."""
        if self.numbers is not None:
            self.numbers.clear(cleared)
            self.numbers.set(rows, numbers)
            if tells_nan(self.field):
                self._set_nan(cleared, rows)
        if self.texts is not None:
            self.texts.clear(cleared)
            if texts is not None and (self.texts.pool.count or any(text is not None for text in texts)):
                self.texts.set(rows, texts)
        if self._whole is not None:
            self._whole.clear(cleared)
            self._whole.set(rows, self._texts_of(rows))

    def _set_nan(self, cleared: Rows, rows: Int64s) -> None:
        assert self.numbers is not None
        is_nan = ~self.numbers.has(rows)
        if self._is_nan is None and not is_nan.any():
            return
        if self._is_nan is None:
            self._is_nan = np.zeros(self._capacity, np.bool_)
        self._is_nan[cleared] = False
        self._is_nan[rows] = is_nan

    @property
    def is_wasteful(self) -> bool:
        return any(part is not None and part.is_wasteful for part in (self.texts, self._whole))

    # -- filters -------------------------------------------------------------------------------------------

    def has(self, rows: Rows) -> Mask:
        """Where there is a value."""
        if self.numbers is None:
            assert self.texts is not None
            return self.texts.has(rows)
        found = self.numbers.has(rows)
        return found if self.texts is None else found | self.texts.has(rows)

    def holds(self, comparison: Comparison, rows: Rows) -> Mask:
        """As `evaluate.holds`, of many rows."""
        name, value = comparison.operator, comparison.value
        if name == "is not null":
            return self.has(rows)
        if name == "is null":
            return ~self.has(rows)
        if self.field.kind == "dataset":
            return self._holds_of_sets(comparison, rows)
        if name in PATTERN_OPERATORS or name == "^=":
            return self._matches(name, str(value), rows)
        if name in LIST_OPERATORS:
            assert isinstance(value, tuple)
            return self._holds_of_many(name, value, rows)
        return self._compares(name, value, rows)  # type: ignore[arg-type]

    def _holds_of_sets(self, comparison: Comparison, rows: Rows) -> Mask:
        """Where one of the values that a text holds satisfies it."""
        assert self.texts is not None

        def test(pool: TextPool, first: int) -> Mask:
            return np.array([holds(comparison, text) for text in pool.texts(first)], np.bool_)

        return self.texts.satisfies(comparison, test, rows)

    def count_texts(self, rows: Int64s, prefix: str) -> list[tuple[str, int]]:
        """Texts of these rows that begin so, and how often; one may be told several times."""
        if self.field.kind == "dataset":
            sets = self._count_whole_texts(rows, "")
            return [(one, count) for text, count in sets for one in split_values(text) if one.startswith(prefix)]
        return self._count_whole_texts(rows, prefix)

    def _count_whole_texts(self, rows: Int64s, prefix: str) -> list[tuple[str, int]]:
        whole = self._whole_texts()
        if prefix:
            rows = rows[whole.satisfies(("^=", prefix), pattern_test("^=", prefix), rows)]
        code = whole.code[rows]
        counts = np.bincount(code[code >= 0], minlength=0)
        used = np.flatnonzero(counts)
        if len(used) * 4 > whole.pool.count:  # all at once is ten times faster than one by one
            texts = whole.pool.texts()
            return [(texts[place], count) for place, count in zip(used.tolist(), counts[used].tolist(), strict=True)]
        return [(whole.pool[place], count) for place, count in zip(used.tolist(), counts[used].tolist(), strict=True)]

    def _matches(self, name: str, pattern: str, rows: Rows) -> Mask:
        if self.field.is_number:
            return self._nothing(rows)
        plain = name.removeprefix("not ")
        found = self._whole_texts().satisfies((plain, pattern), pattern_test(plain, pattern), rows)
        return found if plain == name else self.has(rows) & ~found

    def _holds_of_many(self, name: str, values: tuple[Scalar, ...], rows: Rows) -> Mask:
        operands = [operand_of(value) for value in values]
        if name == "in":
            return self._is_in(operands, rows)
        if not all(self._takes(operand) for operand in operands):
            # One of them can be compared with nothing: neither "!=" nor a bound holds.
            return self._nothing(rows)
        if name == "not in":
            return self.has(rows) & ~self._is_in(operands, rows)
        low, high = values
        within = self._compares(">=", low, rows) & self._compares("<=", high, rows)
        return within if name == "between" else self.has(rows) & ~within

    def _is_in(self, operands: list[Operand | None], rows: Rows) -> Mask:
        found = self._nothing(rows)
        numbers = [operand.number for operand in operands if operand is not None and operand.number is not None]
        if self.numbers is not None and numbers:
            found |= self.numbers.is_in(numbers, rows)
        if self.texts is not None:
            as_text = [one for one in operands if one is not None and (self.numbers is None or one.number is None)]
            wanted = frozenset(one.text for one in as_text)
            if len(wanted) <= 4:
                for text in wanted:
                    found |= self.texts.equals(text, rows)
            else:
                found |= self.texts.satisfies(("in", wanted), lambda pool, first: pool.is_in(wanted, first), rows)
        return found

    def _takes(self, operand: Operand | None) -> bool:
        """Whether any value can be compared with it."""
        return operand is not None and (self.texts is not None or operand.number is not None)

    def _compares(self, name: str, value: Scalar, rows: Rows) -> Mask:
        right = operand_of(value)
        if right is None or not self._takes(right):
            return self._nothing(rows)
        if name == "!=":
            return self.has(rows) & ~self._compares("=", value, rows)
        if self.numbers is not None and right.number is not None:
            return self.numbers.compare(name, right.number, rows)
        if name == "=":
            # The text of a number reads as one, and this does not.
            assert self.texts is not None
            return self.texts.equals(right.text, rows)
        return self._whole_texts().satisfies((name, right.text), ordering_test(name, right.text), rows)

    def _nothing(self, rows: Rows) -> Mask:
        if isinstance(rows, slice):
            return np.zeros(len(range(*rows.indices(self._capacity))), np.bool_)
        return np.zeros(len(rows), np.bool_)

    def _whole_texts(self) -> TextColumn:
        """Texts of all values, those of numbers included; made when first asked for."""
        if self.numbers is None:
            assert self.texts is not None
            return self.texts
        if self._whole is None:
            assert self.texts is not None
            if not self.numbers.has(slice(None)).any():
                return self.texts
            whole = TextColumn(self._capacity)
            rows = np.flatnonzero(self.has(slice(None)))
            whole.set(rows, self._texts_of(rows))
            self._whole = whole
        return self._whole

    def _texts_of(self, rows: Int64s) -> list[str | None]:
        assert self.numbers is not None and self.texts is not None
        codes, pool, number_at = self.texts.code[rows].tolist(), self.texts.pool, self.numbers.get
        return [
            pool[code] if code >= 0 else _text_of_number(number_at(row))
            for code, row in zip(codes, rows.tolist(), strict=True)
        ]

    # -- order ---------------------------------------------------------------------------------------------

    def bands(self, rows: Int64s, descending: bool) -> list[tuple[Int64s, Keys]]:
        """The rows in bands, each with what orders it: numbers, texts, a metric's NaN, those that have none of these."""
        bands: list[tuple[Int64s, Keys]] = []
        rest = rows
        if self.numbers is not None:
            has = self.numbers.has(rest)
            of_numbers, rest = rest[has], rest[~has]
            bands.append((of_numbers, self.numbers.keys(of_numbers, descending)))
        if self.texts is not None:
            has = self.texts.has(rest)
            of_texts, rest = rest[has], rest[~has]
            bands.append((of_texts, [self.texts.keys(of_texts, descending)]))
        if self._is_nan is not None:
            is_nan = self._is_nan[rest]
            bands.append((rest[is_nan], []))
            rest = rest[~is_nan]
        bands.append((rest, []))
        return [band for band in bands if len(band[0])]

    def sort_key(self, row: int) -> SortKey:
        """As `evaluate.sort_key` of its value."""
        number = None if self.numbers is None else self.numbers.get(row)
        if number is not None:
            return SortKey(0, number)
        text = None if self.texts is None else self.texts.get(row)
        if text is not None:
            return SortKey(1, text[:ORDER_TEXT_CHARS])
        return NO_KEY if self._is_nan is None or not self._is_nan[row] else NAN_KEY

    def beside(self, key: SortKey, descending: bool, rows: Int64s) -> tuple[Mask, Mask]:
        """Which rows come after that key, and which stand with it."""
        has_number = self._nothing(rows) if self.numbers is None else self.numbers.has(rows)
        has_text = self._nothing(rows) if self.texts is None else self.texts.has(rows) & ~has_number
        later = "<" if descending else ">"
        if key.kind >= NAN_KEY.kind:
            is_nan = self._nothing(rows) if self._is_nan is None else self._is_nan[rows]
            missing = ~(has_number | has_text | is_nan)
            return (missing, is_nan) if key.kind == NAN_KEY.kind else (self._nothing(rows), missing)
        if key.kind == 1:
            neither = ~(has_number | has_text)
            if self.texts is None:
                return neither, self._nothing(rows)
            text = str(key.value)
            after = has_text & self.texts.compare_order(later, text, rows)
            return after | neither, has_text & self.texts.compare_order("=", text, rows)
        if self.numbers is None:
            return np.ones(len(rows), np.bool_), self._nothing(rows)
        assert not isinstance(key.value, str)
        after = self.numbers.compare(later, key.value, rows)
        return after | ~has_number, self.numbers.compare("=", key.value, rows)


def _text_of_number(number: int | float | None) -> str | None:
    return None if number is None else value_text(number)
