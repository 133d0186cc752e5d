"""Addresses of stores: what may be shown of one."""

from __future__ import annotations

import pytest

from lineal.store.open import database_name, is_shared, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory:", "memory:"),
        ("sqlite:////srv/lineal.db", "sqlite:////srv/lineal.db"),
        ("postgresql://db/lineal", "postgresql://db/lineal"),
        ("postgresql://ann:secret@db:5432/lineal", "postgresql://ann@db:5432/lineal"),
        ("postgres://ann:se%40cret@[::1]/lineal", "postgres://ann@[::1]/lineal"),
        ("postgresql://ann:s@cret@db/lineal", "postgresql://ann@db/lineal"),
        (
            "postgresql:///lineal?host=/run/pg&password=secret&sslpassword=secret&user=ann",
            "postgresql:///lineal?host=/run/pg&user=ann",
        ),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown and "cret" not in without_secrets(url)


@pytest.mark.parametrize(
    ("url", "name", "shared"),
    [
        ("memory:", "memory", False),
        ("sqlite:////srv/team/lineal.db", "team", False),
        ("postgresql://ann:secret@db:5432/lineal?sslmode=require", "lineal", True),
        ("postgresql:///?service=team", "postgresql", True),
    ],
)
def test_what_people_call_a_store(url: str, name: str, shared: bool) -> None:
    assert (database_name(url), is_shared(url)) == (name, shared)
