"""What LINEAL_CAPTURE and init(capture=) mean."""

import pytest

import lineal
from lineal.client.capture.parts import PARTS, parse_parts
from lineal.client.settings import resolve
from lineal.model.errors import InvalidInput
from tests.unit.client.capture.said import captures


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("all", set(PARTS)),
        ("none", set()),
        ("", set(PARTS)),
        ("code", {"code"}),
        (" Code , environment,", {"code", "environment"}),
        ("no-console", set(PARTS) - {"console"}),
        ("no-console,no-code", set(PARTS) - {"console", "code"}),
        ("all,no-code", set(PARTS) - {"code"}),
        ("no-code,code", set()),
        ("none,code", {"code"}),
    ],
)
def test_words(text, parts):
    assert parse_parts(text, "capture") == parts


@pytest.mark.parametrize("text", ["everything", "code;environment", "no-", "no-all", 5, None])
def test_what_is_not_understood_is_refused_by_name(text):
    with pytest.raises(InvalidInput) as refused:
        parse_parts(text, "capture")
    assert refused.value.field == "capture"


def test_the_variable_and_the_argument(monkeypatch):
    monkeypatch.setenv("LINEAL_CAPTURE", "execution")
    assert resolve().capture == {"execution"}
    assert resolve(capture="none").capture == set()
    monkeypatch.delenv("LINEAL_CAPTURE")
    assert resolve(capture="code").capture == {"code"}
    assert resolve().capture == set(PARTS)
    monkeypatch.setenv("LINEAL_CAPTURE", "much")
    with pytest.raises(InvalidInput) as refused:
        resolve()
    assert refused.value.field == "LINEAL_CAPTURE"


@pytest.mark.parametrize(
    ("variable", "argument", "parts"),
    [
        ("none", "all", set()),
        ("code", "all", {"code"}),
        ("no-console", "console,code", {"code"}),
        ("code", "console", set()),
        ("all", "none", set()),
        ("", "code", {"code"}),
    ],
)
def test_what_either_leaves_out_stays_out(monkeypatch, variable, argument, parts):
    monkeypatch.setenv("LINEAL_CAPTURE", variable)
    assert resolve(capture=argument).capture == parts


def test_a_wrong_word_is_refused_even_where_it_changes_nothing(monkeypatch):
    monkeypatch.setenv("LINEAL_CAPTURE", "much")
    with pytest.raises(InvalidInput) as refused:
        resolve(capture="none")
    assert refused.value.field == "LINEAL_CAPTURE"


def test_no_code_turns_on_what_was_turned_off(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_CAPTURE", "none")
    lineal.init(url=tmp_path / "lineal", capture="all").finish()
    assert captures(tmp_path / "lineal") == {}


def test_init_refuses_before_anything_is_written(tmp_path):
    with pytest.raises(InvalidInput):
        lineal.init(url=tmp_path / "lineal", capture="much")
    assert not (tmp_path / "lineal").exists()


def test_none_records_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_CAPTURE", "all")
    lineal.init(url=tmp_path / "lineal", capture="none").finish()
    assert captures(tmp_path / "lineal") == {}
