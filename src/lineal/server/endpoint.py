"""A route as data: the app serves it, and the OpenAPI document describes it, from the same line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from msgspec import Struct

from lineal.model.limits import REQUEST_BODY_MAX_BYTES

if TYPE_CHECKING:
    from starlette.responses import Response

    from lineal.journal.blobs import Blob
    from lineal.server.context import Context
    from lineal.server.form import Form

Q = TypeVar("Q")
B = TypeVar("B")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Access = Literal["open", "user", "reader", "writer", "approver", "admin", "server_reader", "server_admin"]


class NoQuery(Struct, frozen=True):
    """Nothing is asked beside the path."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a foreign protocol's routes differ from ours: `refusal` words every error, `tenant_header` is one more name of
    X-Tenant-ID, queries are handed over as they came (`Asked.pairs`), and HTTP Basic says who asks as a token does."""

    refusal: Callable[[Exception], Response]
    tenant_header: str | None = None


@dataclass(frozen=True, slots=True)
class Asked(Generic[Q, B]):
    """A request, parsed: names from the path, the query, the body (None without one), headers in lower case; whether it came
    by https, and from which address. `pairs`: a dialect's query."""

    path: Mapping[str, str]
    query: Q
    body: B
    headers: Mapping[str, str]
    form: Form | None = None
    blob: Blob | None = None
    content: bytes = b""
    is_secure: bool = False
    address: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    method: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` has names in braces; `{name:text}` takes slashes too. `answer` is the shape of its JSON, `media` has the other
    media types that it answers with (with the shape of an event's data), `also` the other good statuses, `refusals` the
    bad ones that not every route has. `call` runs in a thread; with `is_async`, on the event loop, where it must not wait.

    receives  "json" (the shape `body`), "form" (multipart, a file of which goes to the blobs), "bytes" (gzip allowed),
              "blob" (kept if it has the digest that the path names), or "file" (kept whatever it is)
    finds     without a tenant, runs that the body names are looked for in whichever tenant holds them, as those of a path are
    made      the good status of what makes something: 201; `also` has 200 where it may exist already
    keeps_answer  False: no Idempotency-Key, for the answer or the request holds a secret
    access    who may call it: "open" anybody, "user" whoever has signed in, a role (or a higher one) in the tenant that is
              asked for, "server_reader" and "server_admin" those who have that role in all tenants. Without one: nobody"""

    method: Method
    path: str
    call: Callable[[Context, Asked[Any, Any]], Any]
    summary: str
    answer: Any = None
    query: type[Struct] = NoQuery
    body: type[Struct] | None = None
    media: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[int, ...] = ()
    refusals: tuple[int, ...] = ()
    is_async: bool = False
    receives: Literal["json", "form", "bytes", "blob", "file"] = "json"
    finds: bool = False
    made: bool = False
    body_max_bytes: int = REQUEST_BODY_MAX_BYTES
    keeps_answer: bool = True
    access: Access | None = None
    dialect: Dialect | None = None

    @property
    def name(self) -> str:
        return self.call.__name__
