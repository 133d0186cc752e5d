"""What things cost, as the user says it in a TOML file: LINEAL_PRICES, or `prices.toml` in the Lineal folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineal.model.errors import InvalidInput

_NUMBERS = ("machine_hour", "cpu_hour", "kwh")
_KNOWN = ("currency", "gpu_hour", *_NUMBERS)
_CURRENCY_MAX_CHARS = 16


@dataclass(frozen=True, slots=True)
class Prices:
    """For an hour of the whole machine, of a CPU at work, of a GPU, and for a kilowatt hour: 0 where nothing is said."""

    currency: str
    machine_hour: float = 0.0
    cpu_hour: float = 0.0
    kwh: float = 0.0
    gpu_hour: Mapping[str, float] = field(default_factory=dict)
    """By a part of the GPU's name, in lower case; "default" is for any other."""

    def of_gpu(self, name: str) -> float:
        """The longest part that its name has decides; of GPUs without a price, 0."""
        fitting = [part for part in self.gpu_hour if part != "default" and part in name.lower()]
        return self.gpu_hour[max(fitting, key=len)] if fitting else self.gpu_hour.get("default", 0.0)

    def cost(self, wall_h: float, cpu_h: float, energy_wh: float, gpus: Iterable[tuple[str, float]]) -> float:
        """`gpus`: of each the name and the hours."""
        things = self.machine_hour * wall_h + self.cpu_hour * cpu_h + self.kwh * energy_wh / 1_000
        return things + sum(self.of_gpu(name) * hours for name, hours in gpus)


def read_prices(path: str) -> Prices:
    """Raises InvalidInput that names the file and what is wrong with it."""
    import tomllib

    try:
        with open(path, "rb") as file:
            return parse_prices(tomllib.load(file))
    except InvalidInput as error:
        raise InvalidInput(f"prices in {path}: {error.message}", field="LINEAL_PRICES") from None
    except OSError as error:
        raise InvalidInput(f"prices cannot be read: {error}", field="LINEAL_PRICES") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"prices in {path} are no TOML: {error}", field="LINEAL_PRICES") from None


def parse_prices(said: Mapping[str, Any]) -> Prices:
    """Raises InvalidInput for what is not understood: a price that is silently 0 would be believed."""
    unknown = sorted(set(said) - set(_KNOWN))
    if unknown:
        raise InvalidInput(f"{unknown[0]!r:.60} is none of {', '.join(_KNOWN)}")
    currency = said.get("currency")
    if not isinstance(currency, str) or not 0 < len(currency.strip()) <= _CURRENCY_MAX_CHARS:
        raise InvalidInput('currency must say in what the prices are, like currency = "EUR"')
    gpu_hour = said.get("gpu_hour", {})
    if not isinstance(gpu_hour, Mapping):
        gpu_hour = {"default": gpu_hour}
    return Prices(
        currency.strip(),
        **{name: _price(said[name], name) for name in _NUMBERS if name in said},
        gpu_hour={str(name).lower(): _price(value, f"gpu_hour.{name}") for name, value in gpu_hour.items()},
    )


def _price(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise InvalidInput(f"{name} is {value!r:.60}, and must be a number from 0 on")
    return float(value)
