"""A pytest plugin for MLflow's own tests: their servers are replaced by one that stands elsewhere; their files stay as they are.

It runs in MLflow's environment, in a checkout of MLflow's tests, told by the environment what to do:

    COMPAT_URL      a Lineal server: every test gets a tenant of its own, `/t/{tenant}`. Without it every test gets a stock
                    server in a process of its own (`own_stock.py`).
    COMPAT_REPORT   a file that takes a line of JSON a test: its id, what became of it, and what it asked.
    COMPAT_ONLY     a file with the tests that are asked, a line each; without it all are.
    COMPAT_LINEAL   the command that starts a Lineal server of its own, for tests that start one at a port of their choice.

What is replaced: `ServerThread` and `_init_server` (the REST suites start their servers by these), `_launch_server` (the artifact
suite), `_run_mlflow_server` and `wait_until_ready` (webhooks that are told), and the fixture `store` of the SQL store suites, which
becomes a REST store: what was said to SQL is said over HTTP."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

BASE = os.environ.get("COMPAT_URL")
REPORT = Path(os.environ["COMPAT_REPORT"])
ONLY = os.environ.get("COMPAT_ONLY")
WAIT_S = 60
# They want a server that is told to leave files to its clients, below `file://`: `--default-artifact-root` there, `--artifact-root` here.
# (The other tests ask the server for files, which Lineal never opens there.)
ROOT_TESTS = (
    "test_artifacts[",
    "test_create_model_version_with_path_source",
    "test_logging_model_with_local_artifact_uri",
)


class Stock:
    """Stock servers: one is loaded once, and forked for each test."""

    def __init__(self) -> None:
        here = Path(__file__).with_name("own_stock.py")
        self._zygote = subprocess.Popen(["python", str(here)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @contextmanager
    def fresh(self, backend: str, root: str) -> Iterator[str]:
        assert self._zygote.stdin and self._zygote.stdout
        print(json.dumps({"backend": backend, "root": root}), file=self._zygote.stdin, flush=True)
        said = json.loads(self._zygote.stdout.readline())
        try:
            yield f"http://127.0.0.1:{said['port']}"
        finally:
            os.kill(said["pid"], signal.SIGKILL)


class Lineal:
    """Tenants of one server."""

    @contextmanager
    def fresh(self, backend: str, root: str) -> Iterator[str]:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2]
        if not (test.startswith(ROOT_TESTS) and root.startswith("file:")):
            yield f"{BASE}/t/{uuid.uuid4().hex}"
            return
        from tests.helper_functions import get_safe_port

        port = get_safe_port()
        with _own_server("127.0.0.1", port, "--artifact-root", root):
            yield f"http://127.0.0.1:{port}"


_servers: Stock | Lineal = Lineal() if BASE else Stock()
_asked: list[str] = []
_initialised: dict[str, str] = {}


# ------------------------------------------------------------------------------------------- what stands for their servers


class ServerThread:
    """In place of theirs: the same words, a server in another process."""

    def __init__(self, app: object, port: int) -> None:
        self._fresh = _servers.fresh(_initialised["backend"], _initialised["root"])
        self.url = ""

    def __enter__(self) -> str:
        import mlflow

        self.url = self._fresh.__enter__()
        self.health_url = f"{self.url}/health"
        # Their conftest has the process's own calls go to the server's database file; here they ask the server.
        self._before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.url)
        return self.url

    def __exit__(self, *failure: Any) -> None:
        import mlflow

        mlflow.set_tracking_uri(self._before)
        self._fresh.__exit__(*failure)

    def start(self) -> None:
        self.__enter__()

    def shutdown(self) -> None:
        self.__exit__(None, None, None)

    def join(self, timeout: float | None = None) -> None:
        pass


def _initialize_backend_stores(
    backend_store_uri: str | None = None,
    registry_store_uri: str | None = None,
    default_artifact_root: str | None = None,
    workspace_store_uri: str | None = None,
) -> None:
    """Theirs opens stores in this process, for a server in this process."""
    _initialised.update(backend=backend_store_uri or "", root=default_artifact_root or "")


@contextmanager
def _init_server(backend_uri: str, root_artifact_uri: str, *_: Any, **__: Any) -> Iterator[str]:
    import mlflow

    mlflow.set_tracking_uri(None)
    with _servers.fresh(backend_uri, root_artifact_uri) as url:
        yield url


@contextmanager
def _launch_server(host: str, port: int, *_: Any, **__: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A whole Lineal server at their port."""
    with _own_server(host, port) as server:
        yield server


@contextmanager
def _run_mlflow_server(tmp_path: Path) -> Iterator[str]:
    """A whole Lineal server that may tell webhooks of this machine."""
    from tests.helper_functions import get_safe_port

    port = get_safe_port()
    with _own_server("127.0.0.1", port, "--webhook-receiver", "localhost:*"):
        yield f"http://127.0.0.1:{port}"


def _wait_until_ready(url: str) -> None:
    """Theirs gives a server ten seconds, which are not enough where others work on the machine, too."""
    until = time.monotonic() + WAIT_S
    while not _is_up(url):
        if time.monotonic() > until:
            raise RuntimeError(f"Failed to start server at {url}")
        time.sleep(0.2)


@contextmanager
def _own_server(host: str, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryDirectory() as place:
        command = [
            *shlex.split(os.environ["COMPAT_LINEAL"]),
            "--port",
            str(port),
            "--store",
            f"sqlite:///{place}/lineal.db",
            *options,
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            until = time.monotonic() + WAIT_S
            while not _is_up(f"http://{host}:{port}/health"):
                assert server.poll() is None and time.monotonic() < until, "the server did not start"
                time.sleep(0.05)
            yield server
            server.terminate()


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture
def tracking_store(tmp_path: Path, db_uri: str) -> Iterator[Any]:
    from own_stores import TrackingStore

    root = tmp_path / "artifacts"
    root.mkdir(exist_ok=True)
    with _servers.fresh(db_uri, root.as_uri()) as url:
        yield TrackingStore(url)


@pytest.fixture
def registry_store(tmp_path: Path, db_uri: str) -> Iterator[Any]:
    from own_stores import RegistryStore

    with _servers.fresh(db_uri, tmp_path.as_uri()) as url:
        yield RegistryStore(url)


def _replace(module: Any) -> None:
    name = module.__name__
    if name.endswith("tracking.sqlalchemy_store.test_sqlalchemy_store"):
        module.store = tracking_store
    elif name.endswith("model_registry.test_sqlalchemy_store"):
        module.store = registry_store
    elif name.endswith("test_mlflow_artifacts") and BASE:
        module._launch_server = _launch_server
    elif name.endswith("webhooks.test_e2e"):
        module.wait_until_ready = _wait_until_ready
        if BASE:
            module._run_mlflow_server = _run_mlflow_server


# ------------------------------------------------------------------------------------------------------------- pytest's hooks


def pytest_configure(config: pytest.Config) -> None:
    """Before a test module is imported: they take these names from here when they are."""
    import mlflow.server.handlers as handlers
    import tests.tracking.integration_test_utils as theirs

    handlers.initialize_backend_stores = _initialize_backend_stores
    theirs.ServerThread = ServerThread  # type: ignore[misc]
    if BASE:
        theirs._init_server = _init_server

    send = requests.Session.send

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = send(session, request, **options)
        path = urllib.parse.urlsplit(request.url or "").path
        if path.startswith("/t/"):
            path = "/" + path.split("/", 3)[3]
        _asked.append(f"{request.method} {path} {answer.status_code}")
        return answer

    requests.Session.send = counted  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    if isinstance(collector, pytest.Module):
        try:
            _replace(collector.obj)
        except Exception:  # what cannot be imported is reported by the collection itself
            pass
    return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The SQL suites run each test twice, with two classes of stores; spoken over HTTP these are the same test."""
    wanted = set(Path(ONLY).read_text().splitlines()) if ONLY else None
    kept = [one for one in items if "workspace-enabled" not in one.nodeid and (wanted is None or one.nodeid in wanted)]
    config.hook.pytest_deselected(items=[one for one in items if one not in kept])
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    _asked.clear()
    return (yield)


_outcomes: dict[str, dict[str, Any]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    said = _outcomes.setdefault(report.nodeid, {"test": report.nodeid, "outcome": "passed", "why": ""})
    if report.when == "call":
        said["asked"] = list(_asked)
    if report.outcome != "passed" and said["outcome"] == "passed":
        said["outcome"] = report.outcome
        crash = getattr(report.longrepr, "reprcrash", None)
        said["why"] = (crash.message if crash else str(report.longrepr))[:2000]
        said["where"] = f"{Path(crash.path).name}:{crash.lineno}" if crash else ""
        said["trace"] = str(report.longrepr)[-4000:]
    if report.when == "teardown":
        with REPORT.open("a") as file:
            print(json.dumps(said), file=file)
