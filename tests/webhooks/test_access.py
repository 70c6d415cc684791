"""Who may do what with endpoints: apps with their own, people as far as scopes and profiles go, and nobody learns of hidden fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.people import colleague
from tests.api import Api, Record, client
from tests.oauth.conftest import World, world
from tests.oauth.support import register

__all__ = ["world"]
pytestmark = pytest.mark.anyio

ENDPOINT = {"url": "https://example.com/hooks", "event_types": ["contact.*"]}
READS = ("", "/attempts", "/health", "/stats")
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/secret/rotate", {}),
    ("/test", {"event_type": "contact.created"}),
    ("/replay", {"since": "2026-01-01T00:00:00Z", "dry_run": True}),
    ("/cancel-pending", {}),
    ("/skip", {}),
)


def path(endpoint: Record) -> str:
    return f"/v1/webhook_endpoints/{endpoint['id']}"


async def test_an_app_has_its_own_endpoints_only(world: World) -> None:  # the fixture
    """Those of others are not there for it, by whatever route; people see its."""
    first, second = [await register(world.api, world.http, scopes=["webhooks:write", "contacts:read"]) for _ in range(2)]
    tokens = [str((await app.tokens(world.browser, scope="webhooks:write contacts:read"))["access_token"]) for app in (first, second)]
    async with client(world.api.app, tokens[0]) as one, client(world.api.app, tokens[1]) as two:
        mine, theirs = (Api(http, world.api.app, world.api.org_id, world.api.user_id, "") for http in (one, two))
        made = await mine.make("webhook_endpoints", **ENDPOINT)
        assert (made["acts_as"], made["app_id"]) == ("grant", first.id)
        ours = await world.api.make("webhook_endpoints", **ENDPOINT)
        for caller, endpoint in ((theirs, made), (mine, ours)):
            for tail in (*READS, "/secret"):
                await caller.fails("GET", path(endpoint) + tail, 404, "not_found")
            for tail, body in WRITES:
                await caller.fails("POST", path(endpoint) + tail, 404, "not_found", json=body)
        for caller in (mine, world.api):
            for tail in READS:
                await caller.ok("GET", path(made) + tail)
        assert (await mine.ok("GET", path(made) + "/secret"))["secret"] == made["secret"]
        assert (await mine.ok("GET", "/v1/webhook_deliveries"))["data"] == []
        # an administrator may do anything with it
        await world.api.ok("POST", path(made) + "/secret/rotate", json={})


async def test_what_scopes_and_profiles_allow(api: Api) -> None:
    """Whoever may only read can't do anything; whoever may write, but not aim, gets no secret."""
    made = await api.make("webhook_endpoints", **ENDPOINT)
    reader = await api.with_scopes("webhooks:read")
    for tail in READS:
        await reader.ok("GET", path(made) + tail)
    await reader.ok("GET", "/v1/webhook_deliveries")
    for tail, body in WRITES:
        await reader.fails("POST", path(made) + tail, 403, "insufficient_scope", json=body)
    await reader.fails("GET", path(made) + "/secret", 403, "insufficient_scope")
    nobody = await api.with_scopes("contacts:read")
    for tail in READS:
        await nobody.fails("GET", path(made) + tail, 403, "insufficient_scope")
    await nobody.fails("GET", "/v1/webhook_deliveries", 403, "insufficient_scope")
    writer = await api.with_scopes("webhooks:write")
    await writer.fails("GET", path(made) + "/secret", 403, "forbidden")
    await writer.fails("POST", path(made) + "/secret/rotate", 403, "forbidden", json={})
    own = await writer.make("webhook_endpoints", **ENDPOINT)
    assert own["acts_as"] == "user"
    assert (await writer.ok("GET", path(own) + "/secret"))["secret"] == own["secret"]
    await api.ok("DELETE", path(made))
    for tail in READS:
        await api.fails("GET", path(made) + tail, 410, "deleted")


async def test_filters_that_name_hidden_fields_are_not_shown(api: Api) -> None:
    filters = [
        {"object": "deals", "filter": {"field": "amount", "op": "gte", "value": "10"}},
        {"object": "contacts", "filter": {"field": "title", "op": "changed"}},
    ]
    made = await api.make("webhook_endpoints", **{**ENDPOINT, "filters": filters})
    every = ["read", "create", "update"]
    profile = await api.make("profiles", name="No amounts", permissions={"*": every}, fields={"deals": {"amount": "hidden"}})
    other = await colleague(api, profile_id=profile["id"])
    assert (await other.get(made))["filters"] == filters[1:]
    assert (await api.get(made))["filters"] == filters


async def test_impact_names_endpoints_whose_filters_use_a_field(api: Api) -> None:
    await api.ok("POST", "/v1/meta/deals/fields", json={"api_name": "tier", "label": "Tier", "type": "text"})
    tree = {"and": [{"field": "custom_fields.tier", "op": "changed"}, {"field": "amount", "op": "gte", "value": "1"}]}
    made = await api.make("webhook_endpoints", **{**ENDPOINT, "filters": [{"object": "deals", "filter": tree}]})
    used = (await api.ok("GET", "/v1/meta/deals/fields/tier/impact"))["data"]
    assert [(use["kind"], use["id"], use["at"]) for use in used] == [("webhook_endpoints", made["id"], "/filters/0/filter/and/0/field")]
