"""Sends what waits for webhooks (store/webhooks.py), beside everything else that a server does: a request never waits for a receiver.

One thread looks for what is due and claims it, as any other server of the store may; a few others make the tries. A claim is a lease:
a server that dies in the middle leaves the delivery to whoever looks after that, under the same id. Reads and writes of the store go
through the server's own door for writing, two small ones a try."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import random
import threading
import time
import uuid
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import NamedTuple, TypeVar

from lineal.ingest.desk import Desk, Said
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.errors import Busy, LinealError
from lineal.model.limits import (
    COMMIT_RETRY_S,
    WEBHOOK_GAP_S,
    WEBHOOK_KEPT_MAX_COUNT,
    WEBHOOK_KEPT_S,
    WEBHOOK_LEASE_S,
    WEBHOOK_LOOK_S,
    WEBHOOK_RETRY_AFTER_MAX_S,
    WEBHOOK_STOP_S,
    WEBHOOK_TESTS_MAX_COUNT,
    WEBHOOK_THREADS_COUNT,
)
from lineal.model.webhooks import Webhook
from lineal.server.webhooks.addresses import Refused
from lineal.server.webhooks.post import Answer, NoAnswer, Post
from lineal.server.webhooks.sealed import Sealed, signature
from lineal.store.contracts import Store
from lineal.store.webhooks import Claim, Outcome

LOG = logging.getLogger("lineal.server")
THREAD = "lineal-webhooks"
_FORGET_INTERVAL_S = 3_600.0
_AGAIN = (408, 425, 429)
RETRIES_S = (
    1.0,
    5.0,
    30.0,
    120.0,
)  # between tries, give or take a quarter: a receiver that is restarted is back by then

Submit = Callable[[str, Callable[[Desk], Said]], "Future[Said]"]
T = TypeVar("T")


class Tested(NamedTuple):
    """What came of a test: an answer, or the reason why there is none."""

    answer: Answer | None
    reason: str = ""


class Sender:
    """Ends with `close`. `lease_s`, `look_s`: see the limits; `on_try` hears how each try ended: delivered, retried or failed."""

    def __init__(
        self,
        store: Store,
        submit: Submit,
        post: Post,
        sealed: Sealed,
        on_try: Callable[[str], None] = lambda _: None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        lease_s: float = WEBHOOK_LEASE_S,
        look_s: float = WEBHOOK_LOOK_S,
    ) -> None:
        self._store = store
        self._submit = submit
        self.post = post
        self.sealed = sealed
        self._on_try = on_try
        self._clock = clock
        self._lease_ms = int(lease_s * 1000)
        self._look_s = look_s
        self._lock = threading.Lock()
        self._busy_count = 0
        self._full: dict[str, float] = {}
        self._served = ""
        self._tested: set[Future[Tested]] = set()
        self._threads: list[threading.Thread] = []
        self._claims: queue.SimpleQueue[tuple[str, Claim] | None] = queue.SimpleQueue()
        self._tests = threading.BoundedSemaphore(WEBHOOK_TESTS_MAX_COUNT)
        self._turn = threading.Event()
        self._ended = threading.Event()
        self._forgot_s = 0.0
        self._looker = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._looker.start()

    def wake(self) -> None:
        """Something was written."""
        self._turn.set()

    def stop(self) -> None:
        """Begins no other try. What is under way goes on; who waits for a test is told that it ends."""
        self._ended.set()
        with self._lock:
            waiting = list(self._tested)
        for done in waiting:
            _settle(done, Busy("the server is stopping: test the webhook again when it is back"))
        self._turn.set()

    def close(self) -> None:
        """Idempotent. Waits a little for tries under way; what became of others is not known, and they are made again."""
        self.stop()
        self._looker.join()
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._claims.put(None)
        until_s = time.monotonic() + WEBHOOK_STOP_S
        for thread in threads:
            thread.join(max(until_s - time.monotonic(), 0))

    def test(self, tenant: str, webhook: Webhook, body: bytes) -> Future[Tested]:
        """One try, now, beside all others. Busy when too many are made at a time."""
        if not self._tests.acquire(blocking=False):
            raise Busy("other webhooks are being tested: try again in a few seconds")
        done: Future[Tested] = Future()
        done.set_running_or_notify_cancel()
        with self._lock:
            self._tested.add(done)

        def run() -> None:
            try:
                delivery_id = str(uuid.UUID(bytes=os.urandom(16), version=4))
                _settle(done, Tested(self._post(tenant, webhook, delivery_id, body)))
            except (Refused, NoAnswer) as error:
                _settle(done, Tested(None, error.text))
            except ValueError as error:
                _settle(done, Tested(None, str(error)))
            except BaseException as error:
                _settle(done, error)
            finally:
                with self._lock:
                    self._tested.discard(done)
                self._tests.release()

        threading.Thread(target=run, name=f"{THREAD}-test", daemon=True).start()
        return done

    # -- the looker ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.is_set():
            self._turn.clear()
            wait_s = self._look_s
            try:
                wait_s = self._look()
                self._forget_old()
            except LinealError as error:
                LOG.warning("webhooks cannot be looked at for the moment: %s", error.message)
            except RuntimeError:
                if not self._ended.is_set():  # the store was closed meanwhile
                    LOG.exception("webhooks could not be looked at")
            except Exception:
                LOG.exception("webhooks could not be looked at")
            self._ended.wait(WEBHOOK_GAP_S)
            self._turn.wait(wait_s)

    def _look(self) -> float:
        """Until the next look, unless it is woken."""
        now_ms = self._now_ms()
        listed = self._store.list_due()
        due = sorted(tenant for tenant, due_ms in listed.items() if due_ms <= now_ms)
        # In turn, each its share: whoever has much waiting, or slow receivers, takes the threads of nobody else.
        after = bisect_right(due, self._served)
        for tenant in [*due[after:], *due[:after]]:
            if self._full.get(tenant, 0.0) > time.monotonic():
                continue
            free = WEBHOOK_THREADS_COUNT - self._busy_count
            if free <= 0 or self._ended.is_set():
                break  # whoever is ready wakes it
            claims = self._claim(tenant, max(1, free // len(due)))
            if claims:
                self._served = tenant
            for claim in claims:
                self._hand_over(tenant, claim)
            if not claims:
                # What is due is of webhooks that have as many tries as they may: not asked for with every commit.
                self._full[tenant] = time.monotonic() + self._look_s
        later = [due_ms for due_ms in listed.values() if due_ms > now_ms]
        return min((min(later) - now_ms) / 1000, self._look_s) if later else self._look_s

    def _claim(self, tenant: str, limit: int) -> list[Claim]:
        def claim(desk: Desk) -> list[Claim]:
            found = desk.writer.webhooks().claim(desk.time_ms, desk.time_ms + self._lease_ms, limit)
            desk.has_spoken |= bool(found)
            return found

        return self._written(tenant, claim)

    def _hand_over(self, tenant: str, claim: Claim) -> None:
        with self._lock:
            self._busy_count += 1
            if self._busy_count > len(self._threads):
                thread = threading.Thread(target=self._send_all, name=f"{THREAD}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._claims.put((tenant, claim))

    def _forget_old(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._forgot_s and now_s - self._forgot_s < _FORGET_INTERVAL_S:
            return
        self._forgot_s = now_s
        before_ms = self._now_ms() - int(WEBHOOK_KEPT_S * 1000)
        for tenant in self._store.list_tenants():
            if self._store.tenant(tenant).webhooks().count_deliveries():
                self._written(tenant, lambda desk: desk.webhooks.forget(before_ms, WEBHOOK_KEPT_MAX_COUNT))

    # -- the others ----------------------------------------------------------------------------

    def _send_all(self) -> None:
        while True:
            given = self._claims.get()
            if given is None:
                return
            try:
                self._send(*given)
            except Exception:
                LOG.exception("a delivery could not be made")  # its lease ends, and it is made again
            finally:
                with self._lock:
                    self._busy_count -= 1
                self._full.pop(given[0], None)
                self.wake()

    def _send(self, tenant: str, claim: Claim) -> None:
        began_s = time.monotonic()
        outcome = self._outcome(tenant, claim)
        how = "delivered" if outcome.is_delivered else "failed" if outcome.retry_ms is None else "retried"
        with self._lock:
            self._on_try(how)
        delivery = claim.delivery
        if not outcome.is_delivered:
            LOG.log(
                logging.WARNING if how == "failed" else logging.INFO,
                "webhook %s of tenant %s: delivery %s %s at try %d: %s",
                *(claim.webhook.name, tenant, delivery.delivery_id, how, delivery.attempt_count, outcome.reason),
            )
        while True:
            try:
                self._written(tenant, lambda desk: desk.webhooks.settle(delivery, outcome, desk.time_ms))
                return
            except LinealError as error:
                held_s = self._lease_ms / 1000 - (time.monotonic() - began_s)
                if held_s <= 0 or self._ended.wait(min(10 * COMMIT_RETRY_S, held_s)):
                    LOG.warning("what became of delivery %s is not kept: %s", delivery.delivery_id, error.message)
                    return

    def _outcome(self, tenant: str, claim: Claim) -> Outcome:
        delivery, webhook = claim
        try:
            answer = self._post(tenant, webhook, delivery.delivery_id, delivery.body.encode())
        except NoAnswer as error:
            return self._vain(delivery.attempt_count, None, error.text, None)
        except Refused as error:
            return Outcome(False, reason=error.text)
        except ValueError as error:  # its secret
            return Outcome(False, reason=str(error))
        if 200 <= answer.status < 300:
            return Outcome(True, answer=answer.status)
        if answer.status in _AGAIN or answer.status >= 500:
            return self._vain(
                delivery.attempt_count, answer.status, "its answer asks for another try", answer.retry_after_s
            )
        said = "redirects are not followed" if 300 <= answer.status < 400 else "its answer is no"
        return Outcome(False, answer=answer.status, reason=said)

    def _vain(self, attempt_count: int, answer: int | None, reason: str, retry_after_s: float | None) -> Outcome:
        if attempt_count > len(RETRIES_S):
            return Outcome(False, answer=answer, reason=reason)
        wait_s = RETRIES_S[attempt_count - 1] * random.uniform(0.75, 1.25)
        wait_s = max(wait_s, min(retry_after_s or 0, WEBHOOK_RETRY_AFTER_MAX_S))
        return Outcome(False, self._now_ms() + int(wait_s * 1000), answer, reason)

    def _post(self, tenant: str, webhook: Webhook, delivery_id: str, body: bytes) -> Answer:
        timestamp = str(self._now_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "X-MLflow-Delivery-Id": delivery_id,
            "X-MLflow-Timestamp": timestamp,
        }
        if webhook.secret is not None:
            secret = self.sealed.open(webhook.secret, tenant, webhook.webhook_id)
            headers["X-MLflow-Signature"] = signature(secret, delivery_id, timestamp, body)
        return self.post.send(webhook.url, headers, body)

    # -- the store -----------------------------------------------------------------------------

    def _written(self, tenant: str, do: Callable[[Desk], T]) -> T:
        """What it returned in the try that is on disk."""
        found: list[T] = []

        def work(desk: Desk) -> Said:
            found[:] = [do(desk)]
            return Said(200, b"")

        self._submit(tenant, work).result()
        return found[0]

    def _now_ms(self) -> int:
        return self._clock.time_ns() // 1_000_000


def _settle(done: Future[Tested], with_what: Tested | BaseException) -> None:
    """Unless it was settled already: by a server that stops."""
    with contextlib.suppress(InvalidStateError):
        if isinstance(with_what, BaseException):
            done.set_exception(with_what)
        else:
            done.set_result(with_what)


def example_body(event: str, tenant: str, moment: str) -> bytes:
    """What a test sends: an event of that kind, of a model that is not there. Names are those by which MLflow's receivers know a test."""
    entity, _, action = event.partition(".")
    data: dict[str, object] = {"name": "example_prompt" if entity.startswith("prompt") else "example_model"}
    if entity not in ("registered_model", "prompt", "prompt_tag"):
        data["version"] = "1"
    if "alias" in entity:
        data["alias"] = "example_alias"
        if action == "deleted":
            del data["version"]
    elif "tag" in entity:
        data["key"] = "example_key"
        if action == "set":
            data["value"] = "example_value"
    else:
        data |= {"tags": {"example_key": "example_value"}, "description": "a test of this webhook"}
        if entity == "model_version":
            data |= {"source": "models:/123", "run_id": "abcd1234abcd5678"}
        elif entity == "prompt_version":
            data["template"] = "{{ question }}"
    return json.dumps(
        {"entity": entity, "action": action, "timestamp": moment, "data": data, "workspace": tenant}
    ).encode()
