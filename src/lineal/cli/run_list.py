"""`lineal runs list`."""

from __future__ import annotations

import click

from lineal.cli.options import experiment_option, folder_option, json_option, tenant_option
from lineal.cli.run_question import Question
from lineal.model.errors import InvalidInput

_LIMIT = 20


@click.command("list", short_help="List runs, newest first; or groups of them.")
@click.argument("filter", default="", metavar="[FILTER]")
@click.option(
    "--order-by",
    metavar="KEY",
    multiple=True,
    help='Such as "metrics.val/acc desc", params.lr, duration; several with commas or again. Else newest first. '
    "Groups: by a KEY of --group-by, or by the mean of any other; else largest first.",
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
      lineal runs list --group-by params.optimizer/lr --order-by "metrics.val/accuracy desc"

    --watch needs a terminal; with --json it prints a line of JSON whenever the answer changes, also into a pipe."""
    from lineal.cli.opening import opened

    if group_by:
        _refuse_with_groups(offset, page_token)
    elif metrics:
        raise InvalidInput("--metric sums up groups: give --group-by KEY, too", field="metric")
    asked = Question(filter, order_by, limit, offset, page_token, group_by, metrics, experiment, deleted)
    with opened(url, tenant) as store:
        if watch:
            from lineal.cli.watch import watch_listing

            watch_listing(store, asked, as_json=as_json)
            return
        from lineal.cli.run_answers import ask

        answer = ask(store, asked, limit if limit is not None else _LIMIT)
        if as_json:
            from lineal.cli.output import write_json

            write_json(answer.to_json())
            return
        from lineal.cli.output import Page

        out = Page()
        out.print(*answer.blocks(out))


def _refuse_with_groups(offset: int, page_token: str | None) -> None:
    for option, given in (("offset", bool(offset)), ("page-token", bool(page_token))):
        if given:
            raise InvalidInput(
                f"--{option} goes without --group-by: --limit says how many groups are listed, from the first",
                field=option.replace("-", "_"),
            )
