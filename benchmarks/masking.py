"""What masking costs, and that it grows as the text does: python -m benchmarks.masking

Source code, documents and console lines by the MiB; then texts that a careless pattern would need hours for, at two sizes: by CPU time four
times the text must take about four times as long, whatever it is made of."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from lineal.client.capture.redact import mask_arguments
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.secret_printed import mask_printed

ROOT = Path(__file__).resolve().parents[1]
SMALL_BYTES = 262_144
GROWTH_MAX = 8.0
HOSTILE = [
    *[
        "\n",
        " ",
        "\t",
        "'",
        '"',
        "\\",
        "a",
        "a.",
        "A_",
        "- ",
        "{",
        "[",
        "(",
        ":",
        "=",
        "://",
        "@",
        "a://b:c",
        "a:b@",
        "#",
        "?token=",
    ],
    *[
        "password ",
        "password=",
        "password='",
        "password: ",
        "password: |\n",
        "password = \\\n",
        "--password ",
        '"--password",\n',
    ],
    *[
        "passwords:\n- a\n",
        "secrets:\n ",
        "name: password\n",
        "kind: Secret\ndata:\n",
        '{"name": "password", ',
        "token=a-",
        "password = a.b",
        "password = Field(",
        "identified by ",
        "[tokens]\n",
        "HTTPBasicAuth(a",
        "'a' + ",
        "token: ",
    ],
    *[
        "curl -u ",
        "curl \\\n",
        "mysql -p",
        "machine a login ",
        "pgpass:",
        "a:1:b:c:",
        "bearer ",
        "x-a",
        "password = '''\n",
    ],
    *["-----BEGIN PRIVATE " + "KEY-----\n", "-----END PRIVATE " + "KEY-----\n", "A" * 64 + "\n", "sk-", "eyJaaaaaaaa."],
]


def cpu_s(call: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    call(text)
    return time.process_time() - began


def ways() -> dict[str, Callable[[str], object]]:
    return {
        "a.py": lambda text: mask_file("a.py", text.encode()),
        "a.md": lambda text: mask_file("a.md", text.encode()),
        "a.yaml": lambda text: mask_file("a.yaml", text.encode()),
        "a patch": lambda text: mask_file("a.yaml", b"diff --git a/a b/a\n@@ -1 +1 @@\n" + text.encode()),
        "printed": mask_printed,
        "an argument": lambda text: mask_arguments(["-c", text]),
    }


def main() -> int:
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "src").rglob("*.py")))[: 1 << 20]
    documents = "".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))[: 1 << 20]
    lines = "".join(
        f"epoch {n} step {n} loss={1 / (n + 1):.6f} lr=1e-3 throughput 1234.5 tokens/s\n" for n in range(17_000)
    )
    for title, text, way in (("code", source, "a.py"), ("documents", documents, "a.md"), ("console", lines, "printed")):
        call = ways()[way]
        taken = min(cpu_s(call, text) for _ in range(3))
        sys.stdout.write(f"{title:<12} {taken * 1e3 * (1 << 20) / len(text):7.1f} ms a MiB\n")
    worst = ("", "", 0.0, 0.0)
    for piece in HOSTILE:
        for way, call in ways().items():
            text = piece * (SMALL_BYTES // len(piece))
            small, large = cpu_s(call, text), cpu_s(call, text * 4)
            growth = large / max(small, 0.05)
            if growth > GROWTH_MAX and growth > worst[2]:
                worst = (way, piece, growth, large)
            if large > 4.0:
                sys.stdout.write(f"slow: {way:<12} {piece!r:<40} {large:.1f} s a MiB\n")
    if worst[2]:
        sys.stdout.write(f"grows too fast: {worst[0]} of {worst[1]!r}: {worst[2]:.1f} times for 4 times the text\n")
        return 1
    sys.stdout.write(
        f"{len(HOSTILE)} hostile texts in {len(ways())} ways, 0.25 and 1 MiB: none grows faster than the text\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
