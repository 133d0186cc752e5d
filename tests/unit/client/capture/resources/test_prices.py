"""The table of prices: what is understood, what is refused and how it says so, and what becomes of a run then."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import lineal
from lineal.client.capture.resources.prices import parse_prices, read_prices
from lineal.client.capture.resources.start import prices_path, start


def test_what_things_cost() -> None:
    prices = parse_prices(
        {
            "currency": " EUR ",
            "machine_hour": 1,
            "cpu_hour": 0.5,
            "kwh": 0.3,
            "gpu_hour": {"A100": 2.0, "A100-SXM4-80GB": 4.0, "default": 1.0},
        }
    )
    assert prices.currency == "EUR"
    assert prices.of_gpu("NVIDIA A100-SXM4-80GB") == 4.0
    assert prices.of_gpu("NVIDIA A100-PCIE-40GB") == 2.0
    assert prices.of_gpu("Tesla T4") == 1.0
    gpus = [("NVIDIA A100-PCIE-40GB", 2.0), ("Tesla T4", 1.0)]
    assert prices.cost(3.0, 4.0, 2_000.0, gpus) == pytest.approx(3 + 2 + 0.6 + 4 + 1)


def test_one_price_for_any_gpu() -> None:
    assert parse_prices({"currency": "EUR", "gpu_hour": 2}).of_gpu("whatever") == 2.0
    assert parse_prices({"currency": "EUR", "gpu_hour": {"H100": 2}}).of_gpu("Tesla T4") == 0.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cpu_hour = 1", "currency"),
        ('currency = ""', "currency"),
        ("currency = 5", "currency"),
        (f'currency = "{"x" * 50}"', "currency"),
        ('currency = "EUR"\ncpu_hours = 1', "'cpu_hours' is none of currency, gpu_hour, machine_hour"),
        ('currency = "EUR"\ncpu_hour = "1"', "cpu_hour is '1'"),
        ('currency = "EUR"\ncpu_hour = true', "cpu_hour is True"),
        ('currency = "EUR"\ncpu_hour = -1', "must be a number from 0 on"),
        ('currency = "EUR"\ncpu_hour = nan', "must be a number from 0 on"),
        ('currency = "EUR"\nkwh = inf', "must be a number from 0 on"),
        ('currency = "EUR"\n[gpu_hour]\nH100 = "dear"', "gpu_hour.H100"),
        ("currency = EUR", "no TOML"),
        ("\xff", "no TOML"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(lineal.InvalidInput) as caught:
        read_prices(str(path))
    assert says in caught.value.message and str(path) in caught.value.message
    assert caught.value.field == "LINEAL_PRICES"


def test_a_file_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(lineal.InvalidInput, match="cannot be read"):
        read_prices(str(tmp_path / "none.toml"))


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINEAL_PRICES", raising=False)
    assert prices_path(str(tmp_path)) is None
    (tmp_path / "prices.toml").write_text('currency = "EUR"')
    assert prices_path(str(tmp_path)) == str(tmp_path / "prices.toml")
    monkeypatch.setenv("LINEAL_PRICES", str(tmp_path / "other.toml"))
    assert prices_path(str(tmp_path)) == str(tmp_path / "other.toml")


def test_a_bad_table_costs_a_warning_and_the_cost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.toml").write_text('currency = "EUR"\ncpu = 1')
    monkeypatch.setenv("LINEAL_PRICES", str(tmp_path / "bad.toml"))
    with caplog.at_level(logging.WARNING, "lineal"), lineal.init("e", url=tmp_path / "f") as run:
        start(run).stop()
    assert [one for one in caplog.messages if "no cost is recorded" in one and "'cpu'" in one]
    with lineal.open_store(tmp_path / "f") as store:
        capture = store.reader().find_capture(run.run_id, "resources")
    assert capture is not None and "cost" not in capture.content and capture.content["wall_s"] >= 0
