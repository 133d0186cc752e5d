"""What a shell completes behind TAB: run ids and names of experiments. Says nothing where it cannot answer."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

_MAX_COUNT = 50


def run_ids(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Runs whose id begins so, each with its name."""
    from lineal.api import open_store
    from lineal.cli.wording import printable

    try:
        with open_store(context.params.get("url"), tenant=context.params.get("tenant")) as store:
            store.refresh()
            reader = store.reader()
            found = [reader.get_run(run_id) for run_id in reader.find_run_ids(incomplete, limit=_MAX_COUNT)]
            return [CompletionItem(run.run_id, help=printable(run.name)) for run in found]
    except Exception:  # a shell that is asked for completions has no place for a message
        return []


def experiments(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Active experiments whose name begins so."""
    from lineal.api import open_store

    try:
        with open_store(context.params.get("url"), tenant=context.params.get("tenant")) as store:
            names = [experiment.name for experiment in store.experiments() if experiment.name.startswith(incomplete)]
            return [CompletionItem(name) for name in names[:_MAX_COUNT]]
    except Exception:
        return []
