"""What one commit took in, counted where it is said: around the store's own writers, so that no way in is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from lineal.model.entities import Stamp
from lineal.series.columns import Block
from lineal.store.contracts import TenantWriter, Transaction


@dataclass(slots=True)
class Tally:
    """`refused`: the database or its disk did not take it, and the rest counts nothing."""

    request_count: int = 0
    duration_s: float = 0.0
    refused: bool = False
    point_count: int = 0
    record_count: int = 0
    journal_bytes: int = 0
    losses: Counter[str] = field(default_factory=Counter)


def counted(transaction: Transaction, tally: Tally) -> Transaction:
    """The transaction, with what its writers are told being counted."""
    return cast("Transaction", _Transaction(transaction, tally))


class _Transaction:
    def __init__(self, transaction: Transaction, tally: Tally) -> None:
        self._transaction = transaction
        self._tally = tally
        self._writers: dict[str, TenantWriter] = {}

    def tenant(self, name: str) -> TenantWriter:
        writer = self._writers.get(name)
        if writer is None:
            writer = cast("TenantWriter", _Writer(self._transaction.tenant(name), self._tally))
            self._writers[name] = writer
        return writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)


class _Writer:
    """Everything is the writer's own."""

    def __init__(self, writer: TenantWriter, tally: Tally) -> None:
        self._writer = writer
        self._tally = tally

    def append_points(self, run_id: str, writer: str, attempt: str, blocks: Sequence[Block]) -> None:
        self._tally.point_count += sum(len(block) * len(block.values) for block in blocks)
        self._writer.append_points(run_id, writer, attempt, blocks)

    def add_loss(self, run_id: str, reason: str, count: int, stamp: Stamp) -> None:
        self._tally.losses[reason] += count
        self._writer.add_loss(run_id, reason, count, stamp)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)
