"""MLflow's experiments are numbered, ours have ids of 16 hexadecimal digits: the number is the id's. "Default" is 0, and is
there before anybody speaks of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lineal.ingest.desk import Desk
from lineal.model.entities import Experiment
from lineal.model.errors import NotFound
from lineal.model.ids import experiment_id
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.store.contracts import TenantReader
from lineal.store.rules import DEFAULT_EXPERIMENT

DEFAULT_NUMBER = "0"
_NUMBER = re.compile(r"-?[0-9]{1,30}")


def number_of(experiment: Experiment) -> str:
    return DEFAULT_NUMBER if experiment.first_name == DEFAULT_EXPERIMENT else str(int(experiment.experiment_id, 16))


def id_of(number: str) -> str | None:
    """None for 0. MlflowError for what is no number."""
    if not _NUMBER.fullmatch(number):
        raise MlflowError(f"Invalid experiment ID '{number}'. Experiment ID must be a valid integer.")
    value = int(number)
    if value == 0:
        return None
    if not 0 < value < 2**64:
        raise unknown(number)
    return f"{value:016x}"


def unknown(number: str) -> MlflowError:
    return MlflowError(f"No Experiment with id={int(number)} exists", MISSING)


def unmade(tenant: str) -> Experiment:
    """The default one, of which nobody has spoken yet."""
    return Experiment(experiment_id(tenant, DEFAULT_EXPERIMENT), DEFAULT_EXPERIMENT, first_name=DEFAULT_EXPERIMENT)


def find_experiment(reader: TenantReader, tenant: str, number: str) -> Experiment:
    """MlflowError if there is none."""
    found = id_of(number)
    if found is None:
        return reader.find_experiment(DEFAULT_EXPERIMENT) or unmade(tenant)
    try:
        return reader.get_experiment(found)
    except NotFound:
        raise unknown(number) from None


def known_experiments(reader: TenantReader, tenant: str, numbers: Sequence[str]) -> list[Experiment]:
    """Those that there are."""
    found = []
    for number in dict.fromkeys(numbers):
        try:
            found.append(find_experiment(reader, tenant, number))
        except MlflowError as error:
            if "valid integer" in error.message:
                raise
    return found


def meant_experiment(desk: Desk, number: str) -> Experiment:
    """As a transaction may change it."""
    found = id_of(number)
    if found is None:
        return desk.find_experiment(DEFAULT_EXPERIMENT) or unmade(desk.tenant)
    try:
        return desk.get_experiment(found)
    except NotFound:
        raise unknown(number) from None


def all_experiments(reader: TenantReader, tenant: str) -> list[Experiment]:
    """Deleted ones too."""
    found: list[Experiment] = []
    while True:
        page = reader.list_experiments(lifecycle=None, limit=1_000, offset=len(found))
        found += page.experiments
        if not page.experiments or len(found) >= page.total:
            break
    if not any(one.first_name == DEFAULT_EXPERIMENT for one in found):
        found.append(unmade(tenant))
    return found
