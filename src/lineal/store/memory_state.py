"""What the memory store keeps: statements, in dicts. Committed state is never changed; a transaction changes copies."""

from __future__ import annotations

from dataclasses import dataclass, field

from lineal.model import ids
from lineal.model.entities import Artifact, Cursor, Experiment, KeptAnswer, Layout, Run, SeriesKey, Stamp
from lineal.model.lineage import ArtifactUse, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.vocabulary import Lifecycle
from lineal.series.blocks import columns_of, concat_columns
from lineal.series.columns import Block, Columns
from lineal.series.stats import stats_of
from lineal.store.captures import CaptureKey
from lineal.store.console import ConsoleBlock
from lineal.store.contracts import AuditRow
from lineal.store.lineage import ArtifactKey, DatasetKey, ModelKey, ModelSettings
from lineal.store.memory_people import PeopleState
from lineal.store.memory_registry import RegistryState
from lineal.store.memory_webhooks import WebhookState
from lineal.store.renames import Claim, Naming, naming_of
from lineal.store.rules import DEFAULT_EXPERIMENT, AttemptFacts, Rank, SaidParams, rank, run_of, started
from lineal.store.summaries import PieceStats

Settings = dict[tuple[str, str], tuple[Stamp, str | None]]
"""(kind, name) -> the latest word on it; None is removed."""


def set_later(settings: Settings, kind: str, name: str, stamp: Stamp, value: str | None) -> bool:
    """The later statement wins; True if this one did."""
    known = settings.get((kind, name))
    if known is not None and known[0] >= stamp:
        return False
    settings[kind, name] = (stamp, value)
    return True


def values_of(settings: Settings, kind: str) -> dict[str, str]:
    return {n: value for (k, n), (_, value) in sorted(settings.items()) if k == kind and value is not None}


@dataclass(slots=True)
class ExperimentFacts:
    created_ms: int | None = None
    """None if it is known only by runs that no attempt has put elsewhere."""
    settings: Settings = field(default_factory=dict)

    def copy(self) -> ExperimentFacts:
        return ExperimentFacts(self.created_ms, dict(self.settings))


@dataclass(slots=True)
class RunState:
    attempts: dict[str, AttemptFacts] = field(default_factory=dict)
    params: dict[str, SaidParams] = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    artifacts: dict[tuple[str, Stamp], Artifact] = field(default_factory=dict)
    losses: dict[tuple[Stamp, str], int] = field(default_factory=dict)
    points: list[tuple[str, str, Block]] = field(default_factory=list)
    """(attempt, writer, rows), as they were appended."""
    datasets: dict[DatasetKey, tuple[Stamp, DatasetUse]] = field(default_factory=dict)
    models: dict[ModelKey, tuple[Stamp, ModelUse]] = field(default_factory=dict)
    captures: dict[CaptureKey, tuple[Stamp, str]] = field(default_factory=dict)
    artifact_uses: dict[ArtifactKey, tuple[Stamp, ArtifactUse]] = field(default_factory=dict)
    version_uses: dict[str, tuple[Stamp, VersionUse]] = field(default_factory=dict)
    console: list[ConsoleBlock] = field(default_factory=list)
    console_seqs: dict[str, int] = field(default_factory=dict)
    """Writer -> the sequence number of its last statement that is in the console."""

    def copy(self) -> RunState:
        return RunState(
            {key: facts.copy() for key, facts in self.attempts.items()},
            {key: {name: dict(said) for name, said in params.items()} for key, params in self.params.items()},
            dict(self.settings),
            dict(self.artifacts),
            dict(self.losses),
            list(self.points),
            dict(self.datasets),
            dict(self.models),
            dict(self.captures),
            dict(self.artifact_uses),
            dict(self.version_uses),
            list(self.console),
            dict(self.console_seqs),
        )

    def attempt(self, attempt_id: str) -> AttemptFacts:
        return self.attempts.setdefault(attempt_id, AttemptFacts(attempt_id))

    def rank(self, attempt_id: str) -> Rank:
        return rank(self.attempts.get(attempt_id), attempt_id)

    @property
    def console_line_count(self) -> int:
        return self.console[-1].first + len(self.console[-1].lines.texts) - 1 if self.console else 0

    @property
    def lifecycle(self) -> Lifecycle:
        return "deleted" if values_of(self.settings, "lifecycle").get("") == "deleted" else "active"

    @property
    def is_locked(self) -> bool:
        return values_of(self.settings, "lock").get("") == "locked"

    def run(self, tenant: TenantState, run_id: str) -> Run:
        rename = self.settings.get(("name", ""))
        return run_of(
            run_id,
            self.attempts.values(),
            None if rename is None else (rename[0], rename[1] or ""),
            self.lifecycle,
            tenant.experiment_of,
            self.is_locked,
        )

    def series_keys(self) -> list[SeriesKey]:
        return sorted({key for _, _, block in self.points if len(block) for key in block.layout.series})

    def pieces(self, key: SeriesKey) -> list[tuple[str, str, Columns]]:
        """(attempt, writer, every point), by attempt start, then writer; each in order of logging."""
        found: dict[tuple[str, str], list[Columns]] = {}
        for attempt_id, writer, block in self.points:
            columns = columns_of(block, key)
            if columns is not None and len(columns):
                found.setdefault((attempt_id, writer), []).append(columns)
        return [
            (attempt_id, writer, _in_order_of_logging(found[attempt_id, writer]))
            for attempt_id, writer in sorted(found, key=lambda source: (self.rank(source[0]), source[1]))
        ]


def piece_stats(state: RunState, key: SeriesKey) -> list[PieceStats]:
    return [
        PieceStats(state.rank(attempt_id), writer, key.value_type, int(columns.seq[-1]), stats_of(columns))
        for attempt_id, writer, columns in state.pieces(key)
    ]


def _in_order_of_logging(pieces: list[Columns]) -> Columns:
    columns = concat_columns(pieces)
    order = columns.seq.argsort(kind="stable")
    return Columns(columns.seq[order], columns.step[order], columns.time_ms[order], columns.value[order])


@dataclass(slots=True)
class TenantState:
    name: str
    experiments: dict[str, ExperimentFacts] = field(default_factory=dict)
    runs: dict[str, RunState] = field(default_factory=dict)
    cursors: dict[str, Cursor] = field(default_factory=dict)
    layouts: dict[tuple[str, int], Layout] = field(default_factory=dict)
    orphans: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    audit: list[AuditRow] = field(default_factory=list)
    changed_in: dict[str, int] = field(default_factory=dict)
    """Run -> change number of the last commit that spoke of it."""
    answers: dict[str, KeptAnswer] = field(default_factory=dict)
    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    models: dict[str, ModelSettings] = field(default_factory=dict)
    registry: RegistryState = field(default_factory=RegistryState)
    loose_files: dict[str, tuple[Stamp, ModelFile | None]] = field(default_factory=dict)
    webhooks: WebhookState = field(default_factory=WebhookState)

    def copy(self) -> TenantState:
        """Runs are shared: copy one before changing it."""
        return TenantState(
            self.name,
            {name: facts.copy() for name, facts in self.experiments.items()},
            dict(self.runs),
            dict(self.cursors),
            dict(self.layouts),
            {key: list(payloads) for key, payloads in self.orphans.items()},
            list(self.audit),
            dict(self.changed_in),
            dict(self.answers),
            dict(self.claims),
            {model_id: dict(settings) for model_id, settings in self.models.items()},
            self.registry.copy(),
            dict(self.loose_files),
            self.webhooks.copy(),
        )

    def naming(self) -> Naming:
        created = {name: facts.created_ms for name, facts in self.experiments.items()}
        return naming_of(created, self.claims.values()) if self.claims else Naming({}, {})

    def experiment_of(self, name: str) -> tuple[str, str]:
        """Id and name of the experiment that a name means."""
        naming = self.naming()
        key = naming.key_of(name)
        return ids.experiment_id(self.name, key), naming.name_of(key)

    def list_experiments(self) -> list[Experiment]:
        """By name. "Default" is among them while a run is in it that no attempt has put elsewhere."""
        facts = dict(self.experiments)
        if any(_said_experiment(state) == DEFAULT_EXPERIMENT for state in self.runs.values()):
            facts.setdefault(DEFAULT_EXPERIMENT, ExperimentFacts())
        naming = self.naming()
        homes: dict[str, list[str]] = {}
        for name in facts:
            homes.setdefault(naming.key_of(name), []).append(name)
        found = [self._experiment(key, naming, [facts[name] for name in names]) for key, names in homes.items()]
        return sorted(found, key=lambda experiment: experiment.name)

    def experiment_id_of(self, experiment_id: str) -> str:
        """Of the experiment that is meant by an id: a name that was claimed may have had its own."""
        naming = self.naming()
        known = (
            name for name in (*self.experiments, *naming.homes) if ids.experiment_id(self.name, name) == experiment_id
        )
        return next((self.experiment_of(name)[0] for name in known), experiment_id)

    def _experiment(self, key: str, naming: Naming, of_all: list[ExperimentFacts]) -> Experiment:
        settings: Settings = {}
        for facts in of_all:
            for (kind, name), (stamp, value) in facts.settings.items():
                set_later(settings, kind, name, stamp, value)
        values = {kind: value for kind, (_, value) in settings.items() if value is not None}
        created_ms = min((facts.created_ms for facts in of_all if facts.created_ms is not None), default=0)
        renamed_ms = [claim.last.time_ms for claim in self.claims.values() if naming.key_of(claim.key) == key]
        return Experiment(
            experiment_id=ids.experiment_id(self.name, key),
            name=naming.name_of(key),
            description=values.get(("description", ""), ""),
            artifact_location=values.get(("artifact_location", "")),
            lifecycle="deleted" if values.get(("lifecycle", "")) == "deleted" else "active",
            created_ms=created_ms,
            updated_ms=max([created_ms, *renamed_ms, *(stamp.time_ms for stamp, _ in settings.values())]),
            tags=values_of(settings, "tag"),
            first_name=key,
        )


def _said_experiment(state: RunState) -> str:
    opened = started(state.attempts.values())
    return opened[0].opening.start.experiment if opened and opened[0].opening else DEFAULT_EXPERIMENT


@dataclass(frozen=True, slots=True)
class State:
    tenants: dict[str, TenantState] = field(default_factory=dict)
    change_number: int = 0
    people: PeopleState = field(default_factory=PeopleState)
    last_ms: int = 0
