"""`crm-api listen`: events of a real API, forwarded to a real receiver as webhooks would bring them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import standardwebhooks
import svix
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner, Result

from crm_api.cli.app import app
from crm_api.cli.target import demo_token
from crm_api.core.webhook_signing import SigningKey
from crm_api.settings import Settings
from tests.cli.conftest import Delivery, Receiver
from tests.live import Live


def cursor_of(http: httpx.Client) -> str:
    return str(http.get("/v1/me").json()["events_cursor"])


def make(http: httpx.Client, name: str, /, **body: Any) -> dict[str, Any]:
    answer = http.post(f"/v1/{name}", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def listen(live: Live, receiver: Receiver, tmp_path: Path, *more: str, token: str | None = None) -> Result:
    options = ["--url", live.url, "--token", token or live.token, "--data-dir", str(tmp_path), "--forward", receiver.url]
    return CliRunner().invoke(app, ["listen", *options, *more])


def signed_by_hand(delivery: Delivery, secret: str) -> bool:
    """Standard Webhooks 1.0, "Verifying webhook authenticity", with nothing but the standard library."""
    headers = delivery.headers
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + delivery.body
    expected = "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    return hmac.compare_digest(headers["webhook-signature"], expected)


def test_events_come_as_webhooks_would_bring_them(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    start = cursor_of(http)
    account = make(http, "accounts", name="Grün & Co")
    make(http, "contacts", last_name="King")
    make(http, "deals", name="Robots", amount="10.00")
    told = listen(live, receiver, tmp_path, "--cursor", start, "--stop-after", "3", "--json")
    assert told.exit_code == 0, told.output
    started, *lines, stopped = map(orjson.loads, told.stdout.splitlines())
    secret = started["secret"]
    assert (started["event"], started["url"], started["cursor"]) == ("listening", live.url, None)
    assert (tmp_path / "listen_secret").read_text() == secret
    assert (tmp_path / "listen_secret").stat().st_mode & 0o777 == 0o600
    journal = http.get("/v1/events", params={"cursor": start}).json()
    assert [delivery.event for delivery in receiver.got] == journal["data"]
    assert stopped == {"event": "stopped", "forwarded": 3, "cursor": journal["page"]["next_cursor"]}
    for delivery, event, line in zip(receiver.got, journal["data"], lines, strict=True):
        headers = delivery.headers
        assert (delivery.path, headers["content-type"], headers["webhook-id"]) == ("/hook", "application/json", event["id"])
        assert headers["user-agent"].startswith("crm-api")
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
        assert signed_by_hand(delivery, secret)
        standardwebhooks.Webhook(secret).verify(delivery.body, headers)
        svix.Webhook(secret).verify(delivery.body, headers)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(delivery.body + b" ", headers)
        assert {name: line[name] for name in ("event", "id", "seq", "type", "record_id", "status")} == {
            "event": "forwarded", **{name: event[name] for name in ("id", "seq", "type", "record_id")}, "status": 204,
        }  # fmt: skip
    assert receiver.got[0].event["record"] == account


def test_choosing_what_comes_and_how(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    before = make(http, "accounts", name="Before")
    account = make(http, "accounts", name="Acme", industry="steel")
    make(http, "contacts", last_name="King")
    http.patch(f"/v1/accounts/{account['id']}", json={"industry": "software", "employees": 5})
    key = SigningKey.new("v1a")
    more = ("--events", "account.*", "--payload", "thin", "--secret", key.text, "--stop-after", "2", "--json")
    told = listen(live, receiver, tmp_path, "--since", account["created_at"], *more)
    assert told.exit_code == 0, told.output
    public = orjson.loads(told.stdout.splitlines()[0])["public_key"]
    assert [delivery.event["type"] for delivery in receiver.got] == ["account.created", "account.updated"]
    assert before["id"] not in str([delivery.event for delivery in receiver.got])
    event = receiver.got[1].event
    assert not {"record", "changes"} & set(event)
    assert sorted(event["changed_fields"]) == ["employees", "industry"]
    headers = receiver.got[1].headers
    kind, _, text = headers["webhook-signature"].partition(",")
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + receiver.got[1].body
    verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    verifier.verify(base64.b64decode(text), message)  # raises if it doesn't hold
    assert kind == "v1a"


def test_a_receiver_that_fails_is_shown_and_asked_once(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    start = cursor_of(http)
    account = make(http, "accounts", name="Acme")
    for status in (500, 302):
        receiver.status, receiver.got = status, []
        told = listen(live, receiver, tmp_path, "--cursor", start, "--stop-after", "1")
        assert told.exit_code == 1, told.output
        assert len(receiver.got) == 1, "nothing is tried again, no redirect followed"
        assert str(status) in told.output
        assert "account.created" in told.output
        assert account["id"] in told.output
        assert "whsec_" in told.output
        assert "--cursor" in told.output
    receiver.url = "http://127.0.0.1:1/hook"
    told = listen(live, receiver, tmp_path, "--cursor", start, "--stop-after", "1", "--json")
    line = orjson.loads(told.stdout.splitlines()[1])
    assert (line["status"], told.exit_code) == (None, 1)
    assert "connect" in line["error"].lower()


def test_what_the_api_refuses_ends_it_in_one_line(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    for more, words in (
        (("--events", "nothing.created"), ("400", "event_types", "deal.*")),
        (("--cursor", "nonsense"), ("400", "cursor")),
        (("--since", "yesterday"), ("400", "since")),
    ):
        told = listen(live, receiver, tmp_path, *more)
        assert told.exit_code == 1
        assert all(word in told.stderr for word in words), told.stderr
        assert "Traceback" not in told.stderr
    assert "401" in listen(live, receiver, tmp_path, token="crm_pat_wrong").stderr
    narrow = http.post("/v1/tokens", json={"name": "n", "scopes": ["contacts:read"]}).json()["token"]
    refused = listen(live, receiver, tmp_path, token=narrow)
    assert "events:read" in refused.stderr
    assert receiver.got == []


def test_options_are_checked_first(tmp_path: Path) -> None:
    def run(*options: str) -> Result:
        return CliRunner().invoke(app, ["listen", "--data-dir", str(tmp_path), *options], env={"COLUMNS": "200"})

    assert run().exit_code == 2
    assert run("--forward", "http://localhost:1", "--since", "2026-01-01T00:00:00Z", "--cursor", "now").exit_code == 2
    assert "is no http or https address" in run("--forward", "ftp://localhost/x").stderr
    assert "not base64" in run("--forward", "localhost:1", "--secret", "whsec_%%").stderr
    nowhere = run("--forward", "localhost:1")
    assert nowhere.exit_code == 1
    assert "--url and --token" in nowhere.stderr


def test_the_secret_stays_the_same(tmp_path: Path) -> None:
    first, again = (CliRunner().invoke(app, ["listen", "--print-secret", "--data-dir", str(tmp_path)]) for _ in range(2))
    assert first.exit_code == again.exit_code == 0
    assert first.stdout == again.stdout
    assert SigningKey.parse(first.stdout.strip()).kind == "v1"
    told = CliRunner().invoke(app, ["listen", "--print-secret", "--json", "--secret", SigningKey.new("v1a").text])
    assert set(orjson.loads(told.stdout)) == {"secret", "public_key"}


def test_a_token_is_made_for_as_long_as_it_runs(
    live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the database at hand and an organisation named no token is needed; the one that is made does not stay."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    start = cursor_of(http)
    make(http, "accounts", name="Acme")
    options = ["--url", live.url, "--org-id", live.org_id, "--cursor", start, "--stop-after", "1", "--data-dir", str(tmp_path)]
    told = CliRunner().invoke(app, ["listen", "--forward", receiver.url, *options])
    assert told.exit_code == 0, told.output
    assert [delivery.event["type"] for delivery in receiver.got] == ["account.created"]
    [made] = [one for one in http.get("/v1/tokens").json()["data"] if one["name"] == "crm-api listen"]
    assert made["revoked_at"] is not None
    assert (made["scopes"], made["user_id"]) == (["*:read"], live.user_id)
    # beside the data of `up --demo` there is a token already
    kept = {hashlib.sha256(settings.database_url.encode()).hexdigest(): {"token": live.token}}
    (tmp_path / "demo.json").write_bytes(orjson.dumps(kept))
    assert demo_token(tmp_path, settings.database_url) == live.token
    assert demo_token(tmp_path, "postgresql://elsewhere/x") is None
    told = CliRunner().invoke(
        app,
        ["listen", "--forward", receiver.url, "--url", live.url, "--cursor", start, "--stop-after", "1", "--data-dir", str(tmp_path)],
    )
    assert told.exit_code == 0, told.output
    assert len(receiver.got) == 2


def test_it_follows_and_ends_when_interrupted(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    """As a process: events arrive as they happen, and Ctrl-C ends it cleanly."""
    command = [sys.executable, "-m", "crm_api.cli", "listen", "--forward", receiver.url, "--json", "--data-dir", str(tmp_path)]
    environment = {**os.environ, "CRM_TOKEN": live.token}
    with subprocess.Popen([*command, "--url", live.url], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        started = orjson.loads(process.stdout.readline())
        try:
            assert started["cursor"]
            account = make(http, "accounts", name="Acme")
            line = orjson.loads(process.stdout.readline())
            assert (line["type"], line["record_id"]) == ("account.created", account["id"])
        finally:
            process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    stopped = orjson.loads(out)
    assert stopped["event"] == "stopped"
    assert b"Traceback" not in errors
    # the place that it tells is where the next one goes on
    make(http, "contacts", last_name="King")
    told = listen(live, receiver, tmp_path, "--cursor", stopped["cursor"], "--stop-after", "1")
    assert told.exit_code == 0, told.output
    assert receiver.got[-1].event["type"] in ("account.created", "contact.created")


def test_an_api_that_is_away_is_waited_for(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    """Through something in between that breaks off at first, and then says that nobody is there."""
    failures = ["break", "unavailable"]

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            failing = failures.pop(0) if failures else None
            if failing == "break":
                self.close_connection = True
                return
            headers = {"authorization": self.headers["authorization"]}
            answer = httpx.Response(503) if failing else httpx.get(f"{live.url}{self.path}", headers=headers, timeout=30)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            pass

    start = cursor_of(http)
    account = make(http, "accounts", name="Acme")
    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{server.server_port}"
        options = ["--url", url, "--token", live.token, "--data-dir", str(tmp_path), "--cursor", start, "--stop-after", "1", "--json"]
        told = CliRunner().invoke(app, ["listen", "--forward", receiver.url, *options])
        server.shutdown()
    assert told.exit_code == 0, told.output
    lines = [orjson.loads(line) for line in told.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["listening", "reconnecting", "reconnecting", "forwarded", "stopped"]
    assert [line["seconds"] for line in lines[1:3]] == [0.5, 1.0]
    assert receiver.got[0].event["record_id"] == account["id"]
