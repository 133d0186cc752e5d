"""The page: files that the build left in `static/`, known by name at the start, so that no address is ever a path.

An address that names no file is one of the page's own (its history API), and answers with index.html."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from lineal.server.seen import PAGE, seen_of

INDEX = "index.html"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_HASHED = re.compile(r"-[A-Za-z0-9_-]{8,}\.\w+(\.map)?$")  # as Vite names what it builds

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Lineal</title>
<h1>The page is not built</h1><p>The routes under <code>/api/v1</code> work. In a checkout, <code>make ui</code> builds the page.</p></html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the page and its compressed forms, by content encoding ("" is as it is)."""

    media_type: str
    etag: str
    forms: Mapping[str, bytes]


class Pages:
    """The files below `static`, read when they are first asked for and kept."""

    def __init__(self, static: Path, base_path: str = "") -> None:
        self._base_path = base_path
        self._paths = {
            path.relative_to(static).as_posix(): path
            for path in (static.rglob("*") if static.is_dir() else ())
            if path.is_file()
        }
        self._files: dict[str, _File] = {}

    async def serve(self, request: Request) -> Response:
        name = request.path_params["path"]
        seen_of(request).route = PAGE
        if name not in self._paths or name.endswith((".br", ".gz")):
            if name.startswith("assets/"):
                return Response("there is no such file", 404, HEADERS, media_type="text/plain")
            name = INDEX
        file = self._files.get(name)
        if file is None:
            file = await to_thread.run_sync(self._load, name)
        return _answer(name, file, request.headers)

    def _load(self, name: str) -> _File:
        path = self._paths.get(name)
        content = _NOT_BUILT if path is None else path.read_bytes()
        is_written = name == INDEX and self._base_path != ""
        if is_written:
            content = below(content, self._base_path)
        forms = {"": content}
        for encoding, suffix in () if is_written else _ENCODINGS:
            packed = self._paths.get(name + suffix)
            if packed is not None:
                forms[encoding] = packed.read_bytes()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if name.endswith((".js", ".mjs")):
            media_type = "text/javascript"  # the system's table may say otherwise, and nosniff means it
        file = _File(media_type, hashlib.sha256(content).hexdigest()[:32], forms)
        self._files[name] = file
        return file


def below(page: bytes, base_path: str) -> bytes:
    """The page with its links below that path, which its scripts read where it says so (`ui/src/lib/base.ts`)."""
    base = base_path.encode()
    page = re.sub(rb'(\s(?:src|href)=")/', lambda found: found[1] + base + b"/", page)
    return page.replace(b"</head>", b'<meta name="lineal-base" content="%s" /></head>' % base, 1)


def _answer(name: str, file: _File, asked: Mapping[str, str]) -> Response:
    lasting = name.startswith("assets/") and _HASHED.search(name) is not None
    accepted = _accepted(asked.get("accept-encoding", ""))
    encoding = next((known for known, _ in _ENCODINGS if known in accepted and known in file.forms), "")
    headers = {
        **HEADERS,
        "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "etag": f'"{file.etag}{"-" if encoding else ""}{encoding}"',
        "vary": "accept-encoding",
    }
    if headers["etag"] in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if encoding:
        headers["content-encoding"] = encoding
    return Response(file.forms[encoding], headers=headers, media_type=file.media_type)


def _accepted(header: str) -> set[str]:
    """Content encodings that are wanted: "br;q=0" says that one is not."""
    found = set()
    for one in header.lower().split(","):
        name, _, weight = one.partition(";")
        if not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight):
            found.add(name.strip())
    return found
