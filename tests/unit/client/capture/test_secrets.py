"""Secrets planted wherever a run looks: none of their bytes is below the folder afterwards."""

import io
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

import lineal
from lineal.client.capture.secret_shapes import MASK
from tests.unit.client.capture.repositories import ENVIRON, git, repository, write

SRC = str(Path(lineal.__file__).parents[1])
SHAPED = "gh" + "p_" + "a1B2c3D4" * 5
NAMED = "correct-horse-battery"
PROGRAM = """
import sys
import helper_module
import lineal
with lineal.init(url=sys.argv[1]) as run:
    print({"password": sys.argv[3], "lr": 0.1}, "seen")
    print(f"api_key={sys.argv[3]}", sys.argv[-1], flush=True)
    run.log({"a": 1})
"""


@pytest.mark.parametrize("has_git", [True, False], ids=["git", "no-git"])
def test_no_byte_of_a_secret_is_written(tmp_path, has_git):
    tree, folder = tmp_path / "tree", tmp_path / "lineal"
    committed = {"train.py": PROGRAM, "helper_module.py": "x = 1\n", "notes.txt": "x\n"}
    if has_git:
        repository(tree, committed)
        git(tree, "remote", "add", "origin", f"https://ann:{NAMED}@example.com/r.git")
    else:
        write(tree, committed)
    write(
        tree,
        {
            "helper_module.py": f"key = '{SHAPED}'\n",
            "new.py": f"a = '{SHAPED}'\n",
            ".env": f"PASSWORD={NAMED}\n",
            "conf.yaml": f"password: |\n  {NAMED}\nenv:\n- name: API_KEY\n  value: {NAMED}\n",
            "Dockerfile": f"ENV API_KEY {NAMED}\n",
        },
    )
    write(tree, {"id_rsa": NAMED, "secrets.yaml": NAMED})
    arguments = [
        "--password",
        NAMED,
        f"--api-key={NAMED}",
        f"db.password={NAMED}",
        "--url",
        f"postgres://me:{NAMED}@db/x",
    ]
    planted = {
        "MY_TOKEN": NAMED,
        "LINEAL_CAPTURE": "all",
        "NCCL_SOCKET": SHAPED,
        "PYTHONPATH": f"{SRC}:{tree}",
        "LINEAL_CAPTURE_VARIABLES": "MY_TOKEN",
        "RAY_JOB_ID": "1",
        "RAY_ADDRESS": f"ray://me:{NAMED}@head:1",
        "AIRFLOW_CTX_DAG_ID": SHAPED,
        "AIRFLOW_CTX_DAG_RUN_ID": "r",
    }
    command = [sys.executable, str(tree / "train.py"), str(folder), *arguments, SHAPED]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, **ENVIRON, **planted}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(NAMED) == 2, "what the terminal shows stays as it was"
    assert has_code(folder), "nothing was captured: the test would say nothing"
    found = [str(path) for path in folder.rglob("*") if path.is_file() and leaks(path.read_bytes())]
    with lineal.open_store(folder) as store:  # into the database, too, where contents are compressed
        runs = store.runs()
        assert not any(leaks(repr(run.captures).encode()) for run in runs)
        printed = [line.text for run in runs for line in run.console()]
        assert f"{{'password': '{MASK}', 'lr': 0.1}} seen" in printed and not leaks(repr(printed).encode())
    found += [str(path) for path in folder.rglob("*") if path.is_file() and leaks(path.read_bytes())]
    assert not found


def has_code(folder: Path) -> bool:
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return any(b'"code"' in content for content in contents) and any(b"[masked]" in content for content in contents)


def leaks(content: bytes) -> bool:
    """In it, or in what a zip or zlib stream in it holds."""
    secrets = (SHAPED.encode(), NAMED.encode())
    inner = [content]
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            inner += [file.read(name) for name in file.namelist()]
    start = content.find(b"\x78")
    while start >= 0 and len(inner) < 2_000:
        try:
            inner.append(zlib.decompressobj().decompress(content[start:]))
        except zlib.error:
            pass
        start = content.find(b"\x78", start + 1)
    return any(secret in one for secret in secrets for one in inner)
