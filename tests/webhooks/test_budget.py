"""How many statements delivery takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.webhooks.conftest import Hooks

pytestmark = pytest.mark.anyio


@contextmanager
def statements(hooks: Hooks) -> Iterator[list[str]]:
    """What runs on the database in the block."""
    seen: list[str] = []
    observers = hooks.api.app.state.services.database.observers
    observers.append(seen.append)
    try:
        yield seen
    finally:
        observers.remove(seen.append)


async def test_with_nothing_to_do_it_is_one_statement(hooks: Hooks) -> None:
    await hooks.run()
    with statements(hooks) as seen:
        await hooks.dispatcher.step()
    assert len(seen) == 1, seen
    with statements(hooks) as seen:
        await hooks.sender.step()
    assert len(seen) == 1, seen


async def test_many_deliveries_share_what_they_cost(hooks: Hooks) -> None:
    await hooks.endpoint("contact.*", max_concurrency=30)
    await hooks.api.make("contacts", last_name="warm")
    await hooks.run()
    for number in range(30):
        await hooks.api.make("contacts", last_name=str(number))
    await hooks.relay.step()
    with statements(hooks) as seen:
        await hooks.dispatcher.step()
    assert len(seen) <= 14, seen
    with statements(hooks) as seen:
        await hooks.sender.step()
        await hooks.sender.idle()
    assert len(hooks.receiver.received) == 31
    # Looking, taking, the first turn; then thirty answers in a few turns.
    assert len(seen) <= 60, (len(seen), seen)
