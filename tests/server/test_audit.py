"""Audit rows through a server, its background chainer, and heads that clients keep."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.ingest.desk import Said
from lineal.record.records import NoteSet
from lineal.server.head_key import KEY_NAME, load_seed
from lineal.server.hosted import HostedSource
from lineal.server.source import Saying
from lineal.store.heads import SignedHead, signed
from tests.server.conftest import json_of
from tests.server.hosting import hosted, hosting, new_run, source  # noqa: F401 (fixtures)
from tests.unit.cli.conftest import Invoke, ask, folder, invoke  # noqa: F401 (fixtures)

RUN = "/experiments/runs"


def wait_for(holds: Callable[[], Any]) -> Any:
    until = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < until
        threading.Event().wait(0.02)
    return found


def linked_all(client: httpx.Client, **headers: str) -> Any:
    """The head that names the last row."""

    def found() -> Any:
        rows = json_of(client.get("/audit", params={"limit": 1}, headers=headers))["rows"]
        head = json_of(client.get("/audit/head", headers=headers))["head"]
        return head if rows and head and head["number"] == rows[0]["number"] else None

    return wait_for(found)


def test_rows_come_newest_first_and_in_pages(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted, name="mlp", tags={"k": "v"})
    json_of(hosted.post(f"{RUN}/{run_id}/log-params", json={"params": {"lr": 0.1}}))
    json_of(hosted.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"loss": 1}}))
    json_of(hosted.post(f"{RUN}/{run_id}/end"))
    page = json_of(hosted.get("/audit"))
    told = [(row["action"], row["subject_name"]) for row in page["rows"]]
    assert told == [
        ("attempt.end", "mlp"),
        ("params.set", "mlp"),
        ("tags.set", "mlp"),
        ("attempt.start", "mlp"),
        ("experiment.set", "digits"),
    ]
    assert page["next"] is None and {row["actor"] for row in page["rows"]} == {None}
    one = json_of(hosted.get("/audit", params={"limit": 2}))
    two = json_of(hosted.get("/audit", params={"limit": 2, "before": one["next"]}))
    three = json_of(hosted.get("/audit", params={"limit": 2, "before": two["next"]}))
    numbers = [row["number"] for part in (one, two, three) for row in part["rows"]]
    assert numbers == [5, 4, 3, 2, 1] and three["next"] is None
    assert [row["number"] for row in json_of(hosted.get("/audit", params={"after": 2}))["rows"]] == [3, 4, 5]
    time_ms = page["rows"][0]["time_ms"]
    for params, count in (
        ({"subject": run_id}, 4),
        ({"subject": page["rows"][4]["subject"]}, 1),
        ({"action": "attempt."}, 2),
        ({"action": "tags.set", "subject": "nobody"}, 0),
        ({"actor": page["rows"][0]["writer"]}, 4),
        ({"from_time": time_ms + 1}, 0),
        ({"to_time": time_ms, "from_time": 0}, 5),
    ):
        assert len(json_of(hosted.get("/audit", params=params))["rows"]) == count, params
    assert json_of(hosted.get("/audit", params={"after": 1, "before": 2}), 400)["field"] == "after"
    assert json_of(hosted.get("/audit", params={"limit": 0}), 400)["field"] == "limit"
    assert json_of(hosted.get("/audit", headers={"X-Tenant-ID": "acme"}))["rows"] == []


def test_the_chain_is_linked_signed_and_verified(hosted: httpx.Client) -> None:  # noqa: F811
    assert json_of(hosted.get("/audit/head")) == {"head": None}
    new_run(hosted)
    head = linked_all(hosted)
    assert head["tenant"] == "default" and signed(SignedHead(**head)) == "yes"
    answer = json_of(hosted.get("/audit/verify"))
    assert answer["ok"] and answer["row_count"] == head["number"] and answer["broken"] is None
    rows = json_of(hosted.get("/audit", params={"after": 0}))["rows"]
    assert rows[-1]["hash"] == head["hash"]
    new_run(hosted)
    later = wait_for(lambda: (found := linked_all(hosted))["number"] > head["number"] and found)
    assert later["key"] == head["key"] and json_of(hosted.get("/audit/verify"))["ok"]


def test_the_command_reads_the_rows_itself(
    hosted: httpx.Client,  # noqa: F811
    invoke: Invoke,  # noqa: F811
    ask: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    url = str(hosted.base_url).removesuffix("/api/v1/")
    for n in range(3):
        new_run(hosted, name=f"n{n}")
    linked_all(hosted)
    head = tmp_path / "head.json"
    head.write_text(invoke("audit", "head", "--url", url).stdout)
    answer = ask("audit", "verify", "--url", url, "--against", str(head))
    assert answer["ok"] and answer["tenants"][0]["row_count"] == json.loads(head.read_text())["number"] == 4
    assert len(ask("audit", "list", "--url", url, "--action", "attempt.")["rows"]) == 3
    assert ask("audit", "verify", "--url", url, "--all-tenants")["ok"]
    kept = SignedHead(**json.loads(head.read_text()))
    for bad in (kept._replace(hash="ab" * 32, signature=None), kept._replace(number=99, signature=None)):
        head.write_text(json.dumps(bad._asdict()))
        assert invoke("audit", "verify", "--url", url, "--against", str(head)).exit_code == 1
    head.write_text(json.dumps(kept._replace(key="cd" * 32, signature=None)._asdict()))
    done = invoke("audit", "verify", "--url", url, "--against", str(head))
    assert done.exit_code == 1 and "another key" in done.stdout


def test_rows_say_on_whose_behalf(source: HostedSource) -> None:  # noqa: F811
    with hosting(source) as client:
        run_id = new_run(client)

    def note(text: str, actor: str | None) -> None:
        source.say("default", [Saying(run_id, NoteSet(text))], Said(200, b""), None, actor)

    threads = [threading.Thread(target=note, args=(f"{n}", f"user-{n}" if n % 3 else None)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with source.opened() as store:
        actors = sorted(row.actor or "" for row in store.tenant("default").list_audit() if row.action == "note.set")
    assert actors == sorted(f"user-{n}" if n % 3 else "" for n in range(12))


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    seeds: list[bytes | None] = []
    threads = [threading.Thread(target=lambda: seeds.append(load_seed(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seeds)) == 1 and len(seeds) == 8 and seeds[0] is not None
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600
    (tmp_path / KEY_NAME).write_text("ab")
    with pytest.raises(ValueError, match="is no key"):
        load_seed(tmp_path)


def test_a_journal_is_answered_with_the_head(hosted: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    import lineal
    from lineal.journal.layout import Folder

    place = tmp_path / "notebook"
    with lineal.init(url=place) as run:
        run.log({"loss": 1.0})
    [segment] = Folder(place).list_segments()
    content = Path(segment.path).read_bytes()
    address = f"/journals/{run.run_id}/{segment.writer}"
    kind = {"content-type": "application/octet-stream"}
    json_of(hosted.post(address, params={"offset": 0, "final": True}, content=content, headers=kind))
    head = linked_all(hosted)
    again = json_of(hosted.post(address, params={"offset": 0, "final": True}, content=content, headers=kind))
    assert again["head"] == head and signed(SignedHead(**again["head"])) == "yes"
