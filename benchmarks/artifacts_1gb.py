"""A large artifact through `lineal serve`, up and down, beside the same bytes copied over a loopback socket into a file.

    python -m benchmarks.artifacts_1gb [--mib 1024] [--times 3]

The raw copy is what nobody can beat by much: one thread reads a file and sends it, another receives it into a file and waits
for the disk (fdatasync), as the server does before it answers. It neither hashes nor checks; a second one with a SHA-256 in the
receiving thread says what that alone costs, done one thing after the other.

Every file is removed when its road is done, so that all write to the same pages of memory again: the first touch of a page costs
a virtual machine several times what the copy does, and would be paid by whoever comes later.

Every round takes each road once, so that a busy moment of the machine meets all. Reported: the best of the rounds in seconds
and MiB/s, its share of the best raw copy, the CPU seconds of the server (or, for a copy, of both its threads) and how much the
server's memory grew by its most."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.run_load import Connection, serving

_PIECE_BYTES = 1024 * 1024


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raw_copy(source: Path, target: Path, *, hashed: bool = False) -> float:
    """From a file through a socket into a file, synced."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        with connection, open(target, "wb", buffering=0) as file:
            hasher = hashlib.sha256()
            while piece := connection.recv(_PIECE_BYTES):
                if hashed:
                    hasher.update(piece)
                file.write(piece)
            os.fdatasync(file.fileno())

    thread = threading.Thread(target=take)
    began_s = time.perf_counter()
    thread.start()
    with socket.create_connection(listener.getsockname()) as connection, open(source, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            connection.sendall(piece)
    thread.join()
    listener.close()
    target.unlink()
    return time.perf_counter() - began_s


def pieces(source: Path, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    yield before
    with open(source, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
    yield after


def send(port: int, method: str, path: str, body: Iterator[bytes], length: int, kind: str) -> float:
    began_s = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600, blocksize=_PIECE_BYTES)
    headers = {"Host": f"localhost:{port}", "Content-Type": kind, "Content-Length": str(length)}
    connection.request(method, f"/api/v1{path}", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, said
    return time.perf_counter() - began_s


def fetch(port: int, path: str, target: Path) -> float:
    began_s = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", f"/api/v1{path}", headers={"Host": f"localhost:{port}"})
    answer = connection.getresponse()
    with open(target, "wb", buffering=0) as file:
        while piece := answer.read(_PIECE_BYTES):
            file.write(piece)
        os.fdatasync(file.fileno())
    target.unlink()
    return time.perf_counter() - began_s


@dataclass(slots=True)
class Road:
    name: str
    take: Callable[[Path, str], float]  # a file and its digest; seconds
    pid: int
    took_s: list[float] = field(default_factory=list)
    used_s: list[float] = field(default_factory=list)

    def measure(self, path: Path, digest: str) -> None:
        before_s = cpu_s(self.pid)
        self.took_s.append(self.take(path, digest))
        self.used_s.append(cpu_s(self.pid) - before_s)


def main() -> None:
    import asyncio

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    size = asked.mib * 1024 * 1024
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def made() -> tuple[Path, str]:
            """Other bytes each time: the same would be kept already."""
            path = folder / "large"
            piece = os.urandom(_PIECE_BYTES)
            hasher = hashlib.sha256()
            with open(path, "wb") as file:
                for at in range(asked.mib):
                    part = at.to_bytes(8, "little") + piece[8:]
                    file.write(part)
                    hasher.update(part)
            return path, hasher.hexdigest()

        with serving(f"sqlite:///{folder}/lineal.db", folder / "blobs") as (process, port, _):
            asker = Connection(port)

            async def start() -> None:
                experiment = (await asker.json("POST", "/experiments", {"name": "large"}))["id"]
                await asker.json("POST", "/experiments/runs", {"experiment_id": experiment, "run_id": "r"})

            asyncio.run(start())
            before_mib = peak_mib(process.pid)

            def blob(digest: str) -> Path:
                return folder / "blobs" / "default" / digest[:2] / digest

            def put(path: Path, digest: str) -> float:
                took_s = send(port, "PUT", f"/blobs/{digest}", pieces(path), size, "application/octet-stream")
                blob(digest).unlink()
                return took_s

            def form(path: Path, digest: str) -> float:
                boundary = os.urandom(16).hex()
                head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="large"\r\n\r\n'.encode()
                tail = f"\r\n--{boundary}--\r\n".encode()
                body, length = pieces(path, head, tail), len(head) + size + len(tail)
                kind = f"multipart/form-data; boundary={boundary}"
                took_s = send(port, "POST", "/experiments/runs/r/log-artifact", body, length, kind)
                uploaded.append(blob(digest))
                return took_s

            def down(path: Path, digest: str) -> float:
                path.unlink()  # the server's own file is the source: two files take part, as in the raw copy
                took_s = fetch(port, "/experiments/runs/r/artifacts/large", folder / "copy")
                uploaded.pop().unlink()
                return took_s

            def raw(path: Path, digest: str, hashed: bool = False) -> float:
                return raw_copy(path, folder / "copy", hashed=hashed)

            uploaded: list[Path] = []  # by the form, for the road down
            roads = [
                Road("a raw copy over loopback, synced", raw, os.getpid()),
                Road("the same, hashed", partial(raw, hashed=True), os.getpid()),
                Road("up, by digest (PUT)", put, process.pid),
                Road("up, as a form", form, process.pid),
                Road("down", down, process.pid),
            ]
            for _ in range(asked.times):
                for road in roads:
                    path, digest = made()
                    os.sync()  # what was left to be written is nobody's cost here
                    road.measure(path, digest)
            grown_mib = peak_mib(process.pid) - before_mib
    raw_s = min(roads[0].took_s)
    print(f"{asked.mib} MiB")
    for road in roads:
        best_s = min(road.took_s)
        share, spread = raw_s / best_s, ", ".join(f"{one:.2f}" for one in road.took_s)
        print(
            f"{road.name}: {best_s:.2f} s ({spread}), {asked.mib / best_s:,.0f} MiB/s, "
            f"{share:.0%} of the raw copy, CPU {min(road.used_s):.2f} s"
        )
    print(f"the server's memory grew by {grown_mib:.0f} MiB at most")


if __name__ == "__main__":
    main()
