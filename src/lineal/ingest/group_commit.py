"""One thread writes: what arrives while a commit runs shares the next one, and is answered once that is on disk.

A work is a function of a `Desk`. It checks, and raises what it refuses before it says anything; then it speaks. If one
fails after it has spoken, the transaction is undone and every work of it is done again alone, so that nobody's mistake
is another's. Where the database cannot be reached, all of them are done again together until it can, or patience ends."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeAlias

from lineal.ingest.compactions import Compactions
from lineal.ingest.desk import Desk, Group, Later, Said, Tenants
from lineal.ingest.known_runs import KnownRuns
from lineal.ingest.reserve import Freeing, Reserve
from lineal.ingest.tally import Tally, counted
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.entities import KeptAnswer
from lineal.model.errors import Busy, Conflict, LinealError, NewerFormat, NotWritable
from lineal.model.limits import (
    ANSWER_MAX_AGE_S,
    COMMIT_MAX_COUNT,
    COMMIT_PATIENCE_S,
    COMMIT_RETRY_S,
    COMMIT_WAITING_MAX_COUNT,
)
from lineal.store.contracts import Store, Transaction

LOG = logging.getLogger("lineal.ingest")
_FORGET_INTERVAL_S = 60.0
_MEDIUM = (NotWritable, Busy, NewerFormat)

Work: TypeAlias = Callable[[Desk], Said]


class Once(NamedTuple):
    """An Idempotency-Key, and the digest of the request that came with it."""

    key: str
    digest: str


class _Job(NamedTuple):
    tenant: str
    work: Work
    once: Once | None
    done: Future[Said]
    actor: str | None


class _Unit:
    """The works of one transaction, and what they answered in its latest try."""

    def __init__(self, jobs: list[_Job], number: int) -> None:
        self.jobs = jobs
        self.number = number
        self.has_spoken = False
        self.answers: list[tuple[_Job, Said | Exception]] = []
        self.later: list[_Job] = []
        self.tally = Tally()

    def clear(self) -> None:
        self.tally = Tally()
        self.has_spoken = False
        self.answers.clear()
        self.later.clear()


class GroupCommit:
    """The only writer of a store in this process. Ends with `close`, which first finishes what waits.

    server  under this writer's name it marks its commits, where others write the store, too, and a commit's answer may be
            lost on its way: 15 hexadecimal digits, those of nobody else
    reserve kept for works that put something away (`Freeing`). While it is given away, others are refused: they would take it"""

    def __init__(
        self,
        store: Store,
        *,
        server: str | None = None,
        reserve: Reserve | None = None,
        on_commit: Callable[[], None] = lambda: None,
        on_tally: Callable[[Tally], None] = lambda _: None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._store = store
        self._server = server
        self._reserve = reserve
        self._on_commit = on_commit
        self._on_tally = on_tally
        self._clock = clock
        self._known = KnownRuns(store)
        self._tenants = Tenants(store)
        self._compactions = Compactions()
        self._units = 0
        self._ending = threading.Event()
        self._forgotten_s = clock.monotonic_s()
        self._turn = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="lineal-commit", daemon=True)
        self._thread.start()

    def submit(self, tenant: str, work: Work, once: Once | None = None, actor: str | None = None) -> Future[Said]:
        """Done when the work is on disk; audit rows of it name the actor. Raises Busy when too many wait, or it is closed."""
        done: Future[Said] = Future()
        done.set_running_or_notify_cancel()  # so that nobody who has left can cancel it under the thread's hands
        with self._turn:
            if self._closed:
                raise Busy("the server is stopping")
            if len(self._waiting) >= COMMIT_WAITING_MAX_COUNT:
                raise Busy(f"{COMMIT_WAITING_MAX_COUNT:,} requests wait to be written")
            self._waiting.append(_Job(tenant, work, once, done, actor))
            self._turn.notify()
        return done

    def knows_run(self, tenant: str, run_id: str) -> bool:
        """Whether it is at hand that the tenant has such a run, or is about to have it. Asks nobody; from any thread."""
        return self._known.at_hand(tenant, run_id) is not None

    @property
    def waiting_count(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """Idempotent. Returns when everything submitted is on disk or refused."""
        with self._turn:
            self._closed = True
            self._turn.notify()
        self._ending.set()
        self._thread.join()

    # -- the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._turn:
                while not self._waiting and not self._closed and not self._compactions:
                    self._turn.wait()
                if self._closed and not self._waiting:
                    return
                jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), COMMIT_MAX_COUNT))]
            jobs = self._admitted(jobs)
            later = self._commit(jobs) if jobs else []
            if later:
                with self._turn:
                    self._waiting.extendleft(reversed(later))
            self._compact_some()

    def _admitted(self, jobs: list[_Job]) -> list[_Job]:
        if self._reserve is None or not jobs or self._reserve.is_back():
            return jobs
        self._refuse([job for job in jobs if not isinstance(job.work, Freeing)], NotWritable("the disk is full"))
        return [job for job in jobs if isinstance(job.work, Freeing)]

    def _refuse(self, jobs: list[_Job], error: Exception) -> None:
        if jobs and isinstance(error, _MEDIUM):
            self._on_tally(Tally(len(jobs), refused=True))
        for job in jobs:
            _answer(job, error)

    def _compact_some(self) -> None:
        """Nobody waits for it, and nothing hangs on it: where it fails, the runs' turns come again with their next points."""
        places = self._compactions.take()
        if not places or (self._reserve is not None and not self._reserve.is_there):
            return
        try:
            with self._store.begin() as transaction:
                self._tenants.begin(others_wrote=self._known.begin(transaction.change_number))
                for tenant, run_id in places:
                    transaction.tenant(tenant).compact(run_id)
            self._known.committed(transaction.change_number)
        except Exception as error:
            self._known.clear()
            if not isinstance(error, _MEDIUM):
                runs = ", ".join(run_id for _, run_id in places)
                LOG.error("runs %s could not be compacted", runs, exc_info=error)

    def _commit(self, jobs: list[_Job]) -> list[_Job]:
        """Answers all of them but those that it returns, which must come after this commit."""
        began_s = self._clock.monotonic_s()
        self._units += 1
        unit = _Unit(jobs, self._units)
        until_s: float | None = None
        while True:
            try:
                self._write(unit)
                break
            except Exception as error:
                self._known.clear()
                until_s = until_s or self._clock.monotonic_s() + COMMIT_PATIENCE_S
                if self._is_tried_again(error, until_s):
                    continue
                freeing = self._freeing(jobs, error)
                if freeing:
                    self._refuse([job for job in jobs if not isinstance(job.work, Freeing)], error)
                    return self._commit(freeing)
                if len(jobs) == 1 or isinstance(error, _MEDIUM):
                    if not isinstance(error, LinealError):
                        LOG.error("a request could not be written", exc_info=error)
                    self._refuse(jobs, error)
                    return []
                for job in jobs:
                    self._again(job)
                return []
        unit.tally.request_count = len(unit.answers)
        unit.tally.duration_s = self._clock.monotonic_s() - began_s
        self._on_tally(unit.tally)
        for job, answer in unit.answers:
            _answer(job, answer)
        self._on_commit()
        return unit.later

    def _freeing(self, jobs: list[_Job], error: Exception) -> list[_Job]:
        """Those that may have the reserve, which is given to them."""
        freeing = [job for job in jobs if isinstance(job.work, Freeing)]
        if not freeing or not isinstance(error, NotWritable) or self._reserve is None or not self._reserve.is_there:
            return []
        self._reserve.give()
        return freeing

    def _is_tried_again(self, error: Exception, until_s: float) -> bool:
        """The database cannot be reached, or others have it for long: the whole unit is said again, for a while."""
        if not isinstance(error, Busy) or self._clock.monotonic_s() >= until_s:
            return False
        return not self._ending.wait(COMMIT_RETRY_S)

    def _write(self, unit: _Unit) -> None:
        """One try. If the answer to the commit of an earlier one was lost, whether that is kept is told by the mark
        that it left: this one then has nothing to do."""
        with self._store.begin() as transaction:
            others_wrote = self._known.begin(transaction.change_number)
            self._tenants.begin(others_wrote=others_wrote)
            if not self._is_kept(transaction, unit):
                unit.clear()
                group = self._group(transaction, unit.tally)
                for job in unit.jobs:
                    try:
                        unit.answers.append((job, self._do(group, unit, job)))
                    except Later:
                        unit.later.append(job)
                    except Refusal as refusal:
                        unit.answers.append((job, refusal.error))
                self._forget(transaction, group.time_ms)
                if self._server is not None and unit.has_spoken:
                    transaction.set_mark(self._server, unit.number)
        self._tenants.keep()
        self._known.committed(transaction.change_number)

    def _is_kept(self, transaction: Transaction, unit: _Unit) -> bool:
        return self._server is not None and unit.has_spoken and transaction.find_mark(self._server) == unit.number

    def _again(self, job: _Job) -> None:
        """Alone: it cannot have to wait for another of its own transaction."""
        later = self._commit([job])
        assert not later

    def _group(self, transaction: Transaction, tally: Tally) -> Group:
        now_ms = self._now_ms(transaction)
        return Group(
            self._store,
            counted(transaction, tally),
            self._known,
            now_ms,
            self._tenants,
            self._compactions,
            tally=tally,
        )

    def _now_ms(self, transaction: Transaction) -> int:
        return transaction.stamp_ms(self._clock.time_ns() // 1_000_000)

    def _do(self, group: Group, unit: _Unit, job: _Job) -> Said:
        desk = Desk(group, job.tenant, job.actor)
        try:
            kept = self._kept(desk, job)
            said = job.work(desk) if kept is None else kept
        except LinealError as error:
            if desk.has_spoken or isinstance(error, Busy):
                raise
            raise Refusal(error) from None
        if job.once is not None and kept is None:
            answer = KeptAnswer(job.once.key, job.once.digest, said.status, said.body, group.time_ms)
            desk.writer.keep_answer(answer)
            desk.has_spoken = True
        unit.has_spoken |= desk.has_spoken
        return said

    @staticmethod
    def _kept(desk: Desk, job: _Job) -> Said | None:
        if job.once is None or not desk.is_known:
            return None
        found = desk.writer.find_answer(job.once.key)
        if found is None:
            return None
        if found.digest != job.once.digest:
            raise Conflict("this Idempotency-Key came with another request before", field="Idempotency-Key")
        return Said(found.status, found.body)

    def _forget(self, transaction: Transaction, time_ms: int) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._forgotten_s > _FORGET_INTERVAL_S:
            self._forgotten_s = now_s
            for tenant in self._tenants.known():
                transaction.tenant(tenant).forget_answers(time_ms - int(ANSWER_MAX_AGE_S * 1000))


class Refusal(Exception):
    """What a work refused before it said anything: nothing of the others is touched."""

    def __init__(self, error: LinealError) -> None:
        super().__init__(error)
        self.error = error


def _answer(job: _Job, answer: Said | Exception) -> None:
    if isinstance(answer, Exception):
        job.done.set_exception(answer)
    else:
        job.done.set_result(answer)
