"""`crm-api trigger`: events that really happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import standardwebhooks
from typer.testing import CliRunner, Result

from crm_api.cli.app import app
from tests.cli.conftest import Receiver
from tests.live import Live


def trigger(live: Live, tmp_path: Path, *options: str) -> Result:
    where = ["--url", live.url, "--token", live.token, "--data-dir", str(tmp_path)]
    return CliRunner().invoke(app, ["trigger", *options, *where], env={"COLUMNS": "300"})


def event_of(http: httpx.Client, told: Result) -> dict[str, Any]:
    assert told.exit_code == 0, told.output
    line = orjson.loads(told.stdout)
    event: dict[str, Any] = http.get(f"/v1/events/{line['id']}").json()
    assert {name: event[name] for name in ("id", "seq", "type", "object", "record_id", "version")} == line
    return event


@pytest.mark.parametrize("singular", ["account", "contact", "lead", "deal", "case", "task", "note"])
def test_records_of_every_kind_are_made_and_changed(live: Live, http: httpx.Client, tmp_path: Path, singular: str) -> None:
    for verb in ("created", "updated"):
        event = event_of(http, trigger(live, tmp_path, f"{singular}.{verb}", "--json"))
        assert event["type"] == f"{singular}.{verb}"
        assert event["record"]["tags"] == ["triggered"]
    assert len(event["changes"]) == 1


def test_every_verb(live: Live, http: httpx.Client, tmp_path: Path) -> None:
    for verb in ("deleted", "restored", "purged"):
        event = event_of(http, trigger(live, tmp_path, f"deal.{verb}", "--json"))
        assert event["type"] == f"deal.{verb}"
    assert (event["object"], event["record"]) == ("deals", None)


def test_a_record_that_is_there(live: Live, http: httpx.Client, tmp_path: Path) -> None:
    deal = http.post("/v1/deals", json={"name": "Robots", "tags": ["vip"]}).json()
    for tags in (["vip", "triggered"], ["vip"]):
        event = event_of(http, trigger(live, tmp_path, "deal.updated", "--record", deal["id"], "--json"))
        assert (event["record_id"], event["record"]["tags"]) == (deal["id"], tags)
    event = event_of(
        http, trigger(live, tmp_path, "deal.updated", "--record", deal["id"], "--set", 'amount="5.00"', "--set", "next_step=Call", "--json")
    )
    assert (event["changes"]["amount"]["new"], event["changes"]["next_step"]["new"]) == ("5.00", "Call")
    again = trigger(live, tmp_path, "deal.updated", "--record", deal["id"], "--set", "next_step=Call")
    assert again.exit_code == 1
    assert "Nothing of the record" in again.stderr
    refused = trigger(live, tmp_path, "deal.updated", "--record", deal["id"], "--set", "amount=much")
    assert refused.exit_code == 1
    assert "/amount" in refused.stderr
    assert trigger(live, tmp_path, "deal.deleted", "--record", deal["id"]).exit_code == 0
    assert http.get(f"/v1/deals/{deal['id']}").status_code == 410


def test_objects_of_ones_own(live: Live, http: httpx.Client, tmp_path: Path) -> None:
    """Their required fields get values of their types."""
    made = http.post("/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel"})
    assert made.status_code in (201, 202), made.text
    for field in (
        {"api_name": "flag", "label": "Flag", "type": "picklist", "options": [{"key": "de", "label": "DE"}], "required": True},
        {"api_name": "crew", "label": "Crew", "type": "integer", "min": 3, "required": True},
        {"api_name": "built", "label": "Built", "type": "date", "required": True},
        {"api_name": "owner_account_id", "label": "Owner", "type": "reference", "target": "accounts", "required": True},
    ):
        answer = http.post("/v1/meta/vessels/fields", json=field)
        assert answer.status_code in (201, 202), answer.text
    http.post("/v1/accounts", json={"name": "Acme"})
    event = event_of(http, trigger(live, tmp_path, "vessel.created", "--json"))
    assert (event["record"]["flag"], event["record"]["crew"]) == ("de", 3)


def test_forwarding_it_too(live: Live, receiver: Receiver, tmp_path: Path) -> None:
    told = trigger(live, tmp_path, "contact.created", "--forward", receiver.url)
    assert told.exit_code == 0, told.output
    [delivery] = receiver.got
    secret = (tmp_path / "listen_secret").read_text()
    standardwebhooks.Webhook(secret).verify(delivery.body, delivery.headers)
    assert (delivery.event["type"], delivery.headers["webhook-id"]) == ("contact.created", delivery.event["id"])
    assert delivery.event["id"] in told.stdout
    receiver.status = 500
    told = trigger(live, tmp_path, "contact.created", "--forward", receiver.url, "--payload", "thin", "--json")
    assert (told.exit_code, orjson.loads(told.stdout)["status"]) == (1, 500)
    assert "changed_fields" in receiver.got[1].event


def test_what_is_not_possible_is_said(live: Live, tmp_path: Path) -> None:
    for kind in ("deal.exploded", "ghost.created", "schema.updated", "link.created", "nonsense"):
        told = trigger(live, tmp_path, kind)
        assert told.exit_code == 1
        assert "Possible are created, updated" in told.stderr
        assert "deal" in told.stderr
    told = trigger(live, tmp_path, "user.created")
    assert "--set field=value" in told.stderr
    assert "--record is for" in trigger(live, tmp_path, "deal.created", "--record", "x").stderr
    assert "is no id" in trigger(live, tmp_path, "deal.updated", "--record", "x").stderr
    assert "write field=value" in trigger(live, tmp_path, "deal.updated", "--set", "name").stderr
    missing = trigger(live, tmp_path, "deal.updated", "--record", "01976f6e-8a00-7000-8000-000000000001")
    assert "404" in missing.stderr
    assert trigger(live, tmp_path, "deal.updated", "--endpoint", "x", "--forward", "localhost:1").exit_code == 2


def test_an_example_for_one_endpoint(live: Live, http: httpx.Client, receiver: Receiver, tmp_path: Path) -> None:
    answer = http.post("/v1/webhook_endpoints", json={"url": receiver.url, "event_types": ["deal.*"]})
    assert answer.status_code == 201, answer.text
    endpoint, cursor = answer.json(), http.get("/v1/me").json()["events_cursor"]
    told = trigger(live, tmp_path, "contact.merged", "--endpoint", endpoint["id"])
    assert told.exit_code == 0, told.output
    [delivery] = receiver.got
    standardwebhooks.Webhook(endpoint["secret"]).verify(delivery.body, delivery.headers)
    assert (delivery.event["type"], delivery.event["test"]) == ("contact.merged", True)
    assert http.get("/v1/events", params={"cursor": cursor, "object": "contacts"}).json()["data"] == []
    receiver.status = 500
    told = trigger(live, tmp_path, "deal.updated", "--endpoint", endpoint["id"], "--json")
    assert (told.exit_code, orjson.loads(told.stdout)["status_code"]) == (1, 500)
    assert "/event_type" in trigger(live, tmp_path, "deal.exploded", "--endpoint", endpoint["id"]).stderr
