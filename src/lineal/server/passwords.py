"""Passwords, by Argon2id at the cost that RFC 9106 recommends where memory is short: 64 MiB and 50 to 100 ms for each."""

from __future__ import annotations

import threading

from lineal.model.errors import InvalidInput
from lineal.model.limits import PASSWORDS_HASHED_MAX_COUNT
from lineal.server.errors import Refused

_WAITING_MAX_COUNT = 3  # threads that wait for their turn; the others belong to requests that ask for no password


class Passwords:
    """For many threads."""

    def __init__(self) -> None:
        """InvalidInput if the package is not there."""
        try:
            from argon2 import PasswordHasher, profiles
        except ImportError as error:
            raise InvalidInput('signing in needs one more package: pip install "lineal[server]"') from error
        self._hasher = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
        self._turns = threading.Semaphore(PASSWORDS_HASHED_MAX_COUNT)
        self._waiting = threading.Semaphore(PASSWORDS_HASHED_MAX_COUNT + _WAITING_MAX_COUNT)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        with self._turns:
            return self._hasher.hash(_bytes(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; for a user who is not there, or has none, as slowly. Refused (503) where too many ask."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        if not self._waiting.acquire(blocking=False):
            refused = Refused(503, "busy", "many sign in at this moment; try again")
            refused.headers["retry-after"] = "1"
            raise refused
        try:
            with self._turns:
                if self._nobody is None:
                    self._nobody = self._hasher.hash(b"nobody's")
                self._hasher.verify(kept or self._nobody, _bytes(password))
                return kept is not None
        except (Argon2Error, InvalidHashError):
            return False
        finally:
            self._waiting.release()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
