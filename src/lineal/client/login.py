"""What this user shows a server to be let in: LINEAL_TOKEN, else what `lineal login` kept."""

from __future__ import annotations

import json
import os
from typing import Any

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
        known = _read()["servers"][server.url]["token"]
    except (KeyError, TypeError):
        return None
    return known if isinstance(known, str) else None


def save_token(server: ServerAddress, token: str) -> None:
    """Keeps it for that server, in place of another. The file is this user's alone (0600). Raises OSError."""
    kept = _read()
    servers = kept.get("servers")
    servers = servers if isinstance(servers, dict) else {}
    _write({**kept, "servers": {**servers, server.url: {"token": token}}})


def drop_token(server: ServerAddress) -> str | None:
    """Forgets it; what it was, or None. Raises OSError."""
    kept = _read()
    servers = kept.get("servers")
    known = servers.pop(server.url, None) if isinstance(servers, dict) else None
    if known is not None:
        _write(kept)
    token = known.get("token") if isinstance(known, dict) else None
    return token if isinstance(token, str) else None


def _read() -> dict[str, Any]:
    """{} for a file that is not there, or is not one of ours."""
    try:
        with open(login_path(), encoding="utf-8") as file:
            kept = json.load(file)
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(kept: dict[str, Any]) -> None:
    """Whole or not at all."""
    path = login_path()
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}.part"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        try:
            os.unlink(draft)
        except OSError:
            pass
        raise
