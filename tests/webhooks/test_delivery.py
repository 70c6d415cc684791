"""An event reaches the endpoints that ask for it, signed, as the journal shows it."""

from __future__ import annotations

import pytest

from tests.webhooks.conftest import Hooks

pytestmark = pytest.mark.anyio


async def test_an_event_arrives_as_the_journal_shows_it(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*")
    made = await hooks.api.make("contacts", first_name="Ada")
    await hooks.api.make("accounts", name="Not asked for")
    await hooks.run()
    [received] = hooks.receiver.received
    event = received.event
    assert (event["type"], event["record_id"], event["record"]["first_name"]) == ("contact.created", made["id"], "Ada")
    assert received.id == event["id"]
    assert event == await hooks.api.ok("GET", f"/v1/events/{event['id']}")
