"""`lineal audit ...`: who changed what, and whether anybody touched that since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lineal.cli.exits import NO
from lineal.cli.options import json_option, tenant_option
from lineal.model.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from lineal.cli.audit_source import AuditSource
    from lineal.store.chain import Verdict
    from lineal.store.contracts import AuditRow
    from lineal.store.heads import SignedHead

Command = TypeVar("Command", bound=Callable[..., Any])


def place_option(command: Command) -> Command:
    return click.option(
        "--url",
        "url",
        metavar="URL",
        help="Lineal folder, a server (http://...) or its store (sqlite:///..., postgresql://...). "
        "Without it: LINEAL_URL, else the folder that is found.",
    )(command)


@click.group()
def audit() -> None:
    """Who changed what; and whether anybody touched that since."""


@audit.command("list", short_help="List changes, newest first.")
@click.option("--subject", metavar="ID", help="Only of this run or experiment (whole id), or user.")
@click.option("--actor", metavar="NAME", help="Only what this user, or this writer, said.")
@click.option("--action", metavar="ACTION", help='Only this action, or with "." at its end all that begin so: "tags.".')
@click.option("--since", metavar="TIME", help="Only from this time on: 2026-02-12, or 2026-02-12T08:00 (UTC).")
@click.option("--until", metavar="TIME", help="Only up to this time.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@click.option("--before", type=click.IntRange(0), help="Only rows of smaller numbers: the next page.")
@place_option
@tenant_option
@json_option
def list_audit(
    subject: str | None,
    actor: str | None,
    action: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    before: int | None,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """List changes of runs and experiments, newest first: when, who, what, and about what.

    Values are not kept here, only their digests. Points of metrics are no changes."""
    from lineal.cli.audit_source import opened_source
    from lineal.store.contracts import AuditQuery

    query = AuditQuery(subject, actor, action, _time(since, "since"), _time(until, "until"), before, limit)
    with opened_source(url, tenant) as source:
        rows = source.reader(source.tenant).find_audit(query)
    following = rows[-1].number if len(rows) == limit else None
    if as_json:
        from lineal.cli.output import write_json

        write_json({"rows": [_describe(row) for row in rows], "next": following})
        return
    _print(rows, following)


@audit.command("head", short_help="Print the head of the chain, to be kept elsewhere.")
@place_option
@tenant_option
@json_option
def show_head(url: str | None, tenant: str | None, as_json: bool) -> None:
    """Print the last linked row's number and hash, as JSON. Kept elsewhere, it proves later that nothing before it was changed:
    `lineal audit verify --against FILE`. Exit status 3 while there is none."""
    from lineal.cli.audit_source import opened_source
    from lineal.cli.output import json_line, write_json

    with opened_source(url, tenant) as source:
        head = source.find_head(source.tenant)
    if head is None:
        raise NotFound(f"tenant {source.tenant!r} has no audit rows that are linked")
    if as_json:
        write_json(head._asdict())
    else:
        click.echo(json_line(head._asdict()))


@audit.command("verify", short_help="Check that no audit row was changed.")
@click.option(
    "--against", metavar="FILE", multiple=True, help="Heads that were kept elsewhere; may be given several times."
)
@click.option("--all-tenants", is_flag=True, help="Every tenant there is, and what belongs to none.")
@place_option
@tenant_option
@json_option
def verify_audit(
    against: tuple[str, ...], all_tenants: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Read every audit row and check that it is as it was when it was linked.

    A row that was changed, taken out, put in or moved is named. With --against, heads that were kept elsewhere (by
    `lineal audit head`, or by a program that sent its journals) are held against the rows: then rows cut off at the end, and
    history written anew, are found too. Exit status 0 if all is well, 1 if not."""
    from lineal.cli.audit_source import opened_source
    from lineal.store import chain

    heads = [head for path in against for head in _kept(path)]
    with opened_source(url, tenant) as source:
        tenants = source.list_tenants() if all_tenants else [source.tenant]
        strangers = sorted({head.tenant for head in heads} - set(tenants))
        if strangers:
            raise InvalidInput(
                f"the heads are of tenant {strangers[0]!r}, and {tenants[-1]!r} is read: --tenant", field="against"
            )
        found = []
        for name in tenants:
            kept = [head for head in heads if head.tenant == name]
            verdict = chain.verify(source.reader(name), name, [head.head for head in kept])
            found.append((name, verdict, _objection(source, name, kept)))
    is_good = all(verdict.broken is None and not objection for _, verdict, objection in found)
    if as_json:
        from lineal.cli.output import write_json

        write_json({"ok": is_good, "tenants": [_verdict_dict(*one) for one in found]})
    else:
        for one in found:
            _say(*one, heads=sum(head.tenant == one[0] for head in heads))
    if not is_good:
        raise SystemExit(NO)


def _kept(path: str) -> list[SignedHead]:
    from lineal.store.heads import read_heads

    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path!r}", field="against") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path!r} holds no text", field="against") from None
    return read_heads(text)


def _objection(source: AuditSource, tenant: str, kept: Sequence[SignedHead]) -> str:
    """What is wrong with the signatures of heads that were kept; "" if nothing."""
    from lineal.store.heads import signed

    if any(signed(head) == "forged" for head in kept):
        return "a head that was kept has a signature that is not its key's"
    now = source.find_head(tenant) if kept else None
    if now is not None and signed(now) == "forged":
        return "the server's head has a signature that is not its key's"
    keys = {head.key for head in kept if head.key is not None}
    if now is not None and now.key is not None and keys and now.key not in keys:
        return "the server signs with another key than it did when the heads were kept"
    return ""


def _time(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"--{option} {text!r:.60} is no time: 2026-02-12 or 2026-02-12T08:00 is", field=option
        ) from None
    if given.tzinfo is None:
        given = given.replace(tzinfo=UTC)
    return int(given.timestamp() * 1000)


def _describe(row: AuditRow) -> dict[str, Any]:
    return {"time": _iso(row.time_ms), **row._asdict()}


def _verdict_dict(tenant: str, verdict: Verdict, objection: str) -> dict[str, Any]:
    broken = None if verdict.broken is None else verdict.broken._asdict()
    if broken is None and objection:
        broken = {"number": 0, "what": objection}
    return {
        "tenant": tenant,
        "ok": broken is None,
        "row_count": 0 if verdict.head is None else verdict.head.number,
        "unlinked_count": verdict.unlinked,
        "broken": broken,
        "head": None if verdict.head is None else verdict.head._asdict(),
    }


def _say(tenant: str, verdict: Verdict, objection: str, *, heads: int) -> None:
    from lineal.cli.wording import count_text

    name = f"tenant {tenant}" if tenant else "users, tokens and sessions"
    if verdict.broken is not None:
        row = f"audit row {verdict.broken.number} " if verdict.broken.number else ""
        click.echo(f"{name}: BROKEN: {row}{verdict.broken.what}")
        return
    if objection:
        click.echo(f"{name}: BROKEN: {objection}")
        return
    said = f"{name}: good: {count_text(verdict.head.number if verdict.head else 0, 'audit row')}"
    if verdict.unlinked:
        said += f", {verdict.unlinked:,} more not linked yet"
    if heads:
        said += f"; as {count_text(heads, 'kept head')} say" + ("s" if heads == 1 else "")
    click.echo(said)


def _print(rows: Sequence[AuditRow], following: int | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import printable, shortened

    out = Page()
    if not rows:
        out.print("No change is found.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("number", justify="right", style="dim", no_wrap=True)
    for name in ("time (UTC)", "who", "what", "about"):
        table.add_column(name, no_wrap=True)
    for row in rows:
        who = row.actor if row.actor is not None else row.writer
        cells = [_iso(row.time_ms), shortened(printable(who or ""), 30), row.action, printable(row.subject or "")]
        table.add_row(f"{row.number}", *(Text(cell) for cell in cells))
    out.print(table)
    if following is not None:
        out.print("", Text(f"Older ones: --before {following}", style="dim"))


def _iso(time_ms: int) -> str:
    from lineal.store.run_view import iso_time

    try:
        return iso_time(time_ms) or ""
    except (ValueError, OverflowError):  # a clock of nowhere
        return str(time_ms)
