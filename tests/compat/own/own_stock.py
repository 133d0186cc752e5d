"""A stock MLflow server, loaded once and forked for each test: a process of its own without ten seconds of imports.

A line of JSON on standard input, {"backend": its database, "root": its artifacts}, is answered by one: {"port", "pid"}."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import mlflow.server.handlers as handlers
import uvicorn
from mlflow.server.fastapi_app import app

SHARED = {
    "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    # It looks up a webhook's host when one is made otherwise, and there may be nobody to ask.
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
}


def serve(listening: socket.socket, backend: str, root: str) -> None:
    os.environ.update(SHARED, _MLFLOW_SERVER_ARTIFACT_DESTINATION=tempfile.mkdtemp(), _MLFLOW_SERVER_FILE_STORE=backend)
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = root
    handlers._tracking_store = None
    handlers._model_registry_store = None
    handlers.initialize_backend_stores(backend, default_artifact_root=root)
    uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none")).run(sockets=[listening])


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: the plugin kills them
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        child = os.fork()
        if not child:
            os.chdir(tempfile.mkdtemp()) if not Path.cwd().exists() else None
            serve(listening, asked["backend"], asked["root"])
            os._exit(0)
        print(json.dumps({"port": listening.getsockname()[1], "pid": child}), file=answers, flush=True)
        listening.close()


if __name__ == "__main__":
    main()
