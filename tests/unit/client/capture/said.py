"""What journals say, as the tests of captures read it: before anything is ingested."""

from pathlib import Path

from lineal.record.records import CaptureSet, Record
from lineal.testing.crash import read_segment


def records(folder: Path) -> list[Record]:
    found: list[Record] = []
    for path in sorted((folder / "journals").glob("**/*.seg")):
        found += read_segment(path.read_bytes()).records
    return found


def captures(folder: Path) -> dict[str, dict]:
    """part -> content, of the one run in there."""
    return {one.part: one.content for one in records(folder) if isinstance(one, CaptureSet)}
