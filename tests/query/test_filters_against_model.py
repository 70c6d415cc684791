"""Random filter trees over random organisations: the API finds what the model finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.query.model import World
from tests.query.trees import trees
from tests.query.worlds import make_world

pytestmark = pytest.mark.anyio
SEEDS = (1, 2, 3)
EASY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=SEEDS)
async def world(app: Application, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Api, World]]:
    async with new_organization(app, region="DE", time_zone="Europe/Berlin") as api:
        yield api, await make_world(api, request.param)


@given(data=st.data(), name=st.sampled_from(("accounts", "contacts", "deals", "contacts", "deals", "stages", "notes")))
@EASY
async def test_a_tree_finds_what_the_model_finds(world: tuple[Api, World], data: st.DataObject, name: str) -> None:
    api, model = world
    tree = data.draw(trees(model, name))
    model.now = datetime.now(UTC)
    answer = await api.http.post(f"/v1/{name}/search", json={"filter": tree, "limit": 200, "fields": [], "count": "exact"})
    assert answer.status_code == 200, (tree, answer.text)
    page = answer.json()
    found = {record["id"] for record in page["data"]}
    expected = {record["id"] for record in model.of(name) if model.matches(name, record, tree)}
    shown = {record["id"]: record for record in model.of(name)}
    assert found == expected, (tree, [shown[i] for i in found - expected][:1], [shown[i] for i in expected - found][:1])
    assert page["page"]["count"] == len(expected)
