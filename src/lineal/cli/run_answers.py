"""What a store answers to `lineal runs list`: runs, or groups of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lineal.cli.group_table import groups_blocks
from lineal.cli.run_question import Question
from lineal.cli.run_table import runs_blocks
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lineal.cli.output import Page
    from lineal.local import LocalStore, Runs
    from lineal.store.grouped import Groups


@dataclass(frozen=True, slots=True)
class RunsAnswer:
    store: LocalStore
    question: Question
    page: Runs

    def to_json(self) -> dict[str, Any]:
        return {
            "runs": [run.to_dict() for run in self.page],
            "total": self.page.total,
            "next_page_token": self.page.next_page_token,
        }

    def blocks(self, out: Page) -> list[RenderableType]:
        return runs_blocks(self.store, self.page, self.question, out)


@dataclass(frozen=True, slots=True)
class GroupsAnswer:
    question: Question
    groups: Groups

    def to_json(self) -> dict[str, Any]:
        return {
            "groups": [
                {
                    "values": group.values,
                    "run_count": group.run_count,
                    "metrics": {name: asdict(spread) for name, spread in group.metrics.items()},
                    "run_ids": list(group.run_ids),
                }
                for group in self.groups
            ],
            "total": self.groups.total,
        }

    def blocks(self, out: Page) -> list[RenderableType]:
        return groups_blocks(self.groups, self.question, out)


def ask(store: LocalStore, question: Question, limit: int) -> RunsAnswer | GroupsAnswer:
    experiments = None if question.experiment is None else [question.experiment]
    if question.group_by:
        keys = [key for text in question.group_by for key in _keys(text)]
        groups = store.group_runs(
            keys,
            metrics=_shown_metrics(question, keys),
            order_by=list(question.order_by),
            filter=question.filter,
            experiments=experiments,
            deleted=question.deleted,
            limit=limit,
        )
        return GroupsAnswer(question, groups)
    page = store.runs(
        question.filter,
        order_by=list(question.order_by),
        limit=limit,
        offset=question.offset,
        experiments=experiments,
        deleted=question.deleted,
        page_token=question.page_token,
    )
    return RunsAnswer(store, question, page)


def _shown_metrics(question: Question, keys: Sequence[str]) -> list[str]:
    """Those that are asked for, and what groups are ordered by."""
    from lineal.query.parser import parse_orders
    from lineal.query.text import field_text

    ordering = [field_text(order.field) for order in parse_orders(question.order_by)]
    wanted = [_metric_key(text) for text in question.metrics]
    return list(dict.fromkeys([*wanted, *(text for text in ordering if text not in keys)]))


def _keys(text: str) -> list[str]:
    """Keys joined by commas, as --order-by takes them."""
    from lineal.query.parser import parse_orders
    from lineal.query.text import field_text

    orders = parse_orders(text)
    if any(order.descending for order in orders):
        raise InvalidInput(f"group_by: {text!r:.80}: a group has no direction", field="group_by")
    return [field_text(order.field) for order in orders]


def _metric_key(text: str) -> str:
    """A metric may be given by its bare name: what else could --metric mean?"""
    from lineal.query.parser import parse_field
    from lineal.query.syntax import Field
    from lineal.query.text import field_text

    try:
        return field_text(parse_field(text, "metric"))
    except InvalidInput:
        if any(character in text for character in "()`\"'") or not text.strip():
            raise
        return field_text(Field("metric", text))
