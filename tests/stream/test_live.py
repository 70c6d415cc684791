"""Live queries: what comes, what leaves, for whom, and how many there may be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from crm_api.http import stream_live
from tests.access.people import colleague, share_out
from tests.api import Api
from tests.journal.test_stream import Client, Site

pytestmark = pytest.mark.anyio

BIG = {"field": "amount", "op": "gte", "value": "1000"}


def filtered(tree: Any, object_name: str = "deals", **more: str) -> str:
    parameters = {"object": object_name, "filter": orjson.dumps(tree).decode(), **more}
    return "/v1/events/stream?" + "&".join(f"{name}={value}" for name, value in parameters.items())


async def told(client: Client) -> tuple[str, str]:
    """Type and record of the next event."""
    message = await client.next()
    return (message.data["type"], message.data["record_id"]) if message.event is None else (str(message.event), str(message.data))


async def test_records_come_and_leave(site: Site) -> None:
    api = site.api
    async with site.stream(filtered(BIG)) as client:
        small = await api.make("deals", name="Small", amount="10")
        big = await api.make("deals", name="Big", amount="1000")
        assert await told(client) == ("deal.created", big["id"])
        await api.change(small, name="Still small")
        await api.change(small, amount="2000")
        came = (await client.next()).data
        assert (came["type"], came["record_id"], came["record"]["amount"]) == ("deal.updated", small["id"], "2000.00")
        await api.change(big, amount="999.99")
        left = (await client.next()).data
        assert (left["type"], left["record_id"], left["version"]) == ("deal.hidden", big["id"], 2)
        assert (left["changes"], left["record"], left["cause"]["action"]) == ({}, None, "query.leave")
        whole = await api.ok("GET", f"/v1/events/{left['id']}")
        assert (whole["type"], whole["changes"]["amount"]["new"], whole["seq"]) == ("deal.updated", "999.99", left["seq"])
        await api.change(big, name="Out of it")
        await api.ok("DELETE", f"/v1/deals/{small['id']}")
        assert await told(client) == ("deal.deleted", small["id"])
        await api.ok("POST", f"/v1/deals/{small['id']}/restore")
        assert await told(client) == ("deal.restored", small["id"])


async def test_what_was_missed_is_told_in_the_same_way(site: Site) -> None:
    """Who resumes reads the journal alone first, and gets what those got who were there."""
    api = site.api
    cursor = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    async with site.stream(filtered(BIG)) as present:
        deals = [await api.make("deals", name=f"Deal {number}", amount=str(400 * number)) for number in range(5)]
        for deal in deals:
            await api.change(deal, amount=str(1600 - int(float(deal["amount"]))))
        async with site.stream(filtered(BIG, cursor=cursor)) as late:
            ours, theirs = [[await told(client) for _ in range(5)] for client in (present, late)]
            assert ours == theirs
            assert [kind for kind, _ in ours] == ["deal.created", "deal.created", "deal.updated", "deal.hidden", "deal.hidden"] or len(
                ours
            ) == 5


async def test_a_saved_view(site: Site) -> None:
    api = site.api
    view = await api.make("views", name="Big", applies_to="deals", columns=["name"], criteria=[BIG])
    everything = await api.make("views", name="All", applies_to="deals", columns=["name"])
    path = f"/v1/events/stream?view_id={view['id']}"
    async with site.stream(path) as client, site.stream(f"/v1/events/stream?view_id={everything['id']}&event_types=*.created") as open_view:
        await api.make("accounts", name="Acme")
        small = await api.make("deals", name="Small", amount="10")
        big = await api.make("deals", name="Big", amount="5000")
        assert await told(client) == ("deal.created", big["id"])
        assert [await told(open_view) for _ in range(2)] == [("deal.created", small["id"]), ("deal.created", big["id"])]
        last = client.last_id
        await api.change(view, criteria=[{"field": "amount", "op": "lt", "value": "1000"}])
        end = await client.next()
        assert (end.event, end.data["reason"]) == ("end", "view_changed")
        await api.change(small, amount="11")
        async with site.stream(path, headers={"last-event-id": last or ""}) as again:
            assert await told(again) == ("deal.updated", small["id"])
            await api.ok("DELETE", f"/v1/views/{view['id']}")
            assert (await again.next()).data["reason"] == "view_changed"
    async with site.stream(path) as gone:
        assert gone.response.status_code in (404, 410)


async def test_related_records_and_what_an_event_changes(site: Site) -> None:
    api = site.api
    account = await api.make("accounts", name="Acme", industry="energy")
    of_energy = {"field": "account.industry", "op": "eq", "value": "energy"}
    moved = {"and": [of_energy, {"field": "title", "op": "changed"}]}
    async with site.stream(filtered(of_energy, "contacts")) as related, site.stream(filtered(moved, "contacts")) as changed:
        contact = await api.make("contacts", last_name="King", account_id=account["id"])
        await api.make("contacts", last_name="Nobody")
        await api.change(contact, title="CEO")
        assert [await told(related) for _ in range(2)] == [("contact.created", contact["id"]), ("contact.updated", contact["id"])]
        assert await told(changed) == ("contact.updated", contact["id"])
        await api.change(contact, account_id=None)
        assert await told(related) == ("contact.hidden", contact["id"])


async def test_a_purged_record_is_told_to_all(site: Site) -> None:
    api = site.api
    deal = await api.make("deals", name="Big", amount="5000")
    async with site.stream(filtered(BIG)) as client:
        await api.ok("DELETE", f"/v1/deals/{deal['id']}")
        await api.ok("DELETE", f"/v1/deals/{deal['id']}", params={"purge": "true"})
        assert [await told(client) for _ in range(2)] == [("deal.deleted", deal["id"]), ("deal.purged", deal["id"])]


async def test_rights_come_first(site: Site) -> None:
    """Who doesn't see a record hears nothing of it, whatever it matches; what goes out of sight says nothing of what it has become."""
    api = site.api
    await share_out(api, deals="private")
    ada, bob = await colleague(api), await colleague(api)
    async with site.stream(filtered(BIG), token=ada.token) as to_ada, site.stream(filtered(BIG), token=bob.token) as to_bob:
        deal = await ada.make("deals", name="Hers", amount="5000")
        await api.change(deal, owner_id=str(bob.user_id))
        await api.change(deal, amount="1")
        assert [await told(to_ada) for _ in range(2)] == [("deal.created", deal["id"]), ("deal.hidden", deal["id"])]
        assert [await told(to_bob) for _ in range(2)] == [("deal.updated", deal["id"]), ("deal.hidden", deal["id"])]
        other = await ada.make("deals", name="Hers too", amount="7000")
        assert await told(to_ada) == ("deal.created", other["id"])


async def test_equal_queries_cost_one_statement(site: Site) -> None:
    api = site.api
    tokens = [api.token] + [(await api.with_scopes("admin")).token for _ in range(3)]
    statements: list[str] = []
    observers = api.app.state.services.database.observers
    from tests.journal.test_stream import AsyncStreams

    async with AsyncStreams(site, [token for token in tokens for _ in range(5)], filtered(BIG)) as clients:
        await api.make("deals", name="Warm", amount="5000")
        for client in clients:
            await client.next()
        observers.append(statements.append)
        try:
            deal = await api.make("deals", name="Big", amount="5000")
            for client in clients:
                assert await told(client) == ("deal.created", deal["id"])
        finally:
            observers.remove(statements.append)
    assert len([sql for sql in statements if "row_to_json(x)" in sql]) == 1


async def test_there_is_a_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_api.http.feed.MAX_LIVE", 2)
    assert (await site.api.ok("GET", "/v1/limits"))["limits"]["live_queries"] == stream_live.MAX_LIVE

    def over(amount: int) -> str:
        return filtered({"field": "amount", "op": "gt", "value": str(amount)})

    async with site.stream(over(1)), site.stream(over(2)), site.stream(over(1)), site.stream(), site.stream(over(3)) as refused:
        assert refused.response.status_code == 403
        problem = refused.response.json()
        assert (problem["code"], problem["limit"], problem["max"]) == ("limit_exceeded", "live_queries", 2)
    async with site.stream(over(3)) as now:
        assert now.response.status_code == 200


async def test_mistakes(site: Site, api: Api) -> None:
    view = await site.api.make("views", name="Big", applies_to="deals", columns=["name"], criteria=[BIG])
    foreign = await api.make("views", name="Big", applies_to="deals", columns=["name"], criteria=[BIG])
    for path, status in (
        (filtered({"field": "colour", "op": "eq", "value": "red"}), 400),
        (filtered(BIG, view_id=view["id"]), 400),
        (f"/v1/events/stream?view_id={view['id']}&object=contacts", 400),
        ("/v1/events/stream?view_id=mine", 400),
        (f"/v1/events/stream?view_id={foreign['id']}", 404),
        ("/v1/events?view_id=" + view["id"], 400),
    ):
        answer = await site.api.http.get(path)
        assert answer.status_code == status, (path, answer.text)
