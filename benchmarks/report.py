"""From raw results to Markdown: medians with their spread, ratios against Lineal, targets said plainly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.columns import RATIOS, columns
from benchmarks.results import Line, Results
from benchmarks.scenarios import SCENARIOS, TRACKERS
from benchmarks.targets import CLAIMS, TARGETS, Target

TIE = 1.5
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    if 1 / TIE < ratio < TIE:
        return "tie"
    return f"{number(ratio)}x" if ratio >= 1 else f"{ratio:.2f}x"


def cell(results: Results, scenario: str, tracker: str, figure: str) -> str:
    found = results.values(scenario, tracker, figure)
    if not found:
        return "-"
    if figure == "recovered":
        return number(min(found))
    text, low, high = number(median(found)), number(min(found)), number(max(found))
    if low != high:
        text += f" ({low} to {high})"
    if tracker != "lineal" and figure in RATIOS:
        ratio = results.ratio(scenario, figure, tracker)
        text += f" **{times(ratio)}**" if ratio is not None else ""
    return text


def table(heads: list[str], body: Iterable[Iterable[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *body)]


def verdict(target: Target, found: list[float]) -> str:
    worst = target.worst(found)
    if not target.holds(worst if target.relation == "==" else median(found)):
        return "**MISS**"
    return "pass" if target.holds(worst) else f"pass, but one round missed ({number(worst)})"


def targets(results: Results) -> list[str]:
    body = []
    for target in TARGETS:
        if not results.of(target.scenario, "lineal"):
            continue
        found = results.values(target.scenario, "lineal", target.figure)
        said = [verdict(target, found) if found else "not measured"]
        measured = cell(results, target.scenario, "lineal", target.figure)
        if target.beside:
            measured += f"; an empty loop {cell(results, target.scenario, 'lineal', target.beside)}"
        limit = f"{target.relation} {number(target.limit)}"
        said += results.troubles(target.scenario, "lineal")
        body.append([target.text, limit, measured, "; ".join(said)])
    left = len(TARGETS) - len(body)
    rest = ["", f"{left} more targets belong to scenarios that were not run."] if left else []
    return table(["Target", "Limit", "Measured", "Verdict"], body) + rest


def claims(results: Results) -> list[str]:
    body = []
    for claim in CLAIMS:
        ratio = results.ratio(claim.scenario, claim.figure, claim.peer)
        if ratio is not None:
            reached = "as planned" if ratio >= claim.planned else "**less than planned**"
            body.append([claim.text, claim.peer, f"{number(claim.planned)}x", f"{number(ratio)}x", reached])
    heads = ["Lineal better by", "Than", "Planned", "Measured", "Verdict"]
    return ["", "### Against the plan", "", *table(heads, body)] if body else []


def scenario_tables(results: Results) -> list[str]:
    out: list[str] = []
    for scenario in SCENARIOS:
        key = scenario.key
        shown = [name for name in TRACKERS if results.of(key, name)]
        wanted = [
            (title, figure)
            for title, figure in columns(key)
            if any(results.values(key, name, figure) for name in shown)
        ]
        if shown and wanted:
            body = [[name, *(cell(results, key, name, figure) for _, figure in wanted)] for name in shown]
            out += [
                "",
                f"### {key}: {scenario.title}",
                "",
                *table(["", *(title for title, _ in wanted)], body),
            ]
        troubles = [f"- {name}: {why}" for name in shown for why in results.troubles(key, name)]
        out += ["", *troubles] if troubles else []
    return out


def heading(session: Line) -> str:
    machine = session["machine"]
    size = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, {machine['filesystem']}"
    system = f"{machine['system']}, Python {machine['python']}"
    return f"Measured {session['at']}: {session['rounds']} round(s), {size}, {system}."


def markdown(results: Results) -> str:
    out = [heading(session) for session in results.sessions]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results.versions.items()))
    out += [f"Versions: {versions}.", ""] if versions else [""]
    if results.quick:
        out += ["**A smoke with small sizes (`--quick`): the figures are no measurement.**", ""]
    out.append(
        "Cells are medians over the rounds, with the lowest and the highest. Bold is how many times better "
        f"Lineal was in the same round: a tie under {TIE}x, and below 1x Lineal was worse."
    )
    if any(tracker == "lineal" for _, tracker in results.rounds):
        out += ["", "### Targets", "", *targets(results), *claims(results)]
    return "\n".join(out + scenario_tables(results)) + "\n"


def write_docs(path: Path, text: str) -> None:
    """Replace what stands between the two markers, nothing else."""
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, found, tail = rest.partition(END)
    if not found:
        raise ValueError(f"{path.name} lost its markers {BEGIN} and {END}")
    path.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")
