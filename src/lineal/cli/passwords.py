"""What is typed where nobody shall see it."""

from __future__ import annotations

import sys

import click

from lineal.model.errors import InvalidInput


def read_password(prompt: str = "Password", *, again: bool = False) -> str:
    """Typed where nobody sees it; where standard input is no terminal, its next line."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=again, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        what = f"the {prompt[0].lower()}{prompt[1:]}"
        raise InvalidInput(f"{what} is needed: type it at a terminal, or give it on standard input", field="password")
    return line
