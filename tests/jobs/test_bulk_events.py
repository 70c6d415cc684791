"""What a bulk job tells: one event for each record that it has changed, with the fields that have changed."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.jobs.support import bulk, events, finished, make_contacts

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


async def test_each_change_of_a_job_has_one_event(api: Api) -> None:
    old = await make_contacts(api, 30, title="A", department="Sales")
    half = await make_contacts(api, 30, title="B", department="Support")
    same = await make_contacts(api, 30, title="B", department="Sales")
    job = await bulk(
        api, "contacts", filter={"field": "last_name", "op": "is_not_null"}, action="update", set={"title": "B", "department": "Sales"}
    )
    assert (await finished(api, job))["result"] == {"updated": 60, "unchanged": 30}
    told = await events(api, event_types="contact.updated")
    assert len(told) == 60
    changes = {event["record_id"]: event["changes"] for event in told}
    assert {id for id, change in changes.items() if change == {"title": {"old": "A", "new": "B"}}} == {row["id"] for row in old}
    assert {id for id, change in changes.items() if change == {"department": {"old": "Support", "new": "Sales"}}} == {r["id"] for r in half}
    assert not set(changes) & {row["id"] for row in same}
    # a job that fails for some records tells of the others only
    mixed = [row["id"] for row in old[:5]]
    await api.ok("DELETE", f"/v1/contacts/{mixed[0]}")
    job = await bulk(api, "contacts", ids=mixed, action="tag", set={"tags": ["x"]})
    done = await finished(api, job)
    told = await events(api, event_types="contact.updated")
    tagged = [event for event in told if event["cause"].get("job_id") == job["id"]]
    assert sorted(event["record_id"] for event in tagged) == sorted(mixed[1:]), done
    assert all(event["changes"] == {"tags": {"old": [], "new": ["x"]}} for event in tagged)
