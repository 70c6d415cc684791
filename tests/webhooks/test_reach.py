"""An endpoint is told what its maker may know at that moment, and nothing once the maker may know nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api, Record, client
from tests.oauth.conftest import World, world
from tests.oauth.support import register
from tests.webhooks.conftest import Hooks, hooks_of
from tests.webhooks.receiver import Receiver, Reply
from tests.webhooks.states import deliveries, queued, time_passes

__all__ = ["world"]

pytestmark = pytest.mark.anyio


ALL = ["read", "create", "update", "delete"]


async def maker_of(hooks: Hooks) -> Api:
    """A member who may have endpoints, and is no administrator."""
    permissions = {"*": ALL, "webhook_endpoints": ALL, "events": ["read"]}
    profile = await hooks.api.make("profiles", name="Integrations", permissions=permissions)
    return await colleague(hooks.api, profile_id=profile["id"])


async def endpoint_of(hooks: Hooks, maker: Api, *types: str, **more: Any) -> Record:
    return await maker.make("webhook_endpoints", url=hooks.receiver.url, event_types=list(types), **more)


async def test_a_members_endpoint_sees_what_the_member_sees(hooks: Hooks) -> None:
    await share_out(hooks.api, contacts="private")
    member = await maker_of(hooks)
    made = await endpoint_of(hooks, member, "contact.*")
    assert (made["acts_as"], made["acting_user_id"]) == ("user", str(member.user_id))
    theirs = await hooks.api.make("contacts", last_name="Not shared")
    own = await member.make("contacts", last_name="Own")
    await hooks.run()
    assert [event["record_id"] for event in hooks.receiver.events] == [own["id"]]
    # A record that comes into sight is told of from then on; one that leaves it is told of once more, without contents.
    await hooks.api.change(theirs, owner_id=str(member.user_id))
    await hooks.run()
    assert hooks.receiver.events[-1]["record_id"] == theirs["id"]
    await hooks.api.change(theirs, owner_id=str(hooks.api.user_id), last_name="Secret")
    await hooks.run()
    last = hooks.receiver.events[-1]
    assert (last["type"], last["record_id"]) == ("contact.hidden", theirs["id"])
    assert "Secret" not in str(last)


async def test_rights_are_those_of_the_moment_of_sending(hooks: Hooks) -> None:
    member = await maker_of(hooks)
    await endpoint_of(hooks, member, "contact.*")
    hooks.receiver.answer = lambda _: Reply(500)
    await hooks.api.make("contacts", last_name="King", title="Countess")
    await hooks.run()
    assert hooks.receiver.events[0]["record"]["title"] == "Countess"
    [profile] = [one for one in await hooks.api.all("/v1/profiles") if one["name"] == "Integrations"]
    await hooks.api.change(profile, fields={"contacts": {"title": "hidden"}})
    hooks.receiver.answer = lambda _: Reply()
    await time_passes(hooks.api)
    await hooks.run()
    first, second = hooks.receiver.received
    assert first.id == second.id
    assert second.event["record"]["last_name"] == "King"
    assert "Countess" not in second.body.decode()


async def test_a_token_of_few_fields_makes_an_endpoint_of_few_fields(hooks: Hooks) -> None:
    body = {
        "name": "few", "scopes": ["contacts:read", "webhooks:write", "events:read"],
        "fields": {"contacts": ["last_name", "title"], "webhook_endpoints": ["url", "event_types"]},
    }  # fmt: skip
    token = (await hooks.api.ok("POST", "/v1/tokens", json=body, status=201))["token"]
    async with client(hooks.api.app, token) as http:
        answer = await http.post("/v1/webhook_endpoints", json={"url": hooks.receiver.url, "event_types": ["contact.*"]})
        assert answer.status_code == 201, answer.text
    made = await hooks.api.make("contacts", last_name="King", title="Countess", birthdate="1815-12-10", email="king@acme.example")
    await hooks.api.change(made, birthdate="1815-12-11", title="Dr")
    await hooks.run()
    first, second = sorted(hooks.receiver.events, key=lambda event: event["seq"])
    assert first["record"]["title"] == "Countess"
    assert "1815" not in str(first)
    assert "acme.example" not in str(first)
    assert list(second["changes"]) == ["title"]


async def test_a_member_who_is_suspended(hooks: Hooks) -> None:
    member = await maker_of(hooks)
    endpoint = await endpoint_of(hooks, member, "contact.*")
    hooks.receiver.answer = lambda _: Reply(500)
    await hooks.api.make("contacts", last_name="a")
    await hooks.run()
    await hooks.api.ok("POST", f"/v1/users/{member.user_id}/suspend")
    await hooks.api.make("contacts", last_name="b")
    await time_passes(hooks.api)
    await hooks.run()
    off = await hooks.api.get(endpoint)
    assert (off["status"], off["disabled_reason"]) == ("disabled", "user_inactive")
    assert len(hooks.receiver.received) == 1
    assert [(one["status"], one["reason"]) for one in await deliveries(hooks.api, endpoint)] == [("cancelled", "endpoint_disabled")]


async def test_an_apps_endpoint_ends_with_its_grant(world: World, receiver: Receiver, hooks: Hooks) -> None:
    app = await register(world.api, world.http, scopes=["contacts:read", "webhooks:write"])
    tokens = await app.tokens(world.browser, scope="contacts:read webhooks:write")
    own = hooks_of(world.app, hooks.api.app.state.services.settings, world.api, receiver, hooks.sender.egress)
    async with client(world.app, tokens["access_token"]) as http:
        answer = await http.post("/v1/webhook_endpoints", json={"url": receiver.url, "event_types": ["*"]})
        assert answer.status_code == 201, answer.text
        endpoint = answer.json()
    assert (endpoint["acts_as"], endpoint["grant_id"]) == ("grant", tokens["grant_id"])
    await world.api.make("contacts", last_name="a")
    await world.api.make("accounts", name="out of its scopes")
    await own.run()
    assert {event["type"] for event in receiver.events} & {"contact.created", "account.created"} == {"contact.created"}
    receiver.answer = lambda _: Reply(500)
    await world.api.make("contacts", last_name="b")
    await own.run()
    sent = len(receiver.received)
    assert len(await queued(world.api)) == 1
    await world.api.ok("DELETE", f"/v1/oauth_grants/{tokens['grant_id']}")
    await world.api.make("contacts", last_name="c")
    await own.run()
    assert len(receiver.received) == sent
    off = await world.api.ok("GET", f"/v1/webhook_endpoints/{endpoint['id']}")
    assert (off["status"], off["disabled_reason"]) == ("disabled", "grant_revoked")
    assert await queued(world.api) == []
    assert ("cancelled", "endpoint_disabled") in {(one["status"], one["reason"]) for one in await deliveries(world.api)}


async def test_filters_choose_as_they_say(hooks: Hooks) -> None:
    tree = {
        "or": [
            {"and": [{"field": "title", "op": "changed"}, {"field": "rating", "op": "eq", "value": "hot"}]},
            {"field": "last_name", "op": "eq", "value": "King"},
        ]
    }
    await hooks.endpoint("contact.*", "account.*", filters=[{"object": "contacts", "filter": tree}])
    expected: list[str] = []
    for number in range(16):
        values = {
            "last_name": "King" if number & 1 else "Byron", "rating": "hot" if number & 2 else "cold", "title": "a",
        }  # fmt: skip
        made = await hooks.api.make("contacts", **values)
        change = {"title": "b"} if number & 4 else {"first_name": "Ada"}
        changed = await hooks.api.change(made, **change)
        for record, before in ((made, {}), (changed, made)):
            hot = record["title"] != before.get("title") and record["rating"] == "hot"
            if hot or record["last_name"] == "King":
                expected.append(f"{record['id']} {record['version']}")
    account = await hooks.api.make("accounts", name="has no filter")
    await hooks.run()
    assert sorted(f"{event['record_id']} {event['version']}" for event in hooks.receiver.events) == sorted(
        [*expected, f"{account['id']} 1"]
    )
