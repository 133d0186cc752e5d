"""`lineal runs tag`, `delete` and `restore`: what may be changed of a run from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lineal.cli import completion
from lineal.cli.exits import NO, Refusal
from lineal.cli.options import filter_option, folder_option, json_option, tenant_option, yes_option
from lineal.cli.tags import tags_given
from lineal.model.errors import InvalidInput
from lineal.model.vocabulary import Lifecycle

if TYPE_CHECKING:
    from lineal.model.entities import Run

_NAMED_MAX_COUNT = 10


@click.command("tag", short_help="Set or remove tags of runs.")
@click.argument("arguments", metavar="[RUN]... KEY=VALUE...", nargs=-1, shell_complete=completion.run_ids)
@click.option("--remove", metavar="KEY", multiple=True, help="Remove this tag; may be given several times.")
@filter_option
@folder_option
@tenant_option
@json_option
def tag_runs(
    arguments: tuple[str, ...],
    remove: tuple[str, ...],
    filter: str | None,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Set tags of the runs named, or of all that --filter finds.

    What has a "=" is a tag, everything before it its key; what has none is a run's id, or a beginning of it:

    \b
      lineal runs tag 4f1c 9a20 stage=candidate owner=alice
      lineal runs tag --filter "metrics.val/accuracy > 0.97" --remove draft"""
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.selection import chosen

    run_ids = [text for text in arguments if "=" not in text]
    tags = tags_given([text for text in arguments if "=" in text], remove)
    if not tags:
        raise InvalidInput("no tag is given: KEY=VALUE sets one, --remove KEY removes one", field="tags")
    with opened(url, tenant) as store:
        runs = chosen(store, run_ids, filter)
    api.tag_runs([run.run_id for run in runs], tags, url=url, tenant=tenant)
    removed = sorted(remove)
    if as_json:
        from lineal.cli.output import write_json

        changed = {key: value for key, value in tags.items() if value is not None}
        write_json({"run_ids": [run.run_id for run in runs], "count": len(runs), "tags": changed, "removed": removed})
        return
    _say(f"Tagged {_counted(runs)}.", runs)


@click.command("delete", short_help="Put runs away; restore brings them back.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1, shell_complete=completion.run_ids)
@filter_option
@yes_option
@folder_option
@tenant_option
@json_option
def delete_runs(
    run_ids: tuple[str, ...], filter: str | None, yes: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Put away the runs named, or all that --filter finds: lists leave them out.

    Nothing of them is erased, and `lineal runs restore` brings them back. Asks first on a terminal. Exit status 1 if
    the answer is no."""
    _set_lifecycle("deleted", run_ids, filter, yes=yes, url=url, tenant=tenant, as_json=as_json)


@click.command("restore", short_help="Bring deleted runs back.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1, shell_complete=completion.run_ids)
@filter_option
@folder_option
@tenant_option
@json_option
def restore_runs(
    run_ids: tuple[str, ...], filter: str | None, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Bring back the deleted runs named, or all of them that --filter finds. `lineal runs list --deleted` lists them."""
    _set_lifecycle("active", run_ids, filter, yes=True, url=url, tenant=tenant, as_json=as_json)


def _set_lifecycle(
    lifecycle: Lifecycle,
    run_ids: Sequence[str],
    filter: str | None,
    *,
    yes: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.selection import chosen, confirmed

    before: Lifecycle = "active" if lifecycle == "deleted" else "deleted"
    with opened(url, tenant) as store:
        found = chosen(store, run_ids, filter, lifecycle=before)
    runs = [run for run in found if run.lifecycle == before]
    if runs and lifecycle == "deleted" and not confirmed(f"Delete {_named(runs)}?", yes=yes):
        raise Refusal("nothing was deleted", NO, "refused")
    if runs:
        api.set_lifecycle([run.run_id for run in runs], lifecycle, url=url, tenant=tenant)
    if as_json:
        from lineal.cli.output import write_json

        unchanged = [run.run_id for run in found if run.lifecycle != before]
        write_json({"run_ids": [run.run_id for run in runs], "count": len(runs), "unchanged_run_ids": unchanged})
        return
    if not runs:
        there = "deleted already" if lifecycle == "deleted" else "not deleted"
        _say(f"Nothing to do: {_counted(found)} {there}." if found else "Nothing to do: no run matches.", [])
    elif lifecycle == "deleted":
        _say(f"Deleted {_counted(runs)}. {_way_back(runs, run_ids, filter)}", runs)
    else:
        _say(f"Restored {_counted(runs)}.", runs)


def _way_back(runs: Sequence[Run], run_ids: Sequence[str], filter: str | None) -> str:
    """The command that undoes it, to be copied."""
    from shlex import quote

    from lineal.cli.wording import short_ids

    if filter is not None and len(runs) > _NAMED_MAX_COUNT:
        return f"To bring back all deleted runs that match: lineal runs restore --filter {quote(filter)}"
    return f"To bring {'it' if len(runs) == 1 else 'them'} back: lineal runs restore " + " ".join(
        short_ids([run.run_id for run in runs])
    )


def _counted(runs: Sequence[Run]) -> str:
    from lineal.cli.wording import count_text

    return count_text(len(runs), "run")


def _named(runs: Sequence[Run]) -> str:
    from lineal.cli.wording import printable, shortened

    if len(runs) == 1:
        return f"run {runs[0].run_id[:8]} ({shortened(printable(runs[0].name), 40)})"
    return _counted(runs)


def _say(line: str, runs: Sequence[Run]) -> None:
    """The line, below it the first of the runs by name."""
    from lineal.cli.output import Page
    from lineal.cli.wording import printable, short_ids, shortened

    out = Page()
    named = runs[:_NAMED_MAX_COUNT]
    for short, run in zip(short_ids([run.run_id for run in named]), named, strict=True):
        out.print(f"{short}  {shortened(printable(run.name), 60)}")
    if len(runs) > len(named):
        out.print(f"... and {len(runs) - len(named):,} more")
    out.print(line)
