"""Events go to whoever saw the record before or after, and tell no more than that: journal, `since=`, history, timeline, links."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api, Record

pytestmark = pytest.mark.anyio


async def cursor_of(api: Api) -> str:
    found: str = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    return found


async def told(api: Api, cursor: str, **params: Any) -> list[Record]:
    """All events after a cursor."""
    found: list[Record] = []
    while True:
        page = await api.ok("GET", "/v1/events", params={"cursor": cursor, "limit": 100, **params})
        found += page["data"]
        cursor = page["page"]["next_cursor"]
        if not page["page"]["has_more"]:
            return found


def types(events: list[Record]) -> list[str]:
    return [event["type"] for event in events]


async def test_a_transfer_shows_the_record_to_one_and_hides_it_from_the_other(api: Api) -> None:
    """Before and after: full for who sees it now, id and version for who saw it, nothing for who never did."""
    await share_out(api, contacts="private")
    ada, bob, eve = [await colleague(api) for _ in range(3)]
    starts = {one.user_id: await cursor_of(one) for one in (ada, bob, eve)}
    contact = await ada.make("contacts", last_name="Secretname")
    await api.change(contact, owner_id=str(bob.user_id), title="Chief")
    await api.change(contact, title="Boss")
    to_ada = await told(ada, starts[ada.user_id])
    assert types(to_ada) == ["contact.created", "contact.hidden"]
    hidden = to_ada[1]
    assert (hidden["record_id"], hidden["version"]) == (contact["id"], 2)
    assert hidden["changes"] == {}
    assert hidden["record"] is None
    assert hidden["actor"] == {"type": "system", "id": None}
    assert str(bob.user_id) not in str(hidden)
    to_bob = await told(bob, starts[bob.user_id])
    assert types(to_bob) == ["contact.updated", "contact.updated"]
    assert to_bob[0]["record"]["last_name"] == "Secretname"
    assert await told(eve, starts[eve.user_id]) == []
    assert len(await told(api, starts[ada.user_id])) == 3
    # one by one, as in the page
    for event in to_ada:
        assert await ada.ok("GET", f"/v1/events/{event['id']}") == event
    await eve.fails("GET", f"/v1/events/{hidden['id']}", 404, "not_found")
    # asked for by type, and with a filter that what it has become would pass or not
    assert types(await told(ada, starts[ada.user_id], event_types="contact.hidden")) == ["contact.hidden"]
    assert types(await told(ada, starts[ada.user_id], event_types="contact.updated")) == []
    for title in ("Chief", "Nobody"):
        condition = f'{{"field":"title","value":"{title}"}}'
        assert types(await told(ada, starts[ada.user_id], object="contacts", filter=condition)) == ["contact.hidden"]
    assert types(await told(ada, starts[ada.user_id], record_id=contact["id"])) == ["contact.created", "contact.hidden"]
    await ada.fails("GET", f"/v1/contacts/{contact['id']}/history", 404, "not_found")
    await ada.fails("GET", f"/v1/contacts/{contact['id']}/timeline", 404, "not_found")
    assert len((await bob.ok("GET", f"/v1/contacts/{contact['id']}/history"))["data"]) == 3


async def test_since_tells_what_went_out_of_sight(api: Api) -> None:
    """The present state of what is seen, and ids of what was."""
    await share_out(api, contacts="private")
    ada, bob = await colleague(api), await colleague(api)
    contact = await ada.make("contacts", last_name="King")
    gone = await ada.make("contacts", last_name="Gone")
    other = await bob.make("contacts", last_name="Other")
    start = await cursor_of(ada)
    await api.change(contact, owner_id=str(bob.user_id))
    await api.change(other, title="CEO")
    await api.ok("DELETE", f"/v1/contacts/{gone['id']}", params={"purge": "true"})
    await api.ok("DELETE", f"/v1/contacts/{other['id']}", params={"purge": "true"})
    page = await ada.ok("GET", "/v1/contacts", params={"since": start, "deleted": "include"})
    assert page["data"] == []
    gone_ids = {entry["id"]: entry for entry in page["page"]["purged"]}
    assert gone_ids.keys() == {contact["id"], gone["id"]}
    assert gone_ids[contact["id"]]["hidden"] is True
    assert gone_ids[gone["id"]]["purged"] is True
    assert types(await told(ada, start)) == ["contact.hidden", "contact.purged"]
    assert types(await told(bob, start)) == ["contact.updated", "contact.updated", "contact.purged"]


async def test_criteria_and_restrictions_decide_by_the_record_as_it_was(api: Api) -> None:
    """A record that comes to meet a rule's criteria is told of in full, one that no longer does is hidden."""
    await share_out(api, contacts="private", accounts="write")
    grace, kurt = await colleague(api), await colleague(api)
    user = {"type": "user", "id": str(grace.user_id)}
    await api.make(
        "sharing_rules", name="Berlin", applies_to="contacts", criteria={"field": "address.city", "value": "Berlin"}, share_with=user
    )
    await api.make(
        "restriction_rules",
        name="Large",
        applies_to="accounts",
        criteria={"field": "industry", "value": "Software"},
        restricts=[{"type": "user", "id": str(kurt.user_id)}],
    )
    start = await cursor_of(api)
    contact = await api.make("contacts", last_name="King", address={"city": "Bonn"})
    await api.change(contact, address={"city": "BERLIN"})
    await api.change(contact, title="A")
    await api.change(contact, address={"city": "Köln"})
    await api.change(contact, title="B")
    assert types(await told(grace, start)) == ["contact.updated", "contact.updated", "contact.hidden"]
    account = await api.make("accounts", name="Acme", industry="software")
    await api.change(account, industry="steel")
    await api.ok("DELETE", f"/v1/accounts/{account['id']}")
    assert types(await told(kurt, start)) == ["account.created", "account.hidden"]
    assert [t for t in types(await told(grace, start)) if t.startswith("account")] == [
        "account.created",
        "account.updated",
        "account.deleted",
    ]


async def test_where_the_record_before_is_no_longer_kept(api: Api) -> None:
    """Without the row beside the event before, what the record was follows from the old values."""
    from crm_api.db.statement import Statement
    from crm_api.db.uow import unit_of_work
    from tests.journal.events import CLOCK

    await share_out(api, contacts="private")
    grace = await colleague(api)
    await api.make(
        "sharing_rules",
        name="Berlin",
        applies_to="contacts",
        criteria={"field": "address.city", "value": "Berlin"},
        share_with={"type": "user", "id": str(grace.user_id)},
    )
    contact = await api.make("contacts", last_name="King", address={"city": "Berlin"})
    async with unit_of_work(api.app.state.services.database, api.org_id, CLOCK) as uow:
        await uow.fetch(Statement("DELETE FROM event_snapshots WHERE org_id = $1", ("id",)), {"id": api.org_id})
    start = await cursor_of(grace)
    await api.change(contact, address={"city": "Bonn"})
    assert types(await told(grace, start)) == ["contact.hidden"]


async def test_links_are_for_those_who_see_both_ends(api: Api) -> None:
    """As events, in lists, by id, in files of snapshots and in timelines."""
    await share_out(api, contacts="private")
    ada = await colleague(api)
    deal = await ada.make("deals", name="Deal")
    mine, other = await ada.make("contacts", last_name="Mine"), await api.make("contacts", last_name="Other")
    start = await cursor_of(ada)
    links = []
    for contact in (mine, other):
        path = f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}"
        links.append(await api.ok("PUT", path, json={"roles": ["champion"]}))
    assert types(await told(ada, start)) == ["link.created"]
    assert len(await told(api, start)) == 2
    listed = await ada.ok("GET", f"/v1/deals/{deal['id']}/links/contacts")
    assert [row["record"]["id"] for row in listed["data"]] == [mine["id"]]
    assert [link["id"] for link in (await ada.ok("GET", "/v1/links", params={"relation": "deals.contacts"}))["data"]] == [links[0]["id"]]
    read = await ada.ok("POST", "/v1/links/batch/read", json={"items": [{"id": link["id"]} for link in links]})
    assert [result["status"] for result in read["results"]] == [200, 404]
    timeline = await ada.ok("GET", f"/v1/deals/{deal['id']}/timeline", params={"types": "links"})
    assert len(timeline["data"]) == 1
    assert len((await api.ok("GET", f"/v1/deals/{deal['id']}/timeline", params={"types": "links"}))["data"]) == 2


async def test_private_views_and_jobs_are_their_owners(api: Api) -> None:
    """Nobody else hears of them; a view that becomes private is hidden from the others."""
    ada, bob = await colleague(api), await colleague(api)
    start = await cursor_of(api)
    view = await ada.make("views", name="Mine", applies_to="contacts", columns=["last_name"], visibility="private")
    assert types(await told(ada, start)) == ["view.created"]
    assert types(await told(bob, start)) == []
    await ada.change(view, visibility="shared")
    assert types(await told(bob, start)) == ["view.updated"]
    await ada.change(view, visibility="private")
    assert types(await told(bob, start)) == ["view.updated", "view.hidden"]
    job = await ada.ok("POST", "/v1/events/snapshot", json={"objects": ["contacts"]})
    await ada.ok("POST", f"/v1/jobs/{job['id']}/cancel")
    assert "job.finished" in types(await told(ada, start))
    assert "job.finished" in types(await told(api, start))
    assert "job.finished" not in types(await told(bob, start))
    await bob.fails("GET", f"/v1/jobs/{job['id']}", 404, "not_found")


class Mirror:
    """A copy kept by the recipe: events whose version is greater than the stored one, `resync` when rights have changed."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.cursor = ""
        self.rows: dict[str, tuple[int, Record | None]] = {}
        self.access: int | None = None
        self.resyncs = 0

    async def load(self) -> None:
        self.cursor = await cursor_of(self.api)
        self.rows = {row["id"]: (row["version"], row) for row in await self.api.all("/v1/contacts")}

    async def follow(self) -> None:
        while True:
            page = await self.api.ok("GET", "/v1/events", params={"cursor": self.cursor, "limit": 7})
            if self.access is not None and page["page"]["access_version"] != self.access:
                self.access = page["page"]["access_version"]
                self.resyncs += 1
                await self.load()
                continue
            self.access = page["page"]["access_version"]
            for event in page["data"]:
                if event["object"] == "shares" and event["changes"].get("object", {}) and event["type"] != "share.updated":
                    await self.look(event)
                if event["object"] != "contacts" or event["version"] <= self.rows.get(event["record_id"], (0, None))[0]:
                    continue
                verb = event["type"].partition(".")[2]
                gone = verb in ("hidden", "purged", "deleted", "merged")
                self.rows[event["record_id"]] = (event["version"], None if gone else event["record"])
            self.cursor = page["page"]["next_cursor"]
            if not page["page"]["has_more"]:
                return

    async def look(self, event: Record) -> None:
        """A share of a record came or went: it is read again."""
        sides = event["changes"]
        id_ = next(sides["record_id"][side] for side in ("new", "old") if sides["record_id"][side])
        answer = await self.api.http.get(f"/v1/contacts/{id_}")
        if answer.status_code == 200:
            self.rows[id_] = (answer.json()["version"], answer.json())
        else:
            self.rows.pop(id_, None)

    def shown(self) -> dict[str, Record]:
        return {id_: row for id_, (_, row) in self.rows.items() if row is not None}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_mirrors_hold_what_their_users_may_read(api: Api, seed: int) -> None:
    """Random writes, transfers, role moves and rules: who follows the journal has exactly what the list shows."""
    dice = random.Random(seed)
    await share_out(api, contacts="private")
    head = await api.make("roles", name="Head")
    north = await api.make("roles", name="North", parent_id=head["id"])
    south = await api.make("roles", name="South", parent_id=head["id"])
    people = [await colleague(api, role_id=role["id"]) for role in (head, north, south)]
    people.append(await colleague(api))
    rule = await api.make(
        "sharing_rules",
        name="Hot",
        applies_to="contacts",
        criteria={"field": "rating", "value": "hot"},
        share_with={"type": "user", "id": str(people[3].user_id)},
    )
    mirrors = [Mirror(one) for one in (*people, api)]
    for mirror in mirrors:
        await mirror.load()
    contacts: list[str] = []
    for step in range(45):
        kind = dice.choice(
            ["create", "change", "change", "change", "give", "give", "give", "delete", "restore", "rate", "rate", "move", "rule"]
        )
        if kind == "create" or not contacts:
            owner = dice.choice(people)
            contacts.append((await owner.make("contacts", last_name=f"C{step}", rating=dice.choice(["hot", "cold"])))["id"])
            continue
        id_ = dice.choice(contacts)
        path = f"/v1/contacts/{id_}"
        if kind == "change":
            await api.http.patch(path, json={"title": f"T{step}"})
        elif kind == "give":
            await api.http.patch(path, json={"owner_id": str(dice.choice(people).user_id)})
        elif kind == "rate":
            await api.http.patch(path, json={"rating": dice.choice(["hot", "cold"])})
        elif kind == "delete":
            await api.http.delete(path, params={"purge": "true"} if dice.random() < 0.2 else {})
        elif kind == "restore":
            await api.http.post(f"{path}/restore")
        elif kind == "move":
            await api.change(south, parent_id=dice.choice([head["id"], north["id"], None]))
        else:
            await api.change(rule, is_active=dice.random() < 0.5)
        if dice.random() < 0.3:
            await dice.choice(mirrors).follow()
    for mirror in mirrors:
        await mirror.follow()
        listed = {row["id"]: row for row in await mirror.api.all("/v1/contacts")}
        assert mirror.shown() == listed
