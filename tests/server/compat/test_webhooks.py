"""webhooks/...: what they are, who may have them, and what is refused. That they are told: tests/server/webhooks."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lineal.model.webhooks import EVENTS
from lineal.server.hosted import HostedSource
from lineal.server.webhooks.sender import example_body
from lineal.store.contracts import AuditQuery
from tests.server.compat.asking import API, Mlflow, asking
from tests.server.conftest import sqlite_place
from tests.server.let_in import World

CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
ALIASED = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
HOOK: dict[str, Any] = {"name": "hook", "url": "https://example.com/in", "events": [CREATED]}


def update(mlflow: Mlflow, webhook_id: str, **body: Any) -> Any:
    answer = mlflow.client.patch(f"{API}/webhooks/{webhook_id}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["webhook"]


def test_made_read_changed_and_deleted(mlflow: Mlflow) -> None:
    made = mlflow.post(
        "webhooks", **{**HOOK, "events": [ALIASED, CREATED, CREATED]}, description="why", secret="s3cret"
    )
    made = made["webhook"]
    assert made == {
        "webhook_id": made["webhook_id"],
        "name": "hook",
        "description": "why",
        "url": HOOK["url"],
        "events": [ALIASED, CREATED],
        "status": "ACTIVE",
        "creation_timestamp": made["creation_timestamp"],
        "last_updated_timestamp": made["creation_timestamp"],
    }
    webhook_id = made["webhook_id"]
    assert mlflow.get(f"webhooks/{webhook_id}")["webhook"] == made
    changed = update(mlflow, webhook_id, name="other", status="DISABLED", events=[CREATED], description="")
    assert changed["last_updated_timestamp"] > made["last_updated_timestamp"]
    assert "description" not in changed and (changed["status"], changed["events"]) == ("DISABLED", [CREATED])
    assert update(mlflow, webhook_id, name="", url="", events=[]) == {
        **changed,
        "last_updated_timestamp": mlflow.get(f"webhooks/{webhook_id}")["webhook"]["last_updated_timestamp"],
    }
    assert mlflow.client.delete(f"{API}/webhooks/{webhook_id}").json() == {}
    for method, place in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
        body: dict[str, Any] = {} if method == "GET" else {"json": {}}
        mlflow.refused(
            method,
            f"webhooks/{webhook_id}{place}",
            "RESOURCE_DOES_NOT_EXIST",
            f"Webhook with ID {webhook_id} not found",
            **body,
        )
    assert mlflow.get("webhooks") == {}


def test_they_are_listed_newest_first_page_by_page(mlflow: Mlflow) -> None:
    made = [mlflow.post("webhooks", **HOOK)["webhook"]["webhook_id"] for _ in range(5)]
    found, token, pages = list[str](), "", 0
    while True:
        page = mlflow.get("webhooks", max_results=2, page_token=token)
        found += [one["webhook_id"] for one in page["webhooks"]]
        pages += 1
        token = page.get("next_page_token", "")
        if not token:
            break
    assert sorted(found) == sorted(made) and pages == 3
    times = [mlflow.get(f"webhooks/{one}")["webhook"]["creation_timestamp"] for one in found]
    assert times == sorted(times, reverse=True)
    for bad in (-1, 1001):
        mlflow.refused("GET", "webhooks", "INVALID_PARAMETER_VALUE", "max_results must be", params={"max_results": bad})
    mlflow.refused("GET", "webhooks", "INVALID_PARAMETER_VALUE", params={"page_token": "nonsense"})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": None}, "Missing value for required parameter 'name'"),
        ({"url": ""}, "Missing value for required parameter 'url'"),
        ({"events": []}, "Missing value for required parameter 'events'"),
        ({"name": "-x"}, "Webhook name '-x' is invalid"),
        ({"name": "x" * 64}, "is invalid"),
        ({"name": "a b"}, "is invalid"),
        ({"url": "   "}, "Webhook URL cannot be empty or just whitespace"),
        ({"url": "ftp://example.com"}, "Invalid webhook URL scheme"),
        ({"url": "http://example.com"}, "Invalid webhook URL scheme"),
        ({"url": "http://[invalid"}, "Invalid webhook URL"),
        ({"url": "https://localhost/"}, "Invalid webhook URL"),
        ({"url": "https://10.0.0.1/"}, "not a public one"),
        ({"url": "https://u:p@example.com/"}, "Invalid webhook URL"),
        ({"events": [{"entity": "MODEL_VERSION", "action": "DELETED"}]}, "Valid actions are: ['created']"),
        ({"events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]}, "never happens here"),
        ({"events": [{"entity": "MOON", "action": "SET"}]}, "Invalid value"),
        ({"events": [{"entity": "PROMPT"}]}, "Invalid value"),
        ({"events": ["x"]}, "Invalid value"),
        ({"status": "ASLEEP"}, "Invalid value"),
        ({"status": True}, "Invalid value"),
        ({"secret": "x" * 1_001}, "secret has at most"),
        ({"description": "x" * 1_001}, "description has at most"),
    ],
)
def test_what_is_refused(one_mlflow: Mlflow, wrong: dict[str, Any], said: str) -> None:
    one_mlflow.refused("POST", "webhooks", "INVALID_PARAMETER_VALUE", said, json={**HOOK, **wrong})
    known = one_mlflow.post("webhooks", **HOOK)["webhook"]
    if "Missing" not in said:
        place = f"webhooks/{known['webhook_id']}"
        one_mlflow.refused("PATCH", place, "INVALID_PARAMETER_VALUE", said, json=wrong)
        assert one_mlflow.get(place)["webhook"] == known


def test_numbers_of_protobuf_will_do(one_mlflow: Mlflow) -> None:
    made = one_mlflow.post("webhooks", **{**HOOK, "events": [{"entity": 4, "action": 3}], "status": 2})["webhook"]
    assert made["events"] == [{"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"}] and made["status"] == "DISABLED"


def test_a_secret_is_found_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in an answer, a log, an audit row, nor in any file; and the database's text of it opens for nobody else."""
    secret = "wonderfully-secret-7f3a"
    place = sqlite_place(tmp_path / "srv")
    with HostedSource(place.url, tmp_path / "srv" / "blobs") as source, asking(source) as mlflow:
        webhook_id = mlflow.post("webhooks", **HOOK, secret=secret)["webhook"]["webhook_id"]
        update(mlflow, webhook_id, secret=secret + "2")
        answers = [
            mlflow.client.get(f"{API}/webhooks").text,
            mlflow.client.get(f"{API}/webhooks/{webhook_id}").text,
            mlflow.client.patch(f"{API}/webhooks/{webhook_id}", json={"name": "n"}).text,
        ]
        with source.opened() as store:
            rows = store.tenant("default").find_audit(AuditQuery(action="webhook."))
            sealed = store.tenant("default").webhooks().find_webhook(webhook_id)
        assert len(rows) == 3 and {row.subject for row in rows} == {webhook_id}
        assert sealed is not None and sealed.secret is not None
        assert source.webhooks is not None
        opened = source.webhooks.sealed
        assert opened.open(sealed.secret, "default", webhook_id) == secret + "2"
        for tenant, one, text in (
            ("other", webhook_id, sealed.secret),
            ("default", "another", sealed.secret),
            ("default", webhook_id, sealed.secret[:-4] + "AAA="),
            ("default", webhook_id, "1.x"),
            ("default", webhook_id, secret),
        ):
            with pytest.raises(ValueError, match="secret"):
                opened.open(text, tenant, one)
    assert not any(secret in text for text in (*answers, caplog.text, repr(rows)))
    files = [path for path in (tmp_path / "srv").rglob("*") if path.is_file()]
    assert len(files) > 2 and not [path for path in files if secret.encode() in path.read_bytes()]
    assert oct((tmp_path / "srv" / "blobs" / "webhook-key").stat().st_mode)[-3:] == "600"
    assert sqlite3.connect(place.url.removeprefix("sqlite:///")).execute("SELECT secret FROM webhook").fetchone() == (
        sealed.secret,
    )


def test_where_nothing_can_be_sealed_a_secret_is_refused(one_mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.server.webhooks.sealed.can_sign", lambda: False)
    one_mlflow.refused("POST", "webhooks", "INVALID_PARAMETER_VALUE", "PyNaCl", json={**HOOK, "secret": "s"})
    assert one_mlflow.post("webhooks", **HOOK)["webhook"]["name"] == "hook"


def test_audit_rows_say_who(world: World) -> None:
    with world.asking(token=world.token("admin")) as client:
        answer = client.post(
            "../../api/2.0/mlflow/webhooks",
            content=json.dumps(HOOK),
            headers={"content-type": "application/json", "x-tenant-id": "acme"},
        )
        assert answer.status_code == 200, answer.text
    with world.source.opened() as store:
        [row] = store.tenant("acme").find_audit(AuditQuery(action="webhook."))
    assert row.action == "webhook.create" and "admin" in f"{row.writer} {row.actor}"


def test_every_event_has_an_example() -> None:
    for event in EVENTS:
        body = json.loads(example_body(event, "acme", "now"))
        assert f"{body['entity']}.{body['action']}" == event and body["data"]["name"].startswith("example_")
