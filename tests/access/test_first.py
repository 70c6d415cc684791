"""The shortest way through everything: whose records are reached, and which fields are known."""

from __future__ import annotations

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_private_records_are_their_owners(api: Api) -> None:
    """Lists, searches, counts, single reads and writes agree at once, and again when the organisation opens the object."""
    mine = await api.make("contacts", last_name="King")
    grace = await colleague(api)
    assert (await grace.get(mine))["id"] == mine["id"]
    await share_out(api, contacts="private")
    assert (await grace.ok("GET", "/v1/contacts", params={"count": "exact"}))["page"]["count"] == 0
    assert (await grace.ok("POST", "/v1/contacts/search", json={"q": "king"}))["data"] == []
    await grace.fails("GET", f"/v1/contacts/{mine['id']}", 404, "not_found")
    await grace.fails("PATCH", f"/v1/contacts/{mine['id']}", 404, "not_found", json={"last_name": "Queen"})
    await grace.fails("POST", "/v1/deals", 422, "validation_failed", json={"name": "D", "contact_id": mine["id"]})
    own = await grace.make("contacts", last_name="Hopper")
    assert [record["id"] for record in await grace.all("/v1/contacts")] == [own["id"]]
    assert len(await api.all("/v1/contacts")) == 2
    await share_out(api, contacts="read")
    await grace.get(mine)
    await grace.fails("PATCH", f"/v1/contacts/{mine['id']}", 403, "forbidden", json={"last_name": "Queen"})
    await share_out(api, contacts="write")
    assert (await grace.change(mine, last_name="Queen"))["last_name"] == "Queen"


async def test_a_superior_sees_what_those_below_own(api: Api) -> None:
    """A sibling doesn't; moving a role is in force on the next request."""
    head = await api.make("roles", name="Head")
    north = await api.make("roles", name="North", parent_id=head["id"])
    south = await api.make("roles", name="South", parent_id=head["id"])
    boss = await colleague(api, role_id=head["id"])
    ada = await colleague(api, role_id=north["id"])
    bob = await colleague(api, role_id=south["id"])
    await share_out(api, contacts="private")
    contact = await ada.make("contacts", last_name="King")
    assert (await boss.change(contact, last_name="Queen"))["last_name"] == "Queen"
    await bob.fails("GET", f"/v1/contacts/{contact['id']}", 404, "not_found")
    await api.change(north, parent_id=south["id"])
    assert (await bob.get(contact))["last_name"] == "Queen"
    await boss.get(contact)


async def test_criteria_share_what_meets_them(api: Api) -> None:
    """A record that comes to meet the criteria is shared with its next read."""
    grace = await colleague(api)
    await share_out(api, contacts="private")
    contact = await api.make("contacts", last_name="King", address={"city": "Bonn"})
    await api.make(
        "sharing_rules",
        name="Berlin",
        applies_to="contacts",
        criteria={"field": "address.city", "value": "Berlin"},
        share_with={"type": "user", "id": str(grace.user_id)},
    )
    await grace.fails("GET", f"/v1/contacts/{contact['id']}", 404, "not_found")
    await api.change(contact, address={"city": "berlin"})
    await grace.get(contact)
    assert len(await grace.all("/v1/contacts")) == 1
    await grace.fails("PATCH", f"/v1/contacts/{contact['id']}", 403, "forbidden", json={"last_name": "Queen"})


async def test_restrictions_take_away(api: Api) -> None:
    """What a restriction rule doesn't leave is gone, whatever else gives it."""
    grace = await colleague(api)
    lead = await api.make("contacts", last_name="King", rating="hot")
    other = await api.make("contacts", last_name="Queen", rating="cold")
    await api.make(
        "restriction_rules",
        name="Hot only",
        applies_to="contacts",
        criteria={"field": "rating", "value": "hot"},
        restricts=[{"type": "user", "id": str(grace.user_id)}],
    )
    assert [record["id"] for record in await grace.all("/v1/contacts")] == [lead["id"]]
    await grace.fails("DELETE", f"/v1/contacts/{other['id']}", 404, "not_found")


async def test_hidden_fields_are_unknown_and_closed_ones_refused(api: Api) -> None:
    """Reads, filters, sorts and bodies; the writer's answers too."""
    profile = await api.make(
        "profiles",
        name="Narrow",
        permissions={"*": ["read", "create", "update"], "leads": []},
        fields={"contacts": {"birthdate": "hidden", "title": "read_only"}},
    )
    grace = await colleague(api, profile_id=profile["id"])
    contact = await api.make("contacts", last_name="King", birthdate="1815-12-10", title="Countess")
    found = await grace.get(contact)
    assert "birthdate" not in found
    assert found["title"] == "Countess"
    assert "birthdate" not in await grace.change(contact, last_name="Queen")
    await grace.fails("GET", "/v1/contacts", 400, "unknown_parameter", params={"birthdate": "1815-12-10"})
    await grace.fails("GET", "/v1/contacts", 400, "bad_request", params={"sort": "birthdate"})
    problem = await grace.fails("POST", "/v1/contacts", 422, "validation_failed", json={"last_name": "X", "birthdate": "1815-12-10"})
    assert problem["errors"][0]["code"] == "unknown_field"
    assert "birthdate" not in problem["errors"][0]["allowed"]
    problem = await grace.fails("PATCH", f"/v1/contacts/{contact['id']}", 403, "forbidden", json={"title": "Dr"})
    assert problem["errors"][0]["pointer"] == "/title"
    await grace.fails("GET", "/v1/leads", 404, "not_found")
    await grace.fails("DELETE", f"/v1/contacts/{contact['id']}", 403, "forbidden")


async def test_what_an_amount_is_worth_goes_with_it(api: Api) -> None:
    """Twins of hidden amounts in the organisation's currency are hidden, standard and custom ones."""
    await api.ok("POST", "/v1/meta/deals/fields", json={"api_name": "bonus", "type": "currency"})
    profile = await api.make(
        "profiles",
        name="No money",
        permissions={"*": ["read", "create", "update"]},
        fields={"deals": {"amount": "hidden", "custom_fields.bonus": "hidden"}},
    )
    grace = await colleague(api, profile_id=profile["id"])
    deal = await api.make("deals", name="Robots", amount="10.00", custom_fields={"bonus": "1.00"})
    assert (deal["amount_base"], deal["custom_fields"]["bonus_base"]) == ("10.00", "1.00")
    found = await grace.get(deal)
    assert {"amount", "amount_base", "weighted_amount", "weighted_amount_base"}.isdisjoint(found)
    assert found["custom_fields"] == {}
