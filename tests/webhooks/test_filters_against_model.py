"""Random filters of endpoints over random events: deliveries are made for what a model of the filter says, and for nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from anyio import from_thread, to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import organization_info
from crm_api.flows.webhooks.dispatch import STRETCH, chosen_by
from crm_api.flows.webhooks.endpoints import Endpoint, endpoints_of
from crm_api.http.app import Application
from crm_api.kernel.event_query import EventQuery, match_events, reader_of
from tests.api import Api, new_organization
from tests.examples import examples
from tests.query.model import Tree, World
from tests.query.test_filters_against_model import EASY
from tests.query.trees import trees
from tests.query.worlds import make_world

pytestmark = pytest.mark.anyio

CHANGED = {"contacts": ("title", "first_name", "account_id"), "deals": ("name", "amount", "next_step")}


@dataclass
class Told:
    """An organisation with its events, and an endpoint that asks for all of them."""

    api: Api
    app: Application
    model: World
    events: list[dict[str, Any]]
    endpoint: Endpoint

    async def chosen(self, object_name: str, tree: Tree) -> set[str]:
        """The events of an object for which deliveries would be made."""
        services = self.app.state.services
        async with unit_of_work(services.database, self.api.org_id, services.clock) as uow:
            context = await services.engine.context(self.endpoint.principal(await organization_info(uow)), uow)
            reader, head = reader_of(context, "2026-12-01"), self.events[-1]["seq"]
            matched = await match_events(context, reader, EventQuery(), 0, head, STRETCH)
            endpoint = replace(self.endpoint, filters=({"object": object_name, "filter": tree},))
            found = await chosen_by(context, reader, endpoint, matched, 0, head)
        return {str(event.id) for event in found if event.object == object_name}

    def expected(self, object_name: str, tree: Tree) -> set[str]:
        """The same by the model: conditions on the record after the event, and on what it changed."""
        return {event["id"] for event in self.events if event["object"] == object_name and self._meets(object_name, event, tree)}

    def _meets(self, name: str, event: dict[str, Any], tree: Tree) -> bool:
        if "and" in tree:
            return all(self._meets(name, event, one) for one in tree["and"])
        if "or" in tree:
            return any(self._meets(name, event, one) for one in tree["or"])
        if "not" in tree:
            return not self._meets(name, event, tree["not"])
        if tree.get("op") == "changed":
            return tree["field"] in event["changes"]
        return self.model.matches(name, event["record"], tree)


@pytest.fixture(scope="module")
async def told(app: Application) -> AsyncIterator[Told]:
    async with new_organization(app, region="DE", time_zone="Europe/Berlin") as api:
        made = await api.make("webhook_endpoints", url="https://example.com/hook", event_types=["*"], status="paused")
        model = await make_world(api, 7)
        for name, fields in CHANGED.items():
            for index, record in enumerate(model.of(name)[:9]):
                fresh = await api.change(record, **{fields[0]: f"changed {index % 2}"})
                model.records[name][record["id"]] |= fresh
        page = await api.ok("GET", "/v1/events", params={"limit": 1000})
        services = app.state.services
        async with unit_of_work(services.database, api.org_id, services.clock) as uow:
            found = await endpoints_of(uow, [UUID(made["id"])], services.clock.now())
        yield Told(api, app, model, page["data"], found[UUID(made["id"])])


@examples(15, 200)
@pytest.mark.parametrize("name", ["contacts", "deals"])
async def test_a_filter_chooses_what_the_model_chooses(told: Told, name: str, examples: int) -> None:
    async def ask(tree: Tree) -> None:
        told.model.now = datetime.now(UTC)
        found, expected = await told.chosen(name, tree), told.expected(name, tree)
        assert found == expected, f"{tree}\nnot expected: {found - expected}\nnot found: {expected - found}"

    changed = st.sampled_from(CHANGED[name]).map(lambda field: {"field": field, "op": "changed"})
    alone = trees(told.model, name)
    together = st.builds(lambda word, one, other: {word: [one, other]}, st.sampled_from(("and", "or")), alone, changed)

    @given(tree=alone | together | changed | changed.map(lambda tree: {"not": tree}))
    @settings(EASY, max_examples=examples)
    def check(tree: Tree) -> None:
        from_thread.run(ask, tree)

    await to_thread.run_sync(check)
