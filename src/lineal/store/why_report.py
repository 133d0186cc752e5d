"""`Why` in words: sections of sentences, pairs and tables, which `why_text.py` sets as text or Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lineal.model.entities import Run
from lineal.model.registry import ModelVersion, Transition
from lineal.model.values import ParamValue, value_text
from lineal.store.difference import Row
from lineal.store.run_view import iso_time
from lineal.store.why import Choice, Side, Why
from lineal.store.why_view import code_of, data_of

_PARAMS_OF_A_RIVAL = 4
_FILES_SHOWN_COUNT = 20


class Table(NamedTuple):
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Section(NamedTuple):
    """In this order. `pairs` are names and values."""

    title: str
    sentences: Sequence[str] = ()
    pairs: Sequence[tuple[str, str]] = ()
    table: Table | None = None


def report(why: Why) -> list[Section]:
    version = why.chosen.version
    sections = [Section(title(why), pairs=list(_head(why))), _run(why.chosen)]
    run = why.chosen.run
    if run is not None:
        sections.append(
            Section("Params", pairs=[(name, value_text(value)) for name, value in sorted(run.params.items())])
        )
        code = sorted(code_of(why.chosen).items())
        sections.append(Section("Code", [] if code else ["Nothing is recorded of the code."], code))
        data = [(one["name"], _dataset(one)) for one in data_of(run)]
        sections.append(Section("Data", [] if data else ["No dataset is recorded."], data))
    sections.append(_choice(why))
    sections.append(_before(why))
    rows = [_transition(version, one) for one in why.transitions]
    if rows:
        sections.append(_history(rows))
    else:
        sections.append(Section("How it came there", ["It has no stage and no alias, and never had."]))
    return [section for section in sections if section.sentences or section.pairs or section.table]


def title(why: Why) -> str:
    version = why.chosen.version
    called = f"{version.name}/{version.version}"
    return f"{version.name}@{why.alias} is {called}" if why.alias else called


def _head(why: Why) -> Iterator[tuple[str, str]]:
    version, content = why.chosen.version, why.chosen.content
    yield "version id", version.version_id
    yield "made", iso_time(version.created_ms)
    if version.lifecycle == "deleted":
        yield "deleted", "yes"
    if version.stage != "none":
        yield "stage", version.stage
    if version.aliases:
        yield "aliases", ", ".join(f"@{alias}" for alias in version.aliases)
    if version.format:
        yield "format", version.format
    for file in content.files[:_FILES_SHOWN_COUNT]:
        size = "size not known" if file.size_bytes is None else f"{file.size_bytes:,} bytes"
        yield "file", f"{file.path} ({size}, sha256 {file.digest or 'not known'})"
    if len(content.files) > _FILES_SHOWN_COUNT:
        yield "files", f"{len(content.files) - _FILES_SHOWN_COUNT:,} more"
    if not content.files and version.source:
        yield "source", version.source
    if version.description:
        yield "about", version.description


def _run(side: Side) -> Section:
    version = side.version
    if version.run_id is None:
        return Section("The run", ["No run made this version: whoever registered it named none."])
    if side.run is None:
        return Section("The run", [f"It was made by run {version.run_id}, which is not here."])
    run = side.run.run
    pairs = [
        ("run", f"{run.name} ({run.run_id})"),
        ("experiment", run.experiment_name),
        (
            "status",
            run.status + (", locked" if run.is_locked else "") + (", deleted" if run.lifecycle == "deleted" else ""),
        ),
        ("started", iso_time(run.started_ms)),
    ]
    if run.ended_ms is not None:
        pairs.append(("ended", iso_time(run.ended_ms)))
    if run.user_id:
        pairs.append(("by", run.user_id))
    if run.description:
        pairs.append(("about", run.description))
    return Section("The run", pairs=pairs)


def _dataset(one: dict[str, str | None]) -> str:
    said = [one.get("version") or "", f"digest {one['digest']}" if one.get("digest") else "", one.get("context") or ""]
    return ", ".join(part for part in (*said, one.get("source") or "") if part)


def _choice(why: Why) -> Section:
    choice = why.choice
    heading = "What it was chosen over"
    if choice is None:
        return Section(heading, [f"There is nothing to compare it with: {why.no_choice}."])
    sentences = [_metric_sentence(choice), _rank_sentence(choice)]
    if choice.later_count:
        began = "run that has it began" if choice.later_count == 1 else "runs that have it began"
        sentences.append(
            f"{choice.later_count:,} {began} after {iso_time(choice.as_of_ms)} and could not be chosen over then."
        )
    if not choice.rivals:
        return Section(heading, sentences)
    rows = [
        (number(rival.value), rival.run.name, rival.run.run_id, _differing(rival.params)) for rival in choice.rivals
    ]
    return Section(heading, sentences, table=Table((choice.metric, "run", "run id", "params (its, this one's)"), rows))


def _metric_sentence(choice: Choice) -> str:
    rule = {
        "asked": "which was asked for",
        "declared": "the metric with a declared goal that most runs of the experiment have",
        "logged": "the metric that most runs of the experiment have (of several, one of held-out data, then the first by name)",
    }[choice.rule]
    goal = "lower is better" if choice.goal == "min" else "higher is better"
    told = "as declared" if choice.goal_is_declared else "as its name suggests"
    return f"Compared by {choice.metric}, {rule}; {goal}, {told}."


def _rank_sentence(choice: Choice) -> str:
    if choice.value is None or choice.rank is None:
        return f"Its run has no {choice.metric}; {_runs(choice.run_count)} of experiment {choice.experiment} had one by then."
    others = choice.run_count - 1
    if others <= 0:
        return (
            f"Its run had {number(choice.value)}, and no other run of experiment {choice.experiment} had one by then."
        )
    place = "the best" if choice.rank == 1 else f"number {choice.rank}"
    place += f" (as good as {_runs(choice.equal_count)} more)" if choice.equal_count else ""
    better = f"; {_runs(choice.rank - 1)} had a better value" if choice.rank > 1 else ""
    return f"Its run had {number(choice.value)}, {place} of {_runs(choice.run_count)} of experiment {choice.experiment} by then{better}."


def _runs(count: int) -> str:
    return f"{count:,} run" if count == 1 else f"{count:,} runs"


def _differing(params: Mapping[str, tuple[ParamValue | None, ParamValue | None]]) -> str:
    said = [f"{name} {_param(its)}, {_param(chosen)}" for name, (its, chosen) in params.items()]
    more = len(said) - _PARAMS_OF_A_RIVAL
    return "; ".join(said[:_PARAMS_OF_A_RIVAL]) + (f"; {more} more" if more > 0 else "")


def _before(why: Why) -> Section:
    before = why.before
    if before is None:
        return Section("The version before it", ["There is none."])
    version = before.version
    rule = f"which @{why.alias} meant before" if why.before_rule == "alias" else "the one with the number before"
    heading = f"Beside {version.name}/{version.version}, {rule}"
    head = ("", f"{version.name}/{version.version}", f"{version.name}/{why.chosen.version.version}")
    rows = [
        ("made", iso_time(version.created_ms), iso_time(why.chosen.version.created_ms)),
        ("run", _run_name(before), _run_name(why.chosen)),
        ("format", version.format or "", why.chosen.version.format or ""),
        ("files", _digests(before), _digests(why.chosen)),
    ]
    if why.difference is not None:
        ids = why.difference.run_ids
        for row in why.difference.rows:
            if row.differs and (row.section != "attribute" or row.name in ("experiment", "status", "duration")):
                values = [_shown(row, row.values.get(run_id)) for run_id in ids]
                marks = ["*" if row.best_run_ids == (run_id,) else "" for run_id in ids]
                rows.append((f"{row.section} {row.name}", values[0] + marks[0], values[1] + marks[1]))
    sentences = []
    if why.difference is not None and any(row.best_run_ids for row in why.difference.rows if row.differs):
        sentences.append("What both runs have alike is left out; * marks the better value.")
    return Section(heading, sentences, table=Table(head, [row for row in rows if row[1] or row[2]]))


def _run_name(side: Side) -> str:
    run: Run | None = side.run.run if side.run is not None else None
    if run is not None:
        return f"{run.name} ({run.run_id[:8]})"
    return "none" if side.version.run_id is None else f"{side.version.run_id} (not here)"


def _digests(side: Side) -> str:
    """One line, that differs if any file does."""
    files = side.content.files
    first = ", ".join((file.digest or "not known")[:12] for file in files[:3])
    return first + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _transition(version: ModelVersion, one: Transition) -> tuple[str, str, str, str]:
    if one.kind == "stage":
        what = f"stage {one.before or 'none'} -> {one.after or 'none'}"
    else:
        what = f"@{one.alias}: {_number(version, one.before)} -> {_number(version, one.after)}"
    return iso_time(one.time_ms), what, one.actor or "", one.why


def _history(rows: Sequence[tuple[str, str, str, str]]) -> Section:
    """A folder asks nobody who he is: then there is no such column."""
    if any(who for _, _, who, _ in rows):
        return Section("How it came there", table=Table(("when", "what", "who", "why"), rows))
    short = [(when, what, why) for when, what, _, why in rows]
    return Section(
        "How it came there",
        ["Who did it is known where a server asks who somebody is, not in a folder."],
        table=Table(("when", "what", "why"), short),
    )


def _number(version: ModelVersion, number: str | None) -> str:
    return "nothing" if number is None else f"{version.name}/{number}"


def _shown(row: Row, value: ParamValue | None) -> str:
    if row.name == "duration" and row.section == "attribute" and isinstance(value, int | float):
        return f"{value / 1000:,.1f} s"
    if row.section == "metric" and isinstance(value, int | float):
        return number(value)
    return _param(value)


def _param(value: ParamValue | None) -> str:
    return "-" if value is None else value_text(value)


def number(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
