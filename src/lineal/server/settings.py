"""How the app is served. Made once, at the start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Settings:
    """`port` is what browsers name in their Host header; `static` holds the built page. `any_host`: whoever reaches it may name it
    as they like, since it listens beyond this machine. `asks`: who somebody is, by password or token (`--auth`). `hosts`:
    the names that it answers to beside those of this machine; with them, no others. `base_path`: what proxies put before
    every address ("/lineal"); `trusted_proxies`: addresses and networks whose X-Forwarded-* are believed.
    `artifact_root`: see `Context`."""

    port: int
    static: Path = STATIC
    any_host: bool = False
    asks: bool = False
    hosts: tuple[str, ...] = ()
    base_path: str = ""
    trusted_proxies: tuple[str, ...] = ()
    artifact_root: str = ""
