"""A large artifact through `lineal serve`, up and down, beside the same bytes copied over a loopback socket into a file.

    python -m benchmarks.artifacts_1gb [--mib 1024] [--times 3]

Reported: seconds and MiB/s of each road, the best of some, and how much memory of the server grew by its most."""

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
from pathlib import Path

from benchmarks.run_load import Connection, serving

_PIECE_BYTES = 1024 * 1024


def peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def raw_copy(source: Path, target: Path) -> float:
    """From a file through a socket into a file, synced: what no server can beat by much."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        with connection, open(target, "wb", buffering=0) as file:
            while piece := connection.recv(_PIECE_BYTES):
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


def best(times: int, road: Callable[[int], float]) -> float:
    return min(road(number) for number in range(times))


def main() -> None:
    import asyncio

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    size = asked.mib * 1024 * 1024
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def made(number: int) -> tuple[Path, str]:
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

        source, _ = made(0)
        raw_s = best(asked.times, lambda _: raw_copy(source, folder / "copy"))
        with serving(f"sqlite:///{folder}/lineal.db", folder / "blobs") as (process, port, _):
            asker = Connection(port)

            async def start() -> None:
                experiment = (await asker.json("POST", "/experiments", {"name": "large"}))["id"]
                await asker.json("POST", "/experiments/runs", {"experiment_id": experiment, "run_id": "r"})

            asyncio.run(start())
            before_mib = peak_mib(process.pid)

            def put(number: int) -> float:
                path, digest = made(number)
                return send(port, "PUT", f"/blobs/{digest}", pieces(path), size, "application/octet-stream")

            def form(number: int) -> float:
                path, _ = made(number)
                boundary = os.urandom(16).hex()
                head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="large"\r\n\r\n'.encode()
                tail = f"\r\n--{boundary}--\r\n".encode()
                body, length = pieces(path, head, tail), len(head) + size + len(tail)
                kind = f"multipart/form-data; boundary={boundary}"
                return send(port, "POST", "/experiments/runs/r/log-artifact", body, length, kind)

            roads = {
                "up, by digest (PUT)": best(asked.times, put),
                "up, as a form": best(asked.times, form),
                "down": best(
                    asked.times, lambda _: fetch(port, "/experiments/runs/r/artifacts/large", folder / "copy")
                ),
            }
            grown_mib = peak_mib(process.pid) - before_mib
    print(f"{asked.mib} MiB; a raw copy over loopback, synced: {raw_s:.2f} s, {asked.mib / raw_s:,.0f} MiB/s")
    for road, took_s in roads.items():
        print(f"{road}: {took_s:.2f} s, {asked.mib / took_s:,.0f} MiB/s, {raw_s / took_s:.0%} of the raw copy")
    print(f"the server's memory grew by {grown_mib:.0f} MiB at most")


if __name__ == "__main__":
    main()
