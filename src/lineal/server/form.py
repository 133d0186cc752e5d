"""Multipart forms (RFC 7578) as they arrive: fields are kept, the file goes to a draft of a blob piece by piece."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from lineal.journal.blobs import Blob, Draft
from lineal.model.errors import InvalidInput, NotWritable
from lineal.model.limits import KIB, MULTIPART_HEADER_MAX_BYTES
from lineal.server.errors import Refused

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
# A parameter of a part's disposition: quoted, or a bare word, as some libraries write what needs no quotes.
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*')
_UTF8 = re.compile(r"utf-8'[^']*'(.*)", re.IGNORECASE)
_FIELD_MAX_BYTES = MULTIPART_HEADER_MAX_BYTES
_FIELDS_MAX_COUNT = 16
_PIECE_BYTES = 1024 * KIB

InThread = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """`file` is the one part that has a file name, its bytes being kept already. Without one `blob` is None, and a field may
    name bytes that are."""

    fields: dict[str, str]
    file_name: str
    media_type: str | None
    blob: Blob | None

    @property
    def identity(self) -> bytes:
        """The same for the same content, whatever the boundary."""
        return repr((sorted(self.fields.items()), self.file_name, self.blob and self.blob.digest)).encode()


class Part(NamedTuple):
    """A part begins."""

    name: str
    file_name: str | None
    media_type: str | None


@dataclass(slots=True)
class Parser:
    """Bytes in, parts and their content out: a `Part`, then pieces of bytes, and so on."""

    boundary: bytes
    is_complete: bool = False
    _state: str = "preamble"
    _buffer: bytearray = field(default_factory=lambda: bytearray(b"\r\n"))

    def feed(self, piece: bytes) -> Iterator[Part | bytes]:
        """InvalidInput for what is no such form."""
        self._buffer += piece
        delimiter = b"\r\n--" + self.boundary
        while True:
            if self._state in ("preamble", "content"):
                at = self._buffer.find(delimiter)
                end = at if at >= 0 else max(0, len(self._buffer) - len(delimiter) + 1)
                if end and self._state == "content":
                    yield bytes(self._buffer[:end])
                del self._buffer[:end]
                if at < 0:
                    return
                del self._buffer[: len(delimiter)]
                self._state = "delimiter"
            elif self._state == "delimiter":
                if len(self._buffer) < 2:
                    return
                if self._buffer[:2] == b"--":
                    self.is_complete = True
                    self._state = "end"
                    return
                if self._buffer[:2] != b"\r\n":
                    raise InvalidInput("the form is damaged: a boundary stands within a line", field="body")
                self._state = "head"
            elif self._state == "blank":
                if len(self._buffer) < len(delimiter):
                    return
                if not self._buffer.startswith(delimiter):
                    del self._buffer[:2]
                self._state = "content"
            elif self._state == "head":
                end = self._buffer.find(b"\r\n\r\n")
                if max(end, 0 if end >= 0 else len(self._buffer)) > MULTIPART_HEADER_MAX_BYTES:
                    raise InvalidInput("the head of a part of the form is too long", field="body")
                if end < 0:
                    return
                yield _part(bytes(self._buffer[2:end]))
                del self._buffer[: end + 2]  # an empty content's boundary begins with the line end of the head
                self._state = "blank"
            else:
                self._buffer.clear()
                return


def _part(head: bytes) -> Part:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    kind, parameters = _disposition(headers.get("content-disposition", ""))
    if kind != "form-data" or "name" not in parameters:
        raise InvalidInput("a part of the form has no name", field="body")
    utf8 = _UTF8.fullmatch(parameters.get("filename*", ""))
    file_name = unquote(utf8[1]) if utf8 else parameters.get("filename")
    return Part(parameters["name"], file_name, headers.get("content-type"))


def _disposition(header: str) -> tuple[str, dict[str, str]]:
    """Its kind and its parameters, one after the other, so that nothing within quotes is taken for one."""
    kind, _, _ = header.partition(";")
    parameters: dict[str, str] = {}
    at = len(kind)
    while found := _PARAMETER.match(header, at):
        name, quoted, word = found.groups()
        parameters.setdefault(name.lower(), word if quoted is None else _unescaped(quoted))
        at = found.end()
    return kind.strip().lower(), parameters


def _unescaped(text: str) -> str:
    """As browsers write it (%22), or as RFC 2616 has it (a backslash)."""
    text = re.sub(r'\\(["\\])', r"\1", text)
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


async def receive_form(request: Request, draft: Draft, in_thread: InThread) -> Form:
    """The whole form. Writing waits for the disk in a thread, and the client waits for the writing."""
    kind = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(kind)
    if not kind.lower().startswith("multipart/form-data") or boundary is None:
        raise Refused(415, "media_type", "the body is a form: multipart/form-data with its boundary")
    receiver = _Receiver(draft)
    parser = Parser((boundary[1] or boundary[2]).encode("latin-1", "replace"))
    try:
        async for piece in request.stream():
            for one in parser.feed(piece):
                receiver.take(one)
            if receiver.waiting_bytes >= _PIECE_BYTES:
                await in_thread(receiver.write)
    except ClientDisconnect:
        raise Refused(400, "disconnected", "the form did not arrive whole", field="body") from None
    if not parser.is_complete:
        raise InvalidInput("the form did not arrive whole", field="body")
    form: Form = await in_thread(receiver.finish)
    return form


class _Receiver:
    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._part: Part | None = None
        self._file: Part | None = None
        self._fields: dict[str, bytearray] = {}
        self._waiting: list[bytes] = []
        self.waiting_bytes = 0

    def take(self, one: Part | bytes) -> None:
        if isinstance(one, Part):
            self._begin(one)
        elif self._part is self._file:
            self._waiting.append(one)
            self.waiting_bytes += len(one)
        else:
            assert self._part is not None
            content = self._fields[self._part.name]
            content += one
            if len(content) > _FIELD_MAX_BYTES:
                raise InvalidInput(f"a field has at most {_FIELD_MAX_BYTES:,} bytes", field=self._part.name[:80])

    def _begin(self, part: Part) -> None:
        if part.name == "file" and part.file_name is not None:
            if self._file is not None:
                raise InvalidInput("one file a request", field="file")
            self._file = part
        elif part.name in self._fields or len(self._fields) >= _FIELDS_MAX_COUNT:
            raise InvalidInput("a field is given twice, or there are too many", field=part.name[:80])
        else:
            self._fields[part.name] = bytearray()
        self._part = part

    def write(self) -> None:
        """In a thread."""
        pieces, self._waiting, self.waiting_bytes = self._waiting, [], 0
        try:
            self._draft.write(b"".join(pieces))
        except OSError as error:
            raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error

    def finish(self) -> Form:
        """In a thread."""
        fields = {name: bytes(content).decode("utf-8", "replace") for name, content in self._fields.items()}
        if self._file is None and "digest" in fields:
            return Form(fields, "", None, None)
        if self._file is None or not self._file.file_name:
            raise InvalidInput("the form has no file", field="file")
        self.write()
        try:
            blob = self._draft.place()
        except OSError as error:
            raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error
        return Form(fields, self._file.file_name, self._file.media_type, blob)
