"""The reference is complete and true: each name, command, option, setting and limit of the code is on its page.

After a change of the command line: LINEAL_TEST_WRITE_DOCS=1 pytest tests/unit/test_docs.py pastes the help texts."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import lineal
from lineal.cli import doctor
from lineal.cli.main import lineal as command
from lineal.demo.settings import SETTINGS
from lineal.journal.layout import Folder
from lineal.local import LocalStore, LoggedRun
from lineal.model import errors, limits
from lineal.model.entities import Artifact, Attempt
from lineal.store.dataset_reading import LoggedDataset
from lineal.tracking.experiment_tracker import ActiveRun, ExperimentTracker

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "lineal"
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", ROOT / "docs" / "quickstart.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]

OF_MODELS = (lineal.ModelVersion, lineal.RegisteredModel)

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="the docs are not here")


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def python_of(path: Path) -> str:
    blocks = re.findall(r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return "\n".join(blocks)


def squeezed(text: str) -> str:
    """Without line ends, and with one kind of quotes: the formatter has its own taste in the code blocks of a page."""
    return re.sub(r"\s+", " ", text).replace('"', "'")


# -- python.md ----------------------------------------------------------------------------------


def signature_of(name: str, function: object, *, is_method: bool) -> str:
    """As the page writes it: names and defaults, no types."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    parameters = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default={} if "factory" in repr(parameter.default) else parameter.default,
        )
        for parameter in list(signature.parameters.values())[is_method:]
    ]
    return name + str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


def members(kind: type) -> list[tuple[str, Any]]:
    """Its own and what it inherits from Lineal's classes."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("lineal"):
            found |= vars(base)
    return sorted(found.items())


def public_signatures() -> Iterator[tuple[str, str]]:
    for name in lineal.__all__:
        value = getattr(lineal, name)
        if inspect.isfunction(value) or is_dataclass(value):
            yield name, signature_of(name, value, is_method=False)
    for kind in (lineal.Run, LoggedRun, LoggedDataset, LocalStore, ExperimentTracker, ActiveRun, *OF_MODELS):
        for name, value in members(kind):
            if inspect.isfunction(value) and not name.startswith("_"):
                yield f"{kind.__name__}.{name}", signature_of(f"{kind.__name__}.{name}", value, is_method=True)


def public_properties() -> Iterator[str]:
    for kind in (lineal.Run, LoggedRun, LoggedDataset, ActiveRun):
        for name, value in members(kind):
            if not name.startswith("_") and not inspect.isfunction(value):
                yield f"{kind.__name__}.{name}"


@pytest.mark.parametrize(("name", "signature"), list(public_signatures()))
def test_every_public_callable_is_in_the_reference_as_it_is(name: str, signature: str) -> None:
    assert squeezed(signature) in squeezed(page("python.md")), f"docs/reference/python.md lacks: {signature}"


@pytest.mark.parametrize("name", sorted(public_properties()))
def test_every_public_property_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in page("python.md")


def test_every_property_of_models_is_in_the_reference() -> None:
    text = page("python.md")
    for kind in OF_MODELS:
        names = [name for name, value in members(kind) if not name.startswith("_") and not inspect.isfunction(value)]
        assert not [name for name in names if f"`{name}`" not in text]


@pytest.mark.parametrize("name", sorted(lineal.__all__))
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf"(?<![\w.]){name}\b|`lineal\.{name}`", page("python.md"))


def test_every_error_is_in_the_reference_with_its_code() -> None:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, lineal.LinealError)]
    missing = [kind.__name__ for kind in kinds if f"| `{kind.__name__}` | `{kind.code}` |" not in page("python.md")]
    assert kinds and not missing


@pytest.mark.parametrize("kind", [Artifact, Attempt])
def test_what_a_run_is_made_of_is_in_the_reference(kind: type) -> None:
    names = [item.name for item in fields(kind) if item.name != "attempt_id"]
    assert not [name for name in names if name not in page("python.md")]


# -- cli.md -------------------------------------------------------------------------------------


def commands(
    group: click.Command, names: tuple[str, ...] = ("lineal",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            inner = group.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*names, name))


def help_texts() -> str:
    texts = []
    for names, _ in commands(command):
        asked = CliRunner().invoke(
            command, [*names[1:], "--help"], prog_name="lineal", terminal_width=80, max_content_width=80
        )
        assert asked.exit_code == 0, asked.output
        texts.append(f"### {' '.join(names)}\n\n```text\n{asked.output.rstrip()}\n```\n")
    return "\n".join(texts)


def test_the_help_texts_are_what_the_program_prints() -> None:
    begin, end = "<!-- help: begin -->\n", "<!-- help: end -->\n"
    before, _, rest = page("cli.md").partition(begin)
    old, _, after = rest.partition(end)
    new = f"\n{help_texts()}\n"
    if os.environ.get("LINEAL_TEST_WRITE_DOCS"):
        (REFERENCE / "cli.md").write_text(before + begin + new + end + after, encoding="utf-8")
        old = new
    # Squeezed: versions of click wrap lines differently.
    assert squeezed(old) == squeezed(new), "paste them: LINEAL_TEST_WRITE_DOCS=1 pytest tests/unit/test_docs.py"


def test_every_command_has_help_and_json() -> None:
    for names, one in commands(command):
        assert one.help, names
        if isinstance(one, click.Group):
            continue
        options = {option for parameter in one.params for option in parameter.opts}
        assert "--json" in options, names
        for parameter in one.params:
            assert isinstance(parameter, click.Argument) or parameter.help, (names, parameter.name)


def test_the_json_of_every_command_is_described() -> None:
    described = page("cli.md").partition("## JSON")[2].partition("## ")[0]
    named = set(re.findall(r"`([a-z ]+)`", " ".join(re.findall(r"^- (.*?):", described, re.M))))
    asked = {" ".join(names[1:]) for names, one in commands(command) if not isinstance(one, click.Group)}
    assert asked <= named, asked - named


def test_every_exit_status_is_explained() -> None:
    from lineal.cli import exits

    for status in (*range(6), exits.INTERRUPTED_STATUS):
        assert re.search(rf"^\| {status} \| ", page("cli.md"), re.M)


# -- settings.md, limits.md, files.md -----------------------------------------------------------


def variables_in_source() -> set[str]:
    found: set[str] = set()
    for path in SRC.rglob("*.py"):
        found |= set(re.findall(r"\bLINEAL_[A-Z][A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    return {name for name in found if not name.startswith("LINEAL_TEST")}


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    assert set(re.findall(r"^\| `(LINEAL_\w+)` \|", page("settings.md"), re.M)) == variables_in_source()


def test_the_doctor_knows_every_setting() -> None:
    assert set(doctor.SETTINGS) == variables_in_source()


def limit_text(name: str, value: float) -> str:
    if name.endswith("_BYTES"):
        size = int(value)
        return f"{size // limits.MIB} MiB" if size % limits.MIB == 0 else f"{size // limits.KIB} KiB"
    return f"{value:g} s" if name.endswith("_S") else f"{value:,}"


def test_every_limit_is_in_the_reference_with_its_value() -> None:
    tree = ast.parse((SRC / "model" / "limits.py").read_text(encoding="utf-8"))
    names = [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]  # type: ignore[attr-defined]
    rows = [f"| `{name}` | {limit_text(name, getattr(limits, name))} |" for name in names if name not in ("KIB", "MIB")]
    assert not [row for row in rows if row not in page("limits.md")]
    assert len(rows) == len(re.findall(r"^\| `[A-Z_]+` \|", page("limits.md"), re.M)), "one that is no more"


def test_every_file_of_the_folder_is_in_the_reference() -> None:
    folder = Folder("/somewhere")
    paths = [folder.version, folder.database, folder.ingest_lock, folder.locks, folder.kept, folder.blobs]
    paths += [folder.sent, folder.server]
    for path in paths:
        assert f"`{os.path.relpath(path, folder.root)}" in page("files.md")
    for path in (folder.segment("WRITER", 0), folder.spare("WRITER")):
        assert os.path.relpath(path, folder.root).replace("000000", "NUMBER") in page("files.md")


# -- all pages ----------------------------------------------------------------------------------


def all_pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", all_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), f"{path.name}: {target}"
        if anchor and place.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{path.name}: {target}"


def test_the_readme_shows_the_demo_there_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        assert re.search(rf"^\d  {setting.name} +0\.\d{{4}}  .*  {re.escape(setting.describe())}$", readme, re.M)


def test_every_how_to_is_found_from_the_quickstart() -> None:
    quickstart = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs").glob("how-to/*.md")) + sorted(REFERENCE.glob("*.md")):
        assert f"({path.relative_to(ROOT / 'docs')})" in quickstart


@pytest.mark.parametrize("path", [path for path in PAGES if python_of(path)], ids=lambda path: path.stem)
def test_the_python_of_a_page_runs(path: Path, tmp_path: Path) -> None:
    """All blocks of a page, one after the other, as a reader would type them."""
    script = tmp_path / "page.py"
    script.write_text(python_of(path), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".lineal").is_dir()


def test_the_changelog_has_the_sections_of_keep_a_changelog() -> None:
    """What was mended stands under Fixed, not in a line of another section that says so."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    sections = [line.removeprefix("### ") for line in lines if line.startswith("### ")]
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    assert sections and set(sections) <= set(kinds)
    assert [line for line in lines if re.match(rf"- ({'|'.join(kinds)}):", line)] == []
