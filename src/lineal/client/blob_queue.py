"""Artifacts on their way to a server: by digest, each once, however often a piece of them is lost.

They have a thread and a connection of their own: points are not kept waiting by a checkpoint of some gigabytes."""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from typing import NamedTuple

from lineal.client.backoff import Backoff
from lineal.client.outgoing import Outcome
from lineal.client.transport import OCTETS, Reply, Transport, path_of
from lineal.journal import blobs
from lineal.journal.layout import Folder
from lineal.model.errors import LinealError
from lineal.model.limits import RETRY_DRAIN_MAX_S, RETRY_MAX_S, RETRY_REFUSED_S

_WORDS = {401: "sign in, or send a token that counts", 403: "this token may not write"}


class WaitingBlob(NamedTuple):
    tenant: str
    digest: str
    size_bytes: int


class BlobSender:
    """Sends blobs of one folder. `why` says what the server had against the last."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.why = ""
        self.retry_after_s: float | None = None

    def list_waiting(self) -> list[WaitingBlob]:
        """Every blob of the folder that was not sent, of all tenants."""
        return [
            WaitingBlob(tenant, blob.digest, blob.size_bytes)
            for tenant in blobs.list_blob_tenants(self._folder)
            for blob in blobs.list_blobs(self._folder, tenant)
            if not blob.is_aside
        ]

    def send(self, waiting: WaitingBlob, transport: Transport) -> Outcome:
        """ "sent" also if the server had it. Raises Unreachable, OSError."""
        path = blobs.find_blob(self._folder, waiting.tenant, waiting.digest)
        if path is None:
            return "sent"  # by another process
        outcome = self.send_file(path, waiting, transport)
        if outcome == "sent":
            blobs.put_aside(self._folder, waiting.tenant, waiting.digest)
        return outcome

    def send_file(self, path: str, waiting: WaitingBlob, transport: Transport) -> Outcome:
        """The same of a file that lies anywhere, and stays there."""
        address = path_of(("blobs", waiting.digest))
        known = transport.send("HEAD", address)
        if known.status == 404 and "problem" in known.headers.get("content-type", ""):
            known = self._put(path, address, known, transport)
        if known.is_good and _is_ours(known, waiting):
            return "sent"
        self.why = str(known.problem.get("detail") or _WORDS.get(known.status) or f"status {known.status}")
        self.retry_after_s = known.retry_after_s
        # The answer to HEAD has no words: who may not ask is told by the status alone.
        is_ours = bool(known.problem) or known.status in (401, 403)
        is_refusal = 400 <= known.status < 500 and known.status not in (408, 409, 429) and is_ours
        return "refused" if is_refusal else "later"

    def _put(self, path: str, address: str, known: Reply, transport: Transport) -> Reply:
        """From where the server has it: what arrived of an upload that broke is not sent again."""
        size = os.path.getsize(path)
        said = known.headers.get("upload-offset", "0")
        offset = int(said) if said.isdigit() and int(said) <= size else 0
        headers = {"Content-Type": OCTETS, "Content-Length": str(size - offset)}
        if offset:
            headers["Upload-Offset"] = str(offset)
        with open(path, "rb") as file:
            return transport.send("PUT", address, file=file, start=offset, headers=headers)


def _is_ours(reply: Reply, waiting: WaitingBlob) -> bool:
    """A proxy's page is no acknowledgement: the answer names the digest, as its tag or in its body."""
    if reply.headers.get("etag", "").strip('"') == waiting.digest:
        return True
    said = reply.problem  # the body, if it is JSON
    return said.get("digest") == waiting.digest


class BlobQueue:
    """This process's artifacts. Its thread ends when nothing is left. `on_refusal(why)` is told of what only a person can mend,
    `on_step()` whenever something has changed."""

    def __init__(
        self, folder: Folder, transport: Transport, on_refusal: Callable[[str], None], on_step: Callable[[], None]
    ) -> None:
        self._sender = BlobSender(folder)
        self.transport = transport
        self._on_refusal = on_refusal
        self._on_step = on_step
        self.is_awaited = False
        self._reset()

    def _reset(self) -> None:
        self._waiting: list[WaitingBlob] = []
        self._backoff = Backoff()
        self._bell = _thread.allocate_lock()
        self._bell.acquire()
        self._is_running = False
        self.is_refused = False

    def after_fork_in_child(self) -> None:
        self.transport.close()
        self._reset()

    @property
    def why(self) -> str:
        return self._backoff.why

    def add(self, blob: WaitingBlob) -> None:
        self._waiting.append(blob)
        self.start()

    def unsent_bytes(self) -> int:
        return sum(max(1, blob.size_bytes) for blob in tuple(self._waiting))

    def start(self) -> None:
        """Now, whatever happened before."""
        if not self._waiting:
            return
        self._backoff.due_s = 0.0
        self.is_refused = False
        if self._is_running:
            if self._bell.locked():
                self._bell.release()
            return
        self._is_running = True
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:  # the interpreter ends: whoever drains does the work
            self._is_running = False

    def _run(self) -> None:
        while True:
            while self._waiting:
                wait_s = self._backoff.wait_s()
                if wait_s:
                    self._bell.acquire(timeout=wait_s)
                else:
                    self.send_next()
            self._is_running = False
            if not self._waiting or self._is_running:  # one may have been added in between, which saw a thread that ran
                return
            self._is_running = True

    def send_next(self) -> None:
        """Never raises."""
        blob = self._waiting[0]
        try:
            outcome = self._sender.send(blob, self.transport)
            why, retry_after_s = self._sender.why, self._sender.retry_after_s
        except (LinealError, OSError) as error:
            outcome, why, retry_after_s = "later", str(error), None
        except Exception as error:
            outcome, why, retry_after_s = "later", f"{type(error).__name__}: {error}", None
        if outcome == "sent":
            self._waiting.pop(0)
            self._backoff.clear()
        elif outcome == "refused":
            self._waiting.append(self._waiting.pop(0))
            self._backoff.fail(why, RETRY_REFUSED_S)
            self.is_refused = True
            self._on_refusal(why)
        else:
            self._backoff.fail(why, retry_after_s, RETRY_DRAIN_MAX_S if self.is_awaited else RETRY_MAX_S)
        self._on_step()
