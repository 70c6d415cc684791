"""Random filter trees over random organisations: the API finds what the model finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.examples import examples
from tests.query.model import Tree, World
from tests.query.trees import trees
from tests.query.worlds import make_world

pytestmark = pytest.mark.anyio
SEEDS = (1, 2, 3)
EASY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=SEEDS)
async def world(app: Application, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Api, World]]:
    async with new_organization(app, region="DE", time_zone="Europe/Berlin") as api:
        yield api, await make_world(api, request.param)


@examples(25, 200)
@pytest.mark.parametrize("name", ["accounts", "contacts", "deals", "stages", "notes"])
async def test_a_tree_finds_what_the_model_finds(world: tuple[Api, World], name: str, examples: int) -> None:
    api, model = world

    async def ask(tree: Tree) -> None:
        model.now = datetime.now(UTC)
        answer = await api.http.post(f"/v1/{name}/search", json={"filter": tree, "limit": 200, "fields": [], "count": "exact"})
        assert answer.status_code == 200, f"{tree}\n{answer.text}"
        page = answer.json()
        found = {record["id"] for record in page["data"]}
        expected = {record["id"] for record in model.of(name) if model.matches(name, record, tree)}
        assert found == expected, _difference(model, name, tree, found, expected)
        assert page["page"]["count"] == len(expected)

    @given(tree=trees(model, name))
    @settings(EASY, max_examples=examples)
    def check(tree: Tree) -> None:
        from_thread.run(ask, tree)

    await to_thread.run_sync(check)


def _difference(model: World, name: str, tree: Tree, found: set[str], expected: set[str]) -> str:
    shown = model.records[name]
    extra, missing = sorted(found - expected), sorted(expected - found)
    return f"{tree}\nfound {len(found)}, not expected: {[shown.get(i) for i in extra[:1]]}\nnot found: {[shown[i] for i in missing[:1]]}"
