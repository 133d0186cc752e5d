"""Which experiment a name means, once experiments were renamed: a pure function of what was said, in whatever order it became known.

An experiment is known by the first name it had (its *key*): its id is made of that, and it never changes. To rename it is to claim
another name for it. A claimed name means that experiment from then on, also when it is called something else by now, so that
programs which still log to an old name, or which know only a former one, reach it (docs/adr/0021-renamed-experiments.md).

A claim is void where the name was an experiment's own before: two that were renamed into each other, offline, stay two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lineal.model.entities import Stamp


class Claim(NamedTuple):
    """That `key`'s experiment is called `name`: when it was said first, and last."""

    key: str
    name: str
    first: Stamp
    last: Stamp


class Naming(NamedTuple):
    """`homes`: a name that was claimed -> the key of the experiment that it means. `shown`: key -> what it is called, where that
    is not the key itself."""

    homes: dict[str, str]
    shown: dict[str, str]

    def key_of(self, name: str) -> str:
        """Of the experiment that a name means."""
        return self.homes.get(name, name)

    def name_of(self, key: str) -> str:
        return self.shown.get(key, key)


def naming_of(created: Mapping[str, int | None], claims: Iterable[Claim]) -> Naming:
    """`created`: name -> when an experiment was first spoken of by it, None where nobody did."""
    valid = []
    for claim in claims:
        spoken_ms = created.get(claim.name)
        if claim.name == claim.key or spoken_ms is None or spoken_ms >= claim.first.time_ms:
            valid.append(claim)
    owner: dict[str, Claim] = {}
    for claim in valid:
        known = owner.get(claim.name)
        if claim.name != claim.key and (known is None or claim.first < known.first):
            owner[claim.name] = claim
    homes = {name: _home_of(name, owner) for name in owner}
    latest: dict[str, Claim] = {}
    for claim in valid:
        home = homes.get(claim.key, claim.key)
        known = latest.get(home)
        if homes.get(claim.name, claim.name) == home and (known is None or claim.last > known.last):
            latest[home] = claim
    return Naming(homes, {home: claim.name for home, claim in latest.items() if claim.name != home})


def _home_of(name: str, owner: Mapping[str, Claim]) -> str:
    """Each step leads to one that was spoken of earlier; within a millisecond they may lead around."""
    seen = set()
    while name in owner and name not in seen:
        seen.add(name)
        name = owner[name].key
    return name
