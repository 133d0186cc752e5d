"""Every error that Lineal raises on purpose, and what the caller can do about it.

    LinealError
    ├── InvalidInput       a value the caller gave is not usable: mend it        (ValueError)
    │   └── OverLimit      ... because it is larger than a stated bound
    ├── NotFound           nothing by that name: look it up, then ask again      (LookupError)
    ├── Conflict           it exists already, with other content: choose
    │   └── Locked         ... because the run is locked: unlock it first, or leave it
    ├── NotWritable        the folder or file refuses writes: mend it, then retry (OSError)
    ├── NewerFormat        written by a newer Lineal: upgrade, nothing was changed
    ├── Busy               somebody else holds it for now: wait, then retry
    ├── Unreachable        a server does not answer: retry, or work on without it
    ├── NotAllowed         a server does not let this one do that: sign in, or ask for the role
    ├── NotTrusted         to read it would run its code: say `trust=True` if you trust who made it
    └── Damaged            bytes that fail their checksum: they are skipped and counted

`code` is stable and part of the contract: REST answers and `--json` output carry it.
"""

from __future__ import annotations


class LinealError(Exception):
    """Base of every error raised on purpose. `field` names the offending input, if one is to blame."""

    code = "error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInput(LinealError, ValueError):
    """A value given by the caller is not usable; the message says which one and what would be.

    Where the value is a text that was parsed (a filter, an order): `position`, from 0, is the place in it that is wrong
    and `expected` what could stand there."""

    code = "invalid_input"

    def __init__(
        self, message: str, *, field: str | None = None, position: int | None = None, expected: str | None = None
    ) -> None:
        super().__init__(message, field=field)
        self.position = position
        self.expected = expected


class OverLimit(InvalidInput):
    """A value is larger than its bound in `model/limits.py`; the message carries the bound."""

    code = "over_limit"


class NotFound(LinealError, LookupError):
    """Nothing by that name or id. `renamed_to`: what had that name is called so now."""

    code = "not_found"

    def __init__(self, message: str, *, field: str | None = None, renamed_to: str | None = None) -> None:
        super().__init__(message, field=field)
        self.renamed_to = renamed_to


class Conflict(LinealError):
    """What was to be created or set once exists already with other content."""

    code = "conflict"


class Locked(Conflict):
    """The run is locked, and refuses changes."""

    code = "locked"


class NotWritable(LinealError, OSError):
    """A folder or file that must be written refuses it."""

    code = "not_writable"


class NewerFormat(LinealError):
    """The data was written by a newer version of Lineal. Nothing was changed; upgrade to read it."""

    code = "newer_format"


class Busy(LinealError):
    """Somebody else holds what is needed; the same call may succeed a moment later. `at_once`: a connection was lost, and
    another one may be had."""

    code = "busy"
    at_once = False


class Unreachable(LinealError):
    """A server does not answer, or what answers is not one. Nothing is known of what became of the request."""

    code = "unreachable"


class NotAllowed(LinealError):
    """The server knows who asks (or does not), and does not let them."""

    code = "not_allowed"


class NotTrusted(LinealError):
    """Reading this would run code that came with it, and nobody said that it is trusted."""

    code = "not_trusted"


class Damaged(LinealError):
    """Stored bytes fail their checksum or make no sense."""

    code = "damaged"
