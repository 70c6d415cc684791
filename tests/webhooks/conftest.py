"""For tests of webhooks: a receiver, and a worker's dispatcher and sender that run when they are told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from crm_api.core.clock import Clock
from crm_api.core.egress import Egress
from crm_api.http.app import Application
from crm_api.jobs.relay import Relay
from crm_api.jobs.webhooks.dispatcher import Dispatcher
from crm_api.jobs.webhooks.sender import Sender
from crm_api.settings import Settings
from tests.api import Api, Record
from tests.webhooks.receiver import Receiver, receiving


@dataclass
class Hooks:
    """A worker's part in webhooks, in this process."""

    api: Api
    receiver: Receiver
    dispatcher: Dispatcher
    sender: Sender
    relay: Relay
    endpoints: list[Record] = field(default_factory=list)

    async def endpoint(self, *event_types: str, **more: Any) -> Record:
        """A new endpoint at the receiver."""
        made = await self.api.make("webhook_endpoints", **{"url": self.receiver.url, "event_types": list(event_types) or ["*"], **more})
        self.endpoints.append(made)
        return made

    async def run(self) -> None:
        """Makes all deliveries and sends what is due."""
        await self.relay.step()
        await self.dispatcher.step()
        while await self.sender.step():
            await self.sender.idle()
        await self.sender.idle()


def hooks_of(app: Application, settings: Settings, api: Api, receiver: Receiver, egress: Egress, clock: Clock | None = None) -> Hooks:
    """The parts of a worker over the application's database."""
    services = app.state.services
    clock = clock or services.clock
    sender = Sender(services.database, clock, services.engine, egress, settings.api_version)
    dispatcher = Dispatcher(services.database, clock, services.engine, settings.api_version, sender.wake)
    return Hooks(api, receiver, dispatcher, sender, Relay(services.database, clock))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that says 200."""
    async with receiving() as found:
        yield found


@pytest.fixture
async def hooks(app: Application, settings: Settings, api: Api, receiver: Receiver) -> AsyncIterator[Hooks]:
    """Webhooks of a new organisation."""
    egress = Egress(settings.egress)
    try:
        yield hooks_of(app, settings, api, receiver, egress)
    finally:
        await egress.aclose()


@pytest.fixture
async def other_hooks(app: Application, settings: Settings, other_api: Api) -> AsyncIterator[Hooks]:
    """Webhooks of a second organisation, with a receiver of its own."""
    egress = Egress(settings.egress)
    try:
        async with receiving() as found:
            yield hooks_of(app, settings, other_api, found, egress)
    finally:
        await egress.aclose()
