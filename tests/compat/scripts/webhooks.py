"""Webhooks: made, read, changed, refused, tested; and what a receiver here gets when the registry changes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
from typing import Any

from drive import refusal
from mlflow import MlflowClient
from mlflow.entities.webhook import Webhook, WebhookEvent, WebhookStatus

SECRET = "a secret of the script"
EVENTS = (
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_tag.set",
    "prompt_tag.deleted",
    "prompt_version_tag.set",
    "prompt_version_tag.deleted",
    "prompt_alias.created",
    "prompt_alias.deleted",
)
WAIT_S = 60


def shown(hook: Webhook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "url": hook.url.split("/")[-1],
        "events": sorted(map(str, hook.events)),
        "description": hook.description,
        "status": hook.status.value,
        "secret": hook.secret,
        "changed": hook.last_updated_timestamp > hook.creation_timestamp,
    }


class Receiver(http.server.BaseHTTPRequestHandler):
    got: list[dict[str, Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = f"{self.headers['X-MLflow-Delivery-Id']}.{self.headers['X-MLflow-Timestamp']}.{body.decode()}"
        made = base64.b64encode(hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).digest()).decode()
        given = self.headers["X-MLflow-Signature"]
        kept = {name: value for name, value in json.loads(body).items() if name not in ("timestamp", "workspace")}
        if kept["data"].get("key", "").startswith("_mlflow"):
            kept["data"]["value"] = "the client's own: numbers of experiments"
        signed = None if given is None else given == f"v1,{made}"
        kind = self.headers["Content-Type"]
        self.got.append({"path": self.path, "signed": signed, "kind": kind, "names": sorted(kept), **kept})
        self.send_response(404 if self.path == "/no" else 200)
        self.end_headers()
        self.wfile.write(b"received")

    def log_message(self, *arguments: Any) -> None:
        pass


def main(say: Any) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        _webhooks(say, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def _webhooks(say: Any, url: str) -> None:
    client = MlflowClient()
    events = [WebhookEvent.from_str(event) for event in EVENTS]
    all_of = client.create_webhook("all", f"{url}/all", events, "everything", SECRET)
    plain = client.create_webhook("plain", f"{url}/plain", events[:1])
    off = client.create_webhook("off", f"{url}/off", events, status=WebhookStatus.DISABLED)
    say("made", [shown(one) for one in (all_of, plain, off)])
    say("read", shown(client.get_webhook(all_of.webhook_id)))
    say("listed", sorted(one.name for one in client.list_webhooks()))
    page = client.list_webhooks(max_results=2)
    say("pages", [len(page), len(client.list_webhooks(max_results=2, page_token=page.token))])
    _refusals(client, say, url, plain.webhook_id)
    say("tested", [_tested(client, plain.webhook_id), _tested(client, all_of.webhook_id, EVENTS[2])])
    no = client.create_webhook("no", f"{url}/no", [WebhookEvent.from_str("prompt_alias.deleted")])
    say("tested in vain", _tested(client, no.webhook_id))
    client.delete_webhook(no.webhook_id)
    say("tests came", sorted((one["path"], one["signed"], one["entity"], one["action"]) for one in Receiver.got))
    Receiver.got.clear()
    _changes(client)
    expected = len(EVENTS) + 2  # two models: "plain" hears of the first alone, since a prompt is none
    until = time.monotonic() + WAIT_S
    while len(Receiver.got) < expected and time.monotonic() < until:
        time.sleep(0.05)
    say("told", sorted(Receiver.got, key=lambda one: json.dumps(one, sort_keys=True)))
    changed = client.update_webhook(
        plain.webhook_id, "renamed", "why", f"{url}/other", events[1:3], SECRET, WebhookStatus.DISABLED
    )
    say("changed", shown(changed))
    say("changed a little", shown(client.update_webhook(plain.webhook_id, description="only this")))
    for one in (all_of, plain, off):
        client.delete_webhook(one.webhook_id)
    say("gone", refusal(lambda: client.get_webhook(plain.webhook_id)))
    say("none left", len(client.list_webhooks()))


def _tested(client: MlflowClient, webhook_id: str, event: str | None = None) -> Any:
    result = client.test_webhook(webhook_id, event and WebhookEvent.from_str(event))
    return [result.success, result.response_status, result.response_body, result.error_message]


def _refusals(client: MlflowClient, say: Any, url: str, known: str) -> None:
    events = [WebhookEvent.from_str(EVENTS[0])]
    for bad in ("   ", "ftp://example.com", "http://[invalid", "https://", "nothing"):
        say(f"made with {bad}", refusal(lambda bad=bad: client.create_webhook("x", bad, events).name))
        say(f"changed to {bad}", refusal(lambda bad=bad: client.update_webhook(known, url=bad).name))
    for bad in ("-x", "a b", "x" * 64, "", "a/b"):
        say(f"called {bad[:9]}", refusal(lambda bad=bad: client.create_webhook(bad, url, events).name))
    say("without events", refusal(lambda: client.create_webhook("x", url, []).name))
    for bad_count in (-1, 1001):
        say(f"{bad_count} a page", refusal(lambda bad_count=bad_count: len(client.list_webhooks(bad_count))))
    for call in (client.get_webhook, client.delete_webhook, client.test_webhook):
        say(f"{call.__name__} of none", refusal(lambda call=call: call("nobody")))
    say("change none", refusal(lambda: client.update_webhook("nobody", name="x")))


def _changes(client: MlflowClient) -> None:
    client.create_registered_model("told", tags={"a": "b"}, description="a model")
    client.create_model_version("told", "s3://bucket/model", tags={"k": "v"}, description="first")
    client.set_model_version_tag("told", "1", "x", "y")
    client.delete_model_version_tag("told", "1", "x")
    client.set_registered_model_tag("told", "unheard", "of")
    client.set_registered_model_alias("told", "champion", "1")
    client.delete_registered_model_alias("told", "champion")
    client.register_prompt("ask", "Hello {{ name }}", "first", tags={"k": "v"})
    client.set_prompt_tag("ask", "x", "y")
    client.delete_prompt_tag("ask", "x")
    client.set_prompt_version_tag("ask", "1", "x", "y")
    client.delete_prompt_version_tag("ask", "1", "x")
    client.set_prompt_alias("ask", "live", 1)
    client.delete_prompt_alias("ask", "live")
    client.delete_registered_model("told")
