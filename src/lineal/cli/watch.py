"""`lineal runs list --watch`: asks again whenever the store has changed, and draws what it is told."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

import click

from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.cli.run_answers import GroupsAnswer, RunsAnswer
    from lineal.cli.run_question import Question
    from lineal.local import LocalStore

_LOOK_S = 0.25  # how often the folder is looked at: a few system calls a segment while nothing happens
_REDRAW_S = 1.0  # "5s ago" grows older by itself
_ASKING_SHARE = 4  # a question that takes a second is asked every four
_LINES_BESIDE = 5  # head, empty line, total, the shell's next prompt
_PIPED_LIMIT = 20


def watch_listing(store: LocalStore, question: Question, *, as_json: bool) -> None:
    """Until Ctrl-C, which is how a watch ends well. Raises InvalidInput where nothing can be redrawn."""
    if not as_json and not sys.stdout.isatty():
        raise InvalidInput(
            "--watch redraws a terminal; in a pipe give --json, too, for a line of JSON at every change", field="watch"
        )
    try:
        if as_json:
            _print_lines(store, question)
        else:
            _redraw(store, question)
    except KeyboardInterrupt:
        return


class _Follower:
    """The latest answer, asked anew when the store has changed, and not more often than asking costs."""

    def __init__(self, store: LocalStore, question: Question) -> None:
        self._store = store
        self._question = question
        self._number: int | None = None
        self._not_before = 0.0
        self._limit = 0
        self.answer: RunsAnswer | GroupsAnswer | None = None

    def look(self, limit: int) -> bool:
        """Whether there is a new answer."""
        from lineal.cli.run_answers import ask

        now = time.monotonic()
        if now < self._not_before and limit == self._limit:
            return False
        self._store.refresh()
        number = self._store.store().change_number()
        if self.answer is not None and number == self._number and limit == self._limit:
            return False
        self.answer = ask(self._store, self._question, limit)
        self._number, self._limit = number, limit
        after = time.monotonic()
        self._not_before = after + (_ASKING_SHARE - 1) * (after - now)
        return True


def _redraw(store: LocalStore, question: Question) -> None:
    from rich.console import Group
    from rich.live import Live

    from lineal.cli.output import Page

    follower = _Follower(store, question)
    follower.look(_rows(question))
    out = Page()
    drawn_at = 0.0
    with Live(console=out.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            is_new = follower.look(_rows(question))
            resized = out.fit()
            if follower.answer is not None and (is_new or resized or time.monotonic() - drawn_at >= _REDRAW_S):
                live.update(Group(*follower.answer.blocks(out)), refresh=True)
                drawn_at = time.monotonic()
            time.sleep(_LOOK_S)


def _rows(question: Question) -> int:
    """As many as the terminal has room for, unless a limit is given."""
    if question.limit is not None:
        return question.limit
    return max(1, shutil.get_terminal_size().lines - _LINES_BESIDE)


def _print_lines(store: LocalStore, question: Question) -> None:
    from lineal.cli.output import json_line

    follower = _Follower(store, question)
    limit = _PIPED_LIMIT if question.limit is None else question.limit
    said = ""
    while True:
        if follower.look(limit) and follower.answer is not None:
            line = json_line(follower.answer.to_json())
            if line != said:
                click.echo(line)
                said = line
        time.sleep(_LOOK_S)
