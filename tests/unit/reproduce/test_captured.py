"""Nothing said by hand: what `lineal.init` captures by itself is enough to make the run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineal
from tests.unit.reproduce.conftest import SEEDED, SRC, Recorder, git, own_environment, wheel


@pytest.fixture(autouse=True)
def captures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_CAPTURE", "execution,code,environment,hardware,sources")


def train(recorder: Recorder, root: Path, *words: str) -> str:
    environment = os.environ | {"LINEAL_URL": str(recorder.folder), "PYTHONPATH": str(SRC)}
    subprocess.run([sys.executable, *words], cwd=root, env=environment, check=True)
    (run,) = lineal.runs(url=recorder.folder)
    return run.run_id


def test_a_dirty_repository(recorder: Recorder, repository: Path, reproduce: Callable[..., Any]) -> None:
    (repository / "train.py").write_text(
        SEEDED.replace("0.5 *", "RATE *").replace("import sys", "import sys\nfrom mine import RATE")
    )
    (repository / "mine.py").write_text("RATE = 0.125\n")
    (repository / ".gitignore").write_text("*.log\n")
    run_id = train(recorder, repository, "train.py", "5")
    (repository / "mine.py").write_text("RATE = 0.25\n")
    git(repository, "checkout", "-q", "--force", "HEAD", "--", "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)
    assert answer["differences"] == []
    made = lineal.get_run(answer["run_id"], url=recorder.folder)
    then, now = lineal.get_run(run_id, url=recorder.folder).capture("code"), made.capture("code")
    assert then is not None and now is not None
    assert (now["commit"], now["digest"]) == (then["commit"], then["digest"])


def test_where_git_told_the_commit_alone(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The modules that ran are put over it."""
    (repository / "train.py").write_text("from rates import RATE\n" + SEEDED.replace("0.5 *", "RATE *"))
    (repository / "rates.py").write_text("RATE = 0.125\n")
    (tmp_path / "bin").mkdir()
    script = '#!/bin/sh\ncase "$*" in *" status "*) exit 1;; esac\nPATH=${PATH#*:} exec git "$@"\n'
    (tmp_path / "bin" / "git").write_text(script)
    (tmp_path / "bin" / "git").chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        run_id = train(recorder, repository, "train.py")
    code = lineal.get_run(run_id, url=recorder.folder).capture("code")
    assert code is not None and code["commit"] and "is_dirty" not in code
    git(repository, "checkout", "-q", "--force", "HEAD", "--", ".")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)


def test_a_program_that_git_does_not_know_can_be_executed(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any]
) -> None:
    (repository / "train.py").write_text(SEEDED + "import subprocess\nsubprocess.run(['./prepare.sh'], check=True)\n")
    (repository / "prepare.sh").write_text("#!/bin/sh\nexit 0\n")
    (repository / "prepare.sh").chmod(0o755)
    run_id = train(recorder, repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["exit_status"]) == (0, "identical", 0), json.dumps(answer, indent=1)


def test_a_program_that_changes_its_folder(recorder: Recorder, repository: Path, reproduce: Callable[..., Any]) -> None:
    (repository / "train.py").write_text("import os\nos.makedirs('out/day')\nos.chdir('out/day')\n" + SEEDED)
    (repository / ".gitignore").write_text("out\n")
    run_id = train(recorder, repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)


def test_configuration_that_no_commit_has(recorder: Recorder, repository: Path, reproduce: Callable[..., Any]) -> None:
    (repository / "train.py").write_text(SEEDED + "    run.log_params('conf/local.yaml')\n")
    (repository / ".gitignore").write_text("conf\n")
    (repository / "conf").mkdir()
    (repository / "conf" / "local.yaml").write_text("depth: 3\n")
    run_id = train(recorder, repository, "train.py")
    (repository / "conf" / "local.yaml").write_text("depth: 4\n")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", []), json.dumps(answer, indent=1)


def test_configuration_with_secrets_is_asked_for(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any]
) -> None:
    (repository / "train.py").write_text(SEEDED + "    run.log_params('local.yaml')\n")
    (repository / ".gitignore").write_text("local.yaml\n")
    (repository / "local.yaml").write_text("depth: 3\npassword: hunter2-hunter2\n")
    run_id = train(recorder, repository, "train.py")
    status, answer = reproduce(run_id)
    assert status == 3 and [one["name"] for one in answer["problems"] if one["blocks"]] == ["local.yaml"]
    status, answer = reproduce(run_id, "--link", "local.yaml")
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)


def test_code_with_secrets_is_named_before_it_starts(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any]
) -> None:
    (repository / "train.py").write_text(SEEDED + "password = 'hunter2-hunter2'\n")
    run_id = recorder.train(repository, "train.py")
    status, answer = reproduce(run_id, "--dry-run")
    [problem] = [one for one in answer["problems"] if "masked" in one["text"]]
    assert status == 0 and "train.py:" in problem["text"] and not problem["blocks"], json.dumps(answer, indent=1)
    git(repository, "commit", "-qam", "with it")
    (repository / "train.py").write_text("# changed\n" + SEEDED + "password = 'hunter2-hunter2'\n")
    run_id = recorder.train(repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", []), json.dumps(answer, indent=1)


def test_a_module_from_outside_of_the_tree(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any], tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "outer.py").write_text("RATE = 0.125\n")
    (repository / "train.py").write_text(
        f"import sys\nsys.path.append({str(library)!r})\nfrom outer import RATE\n" + SEEDED.replace("0.5 *", "RATE *")
    )
    run_id = train(recorder, repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)
    assert "where it lies unchanged" in answer["differences"][0]["text"]
    (library / "outer.py").write_text("RATE = 0.25\n")
    status, answer = reproduce(run_id)
    [problem] = [one for one in answer["problems"] if one["blocks"]]
    assert status == 3 and problem["name"].endswith("library/outer.py") and "has changed since" in problem["text"]
    (library / "outer.py").unlink()
    assert "is gone" in str(reproduce(run_id, "--dry-run")[1]["problems"])


def test_without_git(recorder: Recorder, tmp_path: Path, reproduce: Callable[..., Any]) -> None:
    root = tmp_path / "loose"
    root.mkdir()
    (root / "train.py").write_text("from lib.rates import RATE\n" + SEEDED.replace("0.5 *", "RATE *"))
    (root / "lib").mkdir()
    (root / "lib" / "rates.py").write_text("RATE = 0.125\n")
    run_id = train(recorder, root, "train.py")
    (root / "lib" / "rates.py").unlink()
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)


def test_submodules_at_other_commits(
    recorder: Recorder,
    repository: Path,
    tmp_path: Path,
    reproduce: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # what an import leaves there is no change
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    (library / "rates.py").write_text("RATE = 0.5\n")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "one")
    git(repository, "submodule", "--quiet", "add", str(library), "lib")
    (repository / "train.py").write_text("from lib.rates import RATE\n" + SEEDED.replace("0.5 *", "RATE *"))
    git(repository, "commit", "-q", "-am", "with it")
    (repository / "lib" / "rates.py").write_text("RATE = 0.125\n")
    git(repository / "lib", "commit", "-q", "-am", "two")
    run_id = train(recorder, repository, "train.py")
    git(repository, "-c", "advice.detachedHead=false", "submodule", "--quiet", "update")
    assert "0.5" in (repository / "lib" / "rates.py").read_text()
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", []), json.dumps(answer, indent=1)


def test_a_secret_in_the_code(recorder: Recorder, repository: Path, reproduce: Callable[..., Any]) -> None:
    secret = "gh" + "p_" + "a1B2" * 9
    (repository / "train.py").write_text(f"KEY = {secret!r}\n" + SEEDED)
    run_id = train(recorder, repository, "train.py")
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical")
    assert any("masked" in item["text"] for item in answer["differences"])


def test_the_cells_of_a_notebook(
    recorder: Recorder, repository: Path, reproduce: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    cells = [
        "import lineal, rates",
        "run = lineal.init(experiment='cells')",
        "run.log({'x': 3.5 * rates.RATE})",
        "run.finish()",
    ]
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {cells!r}:\n    assert shell.run_cell(cell, store_history=True).success\n"
    )
    run_id = train(recorder, repository, "-c", program)
    status, answer = reproduce(run_id)
    assert (status, answer["verdict"]) == (0, "identical"), json.dumps(answer, indent=1)
    assert answer["counts"] == {"identical": 1}


def test_an_environment_of_its_own(
    recorder: Recorder,
    repository: Path,
    wheels: Path,
    tmp_path: Path,
    reproduce: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONPATH")
    wheel(wheels, "tinydep", "1.0", "RATE = 3.0")
    wheel(wheels, "tinydep", "2.0", "RATE = 4.0")
    python = own_environment(tmp_path / "own", ["tinydep==1.0"])
    (repository / "train.py").write_text(
        "import lineal, tinydep\nwith lineal.init('e') as run:\n    run.log({'rate': tinydep.RATE})\n"
    )
    subprocess.run([python, "train.py"], cwd=repository, check=True)
    (run,) = lineal.runs(url=recorder.folder)
    status, answer = reproduce(run.run_id, environment="rebuild")
    assert (status, answer["verdict"], answer["differences"]) == (0, "identical", []), json.dumps(answer, indent=1)
    status, answer = reproduce(run.run_id, "--dry-run")  # the interpreter of the tests has no tinydep
    assert status == 0 and "tinydep 1.0 is not installed" in [item["text"] for item in answer["problems"]]
    wheels.joinpath("tinydep-1.0-py3-none-any.whl").unlink()
    status, answer = reproduce(run.run_id, "--dry-run", environment="rebuild")
    assert status == 3 and [item["name"] for item in answer["problems"]] == ["tinydep"]
