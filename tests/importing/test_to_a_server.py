"""The same import, to a server: it is sent what `lineal sync` would send, and tells what it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.importing import mlflow_import
from lineal.importing.destination import ServerDestination
from lineal.importing.mlflow_sql import MlflowSql
from lineal.importing.segments import Segment, Segments
from lineal.remote.store import RemoteStore
from lineal.server.hosted import HostedSource
from tests.importing.conftest import make, run_maker
from tests.importing.foreign import filled, run_id_of
from tests.importing.test_interrupted import state
from tests.importing.test_mlflow_import import refused, with_artifacts
from tests.importing.test_mlflow_stores import bring, unclamped
from tests.server.hosting import hosting
from tests.server.let_in import new_world


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_FOLDER", str(tmp_path / "here" / ".lineal"))


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/srv/lineal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with HostedSource(url, tmp_path / "srv" / "blobs") as source, hosting(source) as client:
        yield url_of(client)


def url_of(client: httpx.Client) -> str:
    return str(client.base_url).partition("/api/v1")[0]


def comparable(place: Path | str) -> dict:
    """Addresses of artifacts differ."""
    found = state(Path(place)) if isinstance(place, Path) else state(place)  # type: ignore[arg-type]
    for one in found.values():
        one["run"].pop("artifact_uri")
    return found


def test_it_is_the_same_there(server: str, tmp_path: Path) -> None:
    source = with_artifacts(tmp_path, str(tmp_path / "files"), tmp_path / "files")
    source.add_models()
    source.add_run(run_id_of(5), 7, lifecycle_stage="deleted")
    source.add_points(run_id_of(5), "m", enumerate([float("nan"), 1.0]))
    said = bring(source.url, server)
    assert said["found"] == said["there"] and said["runs"]["new"] == 2 and said["found"]["model_versions"] == 2
    with httpx.Client(base_url=f"{server}/api/v1") as client:
        version = client.get("/models/fraud/aliases/champion").json()
        assert (version["version"], version["stage"], version["run_id"]) == (2, "production", run_id_of(0))
        assert client.get(f"/runs/{run_id_of(0)}").json()["datasets"][0]["name"] == "iris"
    again = bring(source.url, server)
    assert again["runs"]["unchanged"] == 2 and again["there"] == said["there"]
    bring(source.url, tmp_path / "local")
    assert repr(comparable(server)) == repr(comparable(tmp_path / "local"))
    source.add_points(run_id_of(0), "m/0", [(-7, 1.0), (99, 2.0)])
    (tmp_path / "files" / "more.txt").write_text("more")
    later = bring(source.url, server)
    assert later["found"] == later["there"] and later["runs"]["changed"] == 1
    with lineal.open_store(server) as store:
        assert len(store.get_run(run_id_of(0)).history("m/0")) == 42
        assert len(store.get_run(run_id_of(0)).artifacts) == 3


def test_an_interrupted_one_goes_on(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = filled(tmp_path / "mlflow.db", runs=3, steps=150)
    bring(source.url, tmp_path / "local")
    monkeypatch.setitem(Segments.__init__.__kwdefaults__, "segment_bytes", 4096)  # type: ignore[arg-type]

    class Broken(ServerDestination):
        left = 0

        def take(self, segment: Segment) -> None:
            if not self.left:
                raise InterruptedError
            self.left -= 1
            super().take(segment)

    for left in (1, 3, 5):
        with lineal.open_store(server) as store:
            assert isinstance(store, RemoteStore)
            destination = Broken(store, store.transport())
            destination.left = left
            with pytest.raises(InterruptedError):
                mlflow_import.MlflowImport(MlflowSql(source.url), destination).run()
    said = bring(source.url, server)
    assert said["found"] == said["there"]
    assert comparable(server) == comparable(tmp_path / "local")


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    assert "does not answer" in refused(source.url, "--url", "http://127.0.0.1:9", status=5)


def test_a_writer_takes_over_all_but_what_an_approver_must_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = filled(tmp_path / "mlflow.db", runs=2)
    source.add_models()
    monkeypatch.setenv("LINEAL_TENANT", "acme")
    with new_world(f"sqlite:///{tmp_path}/srv/lineal.db", tmp_path / "srv" / "blobs") as world:
        monkeypatch.setenv("LINEAL_TOKEN", world.token("reader"))
        assert "writer" in refused(source.url, "--url", world.origin, status=5)
        monkeypatch.setenv("LINEAL_TOKEN", world.token("writer"))
        said = bring(source.url, world.origin, status=1)
        assert all("approver" in one["why"] for one in said["problems"])
        assert {kind for kind in said["found"] if said["found"][kind] != said["there"][kind]} == {"aliases"}
        monkeypatch.setenv("LINEAL_TOKEN", world.token("approver"))
        said = bring(source.url, world.origin)
        assert said["found"] == said["there"] and not said["problems"]


@pytest.mark.timeout(900)
def test_mlflow_reads_back_what_it_had(tmp_path: Path) -> None:
    """MLflow's own client, of its store and then of the server that took it over."""
    made = make("mlflow3_store", f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "files")
    with (
        HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db", tmp_path / "srv" / "blobs") as source,
        hosting(source) as client,
    ):
        bring(made.source, url_of(client))
        back = run_maker("mlflow3_store", url_of(client), tmp_path / "files", "read")
    runs = {run["run_id"]: run for run in back["runs"]}
    assert len(runs) == len(made.said["runs"])
    for run in made.said["runs"]:
        assert as_told(runs[run["run_id"]]) == as_told(run)
    assert back["registered_models"] == made.said["registered_models"]
    assert [without_metrics(one) for one in back["logged_models"]] == [
        without_metrics(one) for one in made.said["logged_models"]
    ]


def without_metrics(model: dict) -> dict:
    """Of which a model has the last ones here."""
    return {key: value for key, value in model.items() if key != "metrics"}


def as_told(run: dict) -> dict:
    """Infinities that a stock store has clamped are ones here."""
    latest = {key: repr(unclamped(float(value))) for key, value in run["latest"].items()}
    history = {
        key: sorted([step, time_ms, repr(unclamped(float(value)))] for step, time_ms, value in points)
        for key, points in run["history"].items()
    }
    return {**run, "latest": latest, "history": history, "user_id": run["user_id"] or ""}
