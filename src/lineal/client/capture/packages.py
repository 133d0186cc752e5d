"""Which distributions Python finds here, and a lock file that installs them again.

Read from the names of `.dist-info` folders (packaging.python.org, "Recording installed projects") rather than by
`importlib.metadata`, which parses every METADATA file: 300 packages cost 3 ms instead of 150. Where a package came from, if
from no index, stands in its `direct_url.json` ("Recording the Direct URL Origin of installed distributions", PEP 610)."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lineal.client.capture.redact import mask_text
from lineal.model.limits import PACKAGES_READ_MAX_COUNT

_SEPARATORS = re.compile(r"[-_.]+")
_DIST_INFO, _EGG_INFO = ".dist-info", ".egg-info"
_TORCH_INDEX = "https://download.pytorch.org/whl/"
_TORCH_BUILD = re.compile(r"cpu|cu\d{2,4}|rocm[\d.]+|xpu")


@dataclass(frozen=True, slots=True)
class Package:
    """`url`, with `commit` where it is a repository's, is where it came from, if not from an index."""

    name: str
    version: str
    url: str | None = None
    vcs: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    is_editable: bool = False

    def direct(self) -> dict[str, Any] | None:
        if self.url is None:
            return None
        said = {"url": self.url, "vcs": self.vcs, "commit": self.commit, "subdirectory": self.subdirectory}
        return {name: value for name, value in said.items() if value} | ({"editable": True} if self.is_editable else {})


class Installed(NamedTuple):
    """`packages`: by name. `left_out`: how many more there are, each that Python finds twice counted twice."""

    packages: list[Package]
    left_out: int = 0


def installed_packages(folders: Iterable[str] | None = None) -> Installed:
    """By normalised name (PEP 503); of two of one name the one that Python would import. Folders that cannot be read are skipped.

    folders  where to look; without them `sys.path`"""
    found: dict[str, Package] = {}
    left_out = 0
    for folder in sys.path if folders is None else folders:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in names:
            if not entry.endswith((_DIST_INFO, _EGG_INFO)):
                continue
            if len(found) == PACKAGES_READ_MAX_COUNT:
                left_out += 1
            elif (package := _read(os.path.join(folder, entry), entry)) is not None:
                found.setdefault(package.name, package)
    return Installed([found[name] for name in sorted(found)], left_out)


def lock_text(packages: Sequence[Package], python_version: str) -> str:
    """An installable requirements file (pip's and uv's format). What nobody else can install, an editable folder, is a comment."""
    builds = sorted({build for one in packages if one.name.startswith("torch") if (build := _torch_build(one.version))})
    lines = [f"# Python {python_version}", *(f"--extra-index-url {_TORCH_INDEX}{build}" for build in builds)]
    return "\n".join([*lines, *(_requirement(one) for one in packages)]) + "\n"


def _requirement(package: Package) -> str:
    if package.is_editable:
        return f"# editable: {package.name}=={package.version} from {package.url}"
    if package.url is None:
        return f"{package.name}=={package.version}"
    url = package.url
    if package.vcs:
        url = url if url.startswith(f"{package.vcs}+") else f"{package.vcs}+{url}"
        url = f"{url}@{package.commit}" if package.commit else url
    if package.subdirectory:
        url = f"{url}#subdirectory={package.subdirectory}"
    return f"{package.name} @ {url}"


def _torch_build(version: str) -> str | None:
    """The local part of PyTorch's versions names the index that has them."""
    _, _, local = version.partition("+")
    return local if _TORCH_BUILD.fullmatch(local) else None


def _read(path: str, entry: str) -> Package | None:
    name, separator, version = entry[: -len(_DIST_INFO)].rpartition("-")  # both suffixes are equally long
    if entry.endswith(_EGG_INFO) or not separator or not name:
        name, version = _of_metadata(path)
    if not name or not version:
        return None
    name = _SEPARATORS.sub("-", name).lower()
    origin = _direct_url(path)
    if origin is None:
        return Package(name, version)
    vcs, folder = _dict_of(origin.get("vcs_info")), _dict_of(origin.get("dir_info"))
    return Package(
        name,
        version,
        mask_text(str(origin.get("url", ""))),
        _text_of(vcs.get("vcs")),
        _text_of(vcs.get("commit_id")),
        _text_of(origin.get("subdirectory")),
        folder.get("editable") is True,
    )


def _of_metadata(path: str) -> tuple[str, str]:
    """Name and version as an older package's PKG-INFO (a file, or one in a folder) says them."""
    name = version = ""
    for file in (os.path.join(path, "PKG-INFO"), os.path.join(path, "METADATA"), path):
        try:
            with open(file, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    key, _, value = line.rstrip("\n").partition(": ")
                    if key == "Name":
                        name = value.strip()
                    elif key == "Version":
                        version = value.strip()
                    if not line.strip() or (name and version):
                        return name, version
        except OSError:
            continue
    return name, version


def _direct_url(path: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(path, "direct_url.json"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return None
    try:
        return _dict_of(json.loads(text)) or None
    except ValueError:
        return None


def _dict_of(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
