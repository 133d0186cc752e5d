"""Multipart forms (RFC 7578) as they arrive: fields are kept, the file goes to a draft of a blob piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from lineal.journal.blobs import Blob, Draft
from lineal.model.errors import InvalidInput, NotWritable
from lineal.model.limits import MULTIPART_HEADER_MAX_BYTES
from lineal.server.errors import Refused
from lineal.server.inflow import Inflow, InThread

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
# A parameter of a part's disposition: quoted, or a bare word, as some libraries write what needs no quotes.
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*')
_UTF8 = re.compile(r"utf-8'[^']*'(.*)", re.IGNORECASE)
_FIELD_MAX_BYTES = MULTIPART_HEADER_MAX_BYTES
_FIELDS_MAX_COUNT = 16


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
    _kept: bytes = b"\r\n"  # what the next bytes are needed for

    def feed(self, piece: bytes) -> Iterator[Part | bytes]:
        """InvalidInput for what is no such form. Content in which no boundary can be is handed on as it came, not copied."""
        data = self._kept + piece if self._kept else piece
        self._kept = b""
        delimiter = b"\r\n--" + self.boundary
        while data and self._state != "end":
            if self._state in ("preamble", "content"):
                at = data.find(delimiter)
                end = at if at >= 0 else _whole(data, len(delimiter))
                if end and self._state == "content":
                    yield data[:end] if end < len(data) else data
                if at < 0:
                    self._kept = data[end:]
                    return
                data = data[at + len(delimiter) :]
                self._state = "delimiter"
                continue
            taken = self._take(data, delimiter)
            if taken is None:
                self._kept = data
                return
            size, part = taken
            if part is not None:
                yield part
            data = data[size:]

    def _take(self, data: bytes, delimiter: bytes) -> tuple[int, Part | None] | None:
        """How much of it has been read, between contents; None if more is needed."""
        if self._state == "delimiter":
            if len(data) < 2:
                return None
            if data[:2] == b"--":
                self.is_complete = True
                self._state = "end"
            elif data[:2] == b"\r\n":
                self._state = "head"
            else:
                raise InvalidInput("the form is damaged: a boundary stands within a line", field="body")
            return 0, None
        if self._state == "head":
            end = data.find(b"\r\n\r\n", 0, MULTIPART_HEADER_MAX_BYTES + 4)
            if end < 0 and len(data) > MULTIPART_HEADER_MAX_BYTES:
                raise InvalidInput("the head of a part of the form is too long", field="body")
            if end < 0:
                return None
            self._state = "blank"
            return end + 2, _part(data[2:end])  # an empty content's boundary begins with the line end of the head
        if len(data) < len(delimiter):
            return None
        self._state = "content"
        return (0 if data.startswith(delimiter) else 2), None


def _whole(data: bytes, delimiter_bytes: int) -> int:
    """How much of it cannot be the beginning of a delimiter, of which none is in it."""
    at = data.find(b"\r", max(0, len(data) - delimiter_bytes + 1))
    return at if at >= 0 else len(data)


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
    """The whole form."""
    kind = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(kind)
    if not kind.lower().startswith("multipart/form-data") or boundary is None:
        raise Refused(415, "media_type", "the body is a form: multipart/form-data with its boundary")
    receiver = _Receiver(draft)
    parser = Parser((boundary[1] or boundary[2]).encode("latin-1", "replace"))
    inflow = Inflow(draft, in_thread)
    try:
        async for piece in request.stream():
            for one in parser.feed(piece):
                content = receiver.take(one)
                if content:
                    await inflow.take(content)
        await inflow.settle()
    except ClientDisconnect:
        raise Refused(400, "disconnected", "the form did not arrive whole", field="body") from None
    finally:
        await inflow.close()
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

    def take(self, one: Part | bytes) -> bytes:
        """Returns what belongs to the file."""
        if isinstance(one, Part):
            self._begin(one)
            return b""
        if self._part is self._file:
            return one
        assert self._part is not None
        content = self._fields[self._part.name]
        content += one
        if len(content) > _FIELD_MAX_BYTES:
            raise InvalidInput(f"a field has at most {_FIELD_MAX_BYTES:,} bytes", field=self._part.name[:80])
        return b""

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

    def finish(self) -> Form:
        """In a thread."""
        fields = {name: bytes(content).decode("utf-8", "replace") for name, content in self._fields.items()}
        if self._file is None and "digest" in fields:
            return Form(fields, "", None, None)
        if self._file is None or not self._file.file_name:
            raise InvalidInput("the form has no file", field="file")
        try:
            blob = self._draft.place()
        except OSError as error:
            raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error
        return Form(fields, self._file.file_name, self._file.media_type, blob)
