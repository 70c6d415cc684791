"""Creates: values, references, conflicts, and the events they leave."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import Org, read

pytestmark = pytest.mark.anyio


async def test_a_record_comes_back_as_stored_and_leaves_one_event(org: Org) -> None:
    [outcome] = await org.create(
        "accounts", {"name": "Ácme", "domain": "https://www.Acme.com/x", "annual_revenue": "10.5", "tags": [" vip ", "vip"]}
    )
    record = read(outcome)
    assert (outcome.status, outcome.outcome, outcome.version) == (201, "created", 1)
    assert record["object"] == "accounts"
    assert record["domain"] == "acme.com"
    assert record["annual_revenue"] == "10.50"
    assert record["currency"] == "EUR"
    assert record["display_name"] == "Ácme"
    assert record["tags"] == ["vip"]
    assert record["owner_id"] == str(org.principal.user_id)
    [event] = await org.events(record["id"])
    assert event["type"] == "account.created"
    assert event["version"] == 1
    assert event["changes"]["annual_revenue"] == {"old": None, "new": "10.50"}
    assert event["transaction_last"] is True
    [row] = await org.sql("SELECT name_key, search_text, trigrams FROM accounts WHERE org_id = $1", org.id)
    assert row["name_key"] == "acme"
    assert row["search_text"] == "acme acme com"
    assert "acm" in row["trigrams"]
    assert len(await org.sql("SELECT 1 FROM outbox WHERE org_id = $1", org.id)) == 1
    assert len(await org.sql("SELECT 1 FROM event_snapshots WHERE org_id = $1", org.id)) == 1
