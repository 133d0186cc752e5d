"""What this user shows a server to be let in: LINEAL_TOKEN, else what `lineal login` kept."""

from __future__ import annotations

import json
import os

from lineal.client.address import ServerAddress

TOKEN_VARIABLE = "LINEAL_TOKEN"


def login_path() -> str:
    """Of the file that `lineal login` keeps tokens in, by the XDG base directory specification."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "lineal", "login.json")


def find_token(server: ServerAddress) -> str | None:
    """The token for that server; None without one, or if the file cannot be read."""
    given = os.environ.get(TOKEN_VARIABLE, "").strip()
    if given:
        return given
    try:
        with open(login_path(), encoding="utf-8") as file:
            known = json.load(file)["servers"][server.url]["token"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known if isinstance(known, str) else None
