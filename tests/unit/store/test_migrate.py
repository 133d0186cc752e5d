"""The files of the schema, and how they are cut into statements."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lineal.model.errors import NotFound
from lineal.store.sql import migrate


def test_statements() -> None:
    text = "-- a comment; with a semicolon\nCREATE TABLE a (x TEXT DEFAULT ';');\n\nCREATE INDEX i\n  ON a (x); -- trailing\n"
    found = list(migrate.statements(text))
    assert len(found) == 2 and found[1].startswith("CREATE INDEX i") and "';'" in found[0]
    with pytest.raises(ValueError, match="without an end"):
        list(migrate.statements("CREATE TABLE a (x)"))
    assert list(migrate.statements("-- nothing\n")) == []


def test_numbers_have_no_gap() -> None:
    found = migrate.migrations()
    assert list(found) == list(range(1, len(found) + 1)) and migrate.current_version() == len(found)


@pytest.mark.parametrize("numbers", [(1, 2, 2), (1, 3), (2,)])
def test_a_number_is_there_once(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    for place, number in enumerate(numbers):
        (tmp_path / f"{number:04}_of_{place}.sql").write_text("")
    with pytest.raises(RuntimeError, match="each number once"):
        migrate.numbered(tmp_path.iterdir())


def test_two_migrations_bring_an_empty_database_to_the_second() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        assert migrate.version_of(connection) == 0
        migrate.migrate(connection)
        migrate.migrate(connection)
        assert migrate.version_of(connection) == migrate.current_version()
        [application] = connection.execute("PRAGMA application_id").fetchone()
        assert application == migrate.APPLICATION_ID


def test_what_an_unfinished_statement_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt between two statements: the first is undone, too."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        monkeypatch.setattr(migrate, "migrations", lambda: {1: "CREATE TABLE a (x);\nCREATE TABLE a (x);\n"})
        with pytest.raises(sqlite3.OperationalError):
            migrate.migrate(connection)
        assert migrate.version_of(connection) == 0


def test_a_reader_of_an_older_schema_is_told_to_open_it_for_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate.migrate(connection)
        known = migrate.migrations()
        migrate.check_readable(connection)
        monkeypatch.setattr(migrate, "migrations", lambda: {**known, len(known) + 1: "CREATE TABLE b (x);\n"})
        with pytest.raises(NotFound, match="open it for writing"):
            migrate.check_readable(connection)
