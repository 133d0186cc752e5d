from __future__ import annotations

from pathlib import Path

from lineal.client.capture.imported import imported_files


def test_what_a_script_imports_of_its_project(tmp_path: Path) -> None:
    files = {
        "train.py": "import os, data\nfrom nets import mlp\nimport pkg.deep.layers as layers\nimport json\n",
        "data.py": "def f():\n    import late\n",
        "late.py": "from . import nothing\n",
        "unused.py": "",
        "nets/__init__.py": "",
        "nets/mlp.py": "from .blocks import block\nfrom .. import data\n",
        "nets/blocks.py": "import train\n",
        "pkg/__init__.py": "",
        "pkg/deep/layers.py": "this is no Python (",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {Path(path).relative_to(tmp_path).as_posix() for path in imported_files(str(tmp_path / "train.py"))}
    assert found == set(files) - {"unused.py"}


def test_a_script_that_is_gone(tmp_path: Path) -> None:
    assert imported_files(str(tmp_path / "gone.py")) == [str(tmp_path / "gone.py")]
