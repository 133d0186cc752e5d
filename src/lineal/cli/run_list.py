"""`lineal runs list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.options import experiment_option, folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lineal.cli.output import Page
    from lineal.local import LocalStore, Runs
    from lineal.store.grouped import Groups

_LIMIT = 20


@click.command("list", short_help="List runs, newest first; or groups of them.")
@click.argument("filter", default="", metavar="[FILTER]")
@click.option(
    "--order-by",
    metavar="KEY",
    multiple=True,
    help='Such as "metrics.val/acc desc", params.lr, duration; several with commas or again. Else newest first.',
)
@click.option("--limit", type=click.IntRange(0, 50_000), help=f"At most so many.  [default: {_LIMIT}]")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many runs first.")
@click.option("--page-token", metavar="TOKEN", help="The next_page_token of the page before, of the same question.")
@click.option(
    "--group-by",
    metavar="KEY",
    multiple=True,
    help="Put runs together by params.lr, tags.team, status ...; repeatable.",
)
@click.option(
    "--metric",
    "metrics",
    metavar="KEY",
    multiple=True,
    help="With --group-by, sum this up: a metric or any key; repeatable.",
)
@experiment_option
@click.option("--deleted", is_flag=True, help="The deleted runs instead; `lineal runs restore` brings them back.")
@click.option("--watch", is_flag=True, help="Draw anew whenever something changes, until Ctrl-C.")
@folder_option
@tenant_option
@json_option
def list_runs(
    filter: str,
    order_by: tuple[str, ...],
    limit: int | None,
    offset: int,
    page_token: str | None,
    group_by: tuple[str, ...],
    metrics: tuple[str, ...],
    experiment: str | None,
    deleted: bool,
    watch: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """List the runs that match FILTER, newest first.

    A filter compares params, metrics, tags and attributes of a run, joined by and, or, not and parentheses:

    \b
      lineal runs list "params.optimizer/lr = 0.01 and metrics.val/accuracy > 0.97"
      lineal runs list "status = 'failed' and start_time > '2026-01-01'"
      lineal runs list --order-by "metrics.val/accuracy desc, duration"
      lineal runs list --group-by params.optimizer/lr --metric val/accuracy

    --watch needs a terminal; with --json it prints a line of JSON whenever the answer changes, also into a pipe."""
    from lineal.cli.opening import opened

    if group_by:
        _refuse_with_groups(order_by, offset, page_token)
    elif metrics:
        raise InvalidInput("--metric sums up groups: give --group-by KEY, too", field="metric")
    asked = Question(filter, order_by, limit, offset, page_token, group_by, metrics, experiment, deleted)
    with opened(url, tenant) as store:
        if watch:
            from lineal.cli.watch import watch_listing

            watch_listing(store, asked, as_json=as_json)
            return
        answer = ask(store, asked, limit if limit is not None else _LIMIT)
        if as_json:
            from lineal.cli.output import write_json

            write_json(answer.to_json())
            return
        from lineal.cli.output import Page

        out = Page()
        out.print(*answer.blocks(out))


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be listed."""

    filter: str
    order_by: Sequence[str]
    limit: int | None
    offset: int
    page_token: str | None
    group_by: Sequence[str]
    metrics: Sequence[str]
    experiment: str | None
    deleted: bool


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
        from lineal.cli.run_table import runs_blocks

        return runs_blocks(self.store, self.page, self.question, out)


@dataclass(frozen=True, slots=True)
class GroupsAnswer:
    question: Question
    groups: Groups

    def to_json(self) -> dict[str, Any]:
        from dataclasses import asdict

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
        from lineal.cli.group_table import groups_blocks

        return groups_blocks(self.groups, self.question, out)


def ask(store: LocalStore, question: Question, limit: int) -> RunsAnswer | GroupsAnswer:
    experiments = None if question.experiment is None else [question.experiment]
    if question.group_by:
        groups = store.group_runs(
            [key for text in question.group_by for key in _keys(text)],
            metrics=[_metric_key(text) for text in question.metrics],
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


def _refuse_with_groups(order_by: Sequence[str], offset: int, page_token: str | None) -> None:
    for option, given in (("order-by", bool(order_by)), ("offset", bool(offset)), ("page-token", bool(page_token))):
        if given:
            raise InvalidInput(
                f"--{option} goes without --group-by: groups are listed largest first; --limit says how many",
                field=option.replace("-", "_"),
            )


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
