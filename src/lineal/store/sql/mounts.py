"""Which file system a path is on, as far as it matters to SQLite."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = {"9p", "afs", "ceph", "cifs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
_NETWORK_PREFIXES = ("fuse.sshfs", "fuse.s3", "fuse.gcs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph")


def is_on_network(path: Path, mounts: Path = MOUNTS) -> bool:
    """True if the path is known to be on a network file system; where the system does not say, it is taken for local."""
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    real = path.resolve()
    best, kind = Path("/"), ""
    for line in table.splitlines():
        # 36 35 98:0 /root /mount/point rw,noatime shared:1 - ext4 /dev/root rw; of equal points the last one counts
        fields, _, source = line.partition(" - ")
        point = Path(_unescaped(fields.split(" ")[4]))
        if real.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, source.split(" ")[0]
    return kind in _NETWORK or kind.startswith(_NETWORK_PREFIXES)


def _unescaped(text: str) -> str:
    """Spaces and the like are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
