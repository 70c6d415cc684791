"""Pipelines of an organisation's own objects: the rules of deals hold for them too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from tests.api import Api, Record
from tests.meta.work import make_object

pytestmark = pytest.mark.anyio


async def test_vessels_move_through_stages(org: Api) -> None:
    api = org
    await make_object(api, "vessels", "vessel", fields=[{"api_name": "dock", "type": "text"}])
    before = await api.make("vessels", name="Old")
    problem = await api.fails("POST", "/v1/pipelines", 422, "validation_failed", json={"name": "Sales", "applies_to": "ships"})
    assert problem["errors"][0]["allowed"] == ["deals", "vessels"]
    pipeline = await api.make("pipelines", name="Charter", applies_to="vessels")
    assert (pipeline["applies_to"], pipeline["is_default"]) == ("vessels", True)
    deals = await api.all("/v1/pipelines", applies_to="deals")
    assert [found["is_default"] for found in deals].count(True) == 1
    shown = await api.ok("GET", "/v1/meta/objects/vessels")
    assert shown["has_pipeline"]
    fields = {f["api_name"]: f for f in (await api.ok("GET", "/v1/meta/vessels/fields"))["data"]}
    assert (fields["stage_id"]["target"], fields["pipeline_id"]["inverse"]) == ("stages", "vessels")
    await api.fails("DELETE", "/v1/meta/vessels/fields/stage_id", 409, "conflict")
    bare = await api.make("vessels", name="Too early")
    assert bare["stage_id"] is None

    async def stage(name: str, **more: Any) -> Record:
        found: Record = await api.ok("POST", f"/v1/pipelines/{pipeline['id']}/stages", json={"name": name, **more}, status=201)
        return found

    first, second = await stage("Offered"), await stage("Docked", required_fields=["dock"])
    won = await stage("Chartered", category="won")
    wrong = {"name": "X", "required_fields": ["amount"]}
    await api.fails("POST", f"/v1/pipelines/{pipeline['id']}/stages", 422, "validation_failed", json=wrong)
    emma = await api.make("vessels", name="Emma")
    assert (emma["pipeline_id"], emma["stage_id"]) == (pipeline["id"], first["id"])
    path = f"/v1/vessels/{emma['id']}"
    problem = await api.fails("PATCH", path, 422, "required_on_enter", json={"stage_id": second["id"]})
    assert problem["errors"][0]["pointer"] == "/dock"
    emma = await api.change(emma, stage_id=second["id"], dock="7")
    assert [row["id"] for row in await api.all("/v1/vessels", **{"stage.name": "docked"})] == [emma["id"]]
    assert len(await api.all(f"/v1/stages/{second['id']}/vessels")) == 1
    other = deals[0]
    theirs = (await api.all(f"/v1/pipelines/{other['id']}/stages"))[0]
    problem = await api.fails("PATCH", path, 422, "validation_failed", json={"stage_id": theirs["id"]})
    assert problem["errors"][0]["pointer"] == "/stage_id"
    problem = await api.fails("POST", "/v1/deals", 422, "validation_failed", json={"name": "D", "stage_id": first["id"]})
    assert problem["errors"][0]["pointer"] == "/stage_id"
    # a record from before gets a stage when it is given one
    assert (await api.change(before, name="Older"))["stage_id"] is None
    assert (await api.change(before, pipeline_id=pipeline["id"]))["stage_id"] == first["id"]
    history = await api.ok("GET", f"{path}/history", params={"field": "stage_id"})
    assert history["data"][0]["changes"]["stage_id"] == {"old": first["id"], "new": second["id"]}
    # a stage in use goes once its records have another
    await api.fails("DELETE", f"/v1/stages/{second['id']}", 409, "conflict")
    await api.ok("DELETE", f"/v1/stages/{second['id']}", params={"move_to": won["id"]})
    assert (await api.get(emma))["stage_id"] == won["id"]
    another = await api.make("pipelines", name="Sale", applies_to="vessels")
    assert another["is_default"] is False
    await api.make("deals", name="Deals go on as ever")


async def test_every_move_is_in_the_stage_history(org: Api) -> None:
    api = org
    await make_object(api, "vessels", "vessel")
    await make_object(api, "docks", "dock")
    before = await api.make("vessels", name="Old")
    pipeline = await api.make("pipelines", name="Charter", applies_to="vessels")
    stages = []
    for name in ("Offered", "Docked", "Chartered"):
        body = {"name": name, "category": "won" if name == "Chartered" else "open"}
        stages.append((await api.ok("POST", f"/v1/pipelines/{pipeline['id']}/stages", json=body, status=201))["id"])

    async def moves(record: Record) -> list[tuple[str | None, str]]:
        found = await api.ok("GET", f"/v1/vessels/{record['id']}/stage_history")
        assert {move["pipeline_id"] for move in found["data"]} <= {pipeline["id"]}
        assert all((move["seconds"] is None) == (move["from_stage_id"] is None) for move in found["data"])
        return [(move["from_stage_id"], move["to_stage_id"]) for move in found["data"]]

    assert await moves(before) == []
    emma = await api.make("vessels", name="Emma")
    assert await moves(emma) == [(None, stages[0])]
    emma = await api.change(emma, stage_id=stages[1])
    await api.change(emma, name="Emma II")  # no move
    await api.ok("POST", f"/v1/vessels/{emma['id']}/move", json={"to": stages[2], "from": stages[1]})
    await api.change(before, pipeline_id=pipeline["id"])
    assert await moves(before) == [(None, stages[0])]
    items = [{"id": emma["id"], "stage_id": stages[0]}]
    await api.ok("POST", "/v1/vessels/batch/update", json={"items": items}, status=207)
    await api.ok("DELETE", f"/v1/stages/{stages[0]}", params={"move_to": stages[1]})
    way = [(None, stages[0]), (stages[0], stages[1]), (stages[1], stages[2]), (stages[2], stages[0]), (stages[0], stages[1])]
    assert await moves(emma) == way[::-1]
    first = await api.ok("GET", f"/v1/vessels/{emma['id']}/stage_history", params={"limit": 3})
    rest = await api.ok("GET", f"/v1/vessels/{emma['id']}/stage_history", params={"cursor": first["page"]["next_cursor"]})
    assert [m["to_stage_id"] for m in (*first["data"], *rest["data"])] == [to for _, to in way[::-1]]
    await api.fails(
        "GET", f"/v1/vessels/{before['id']}/stage_history", 400, "invalid_cursor", params={"cursor": first["page"]["next_cursor"]}
    )
    # what has no pipeline has no such history
    dock = await api.make("docks", name="1")
    await api.fails("GET", f"/v1/docks/{dock['id']}/stage_history", 404, "not_found")
    body = {"api_name": "stage_history", "type": "text"}
    await api.fails("POST", "/v1/meta/vessels/fields", 422, "reserved_name", json=body)
    document = await api.ok("GET", "/v1/meta/openapi.json")
    assert "/v1/vessels/{id}/stage_history" in document["paths"]
    assert "/v1/docks/{id}/stage_history" not in document["paths"]
    # it is gone with its record, and only then
    await api.ok("DELETE", f"/v1/vessels/{emma['id']}")
    await api.fails("GET", f"/v1/vessels/{emma['id']}/stage_history", 410, "deleted")
    await api.ok("POST", f"/v1/vessels/{emma['id']}/restore")
    assert len(await moves(emma)) == 5
    await api.ok("DELETE", f"/v1/vessels/{emma['id']}", params={"purge": "true"})
    async with unit_of_work(api.app.state.services.database, api.org_id, api.app.state.services.clock) as uow:
        left = Statement("SELECT count(*) FROM stage_changes WHERE org_id = $1 AND record_id = $2", ("org_id", "id"))
        assert await uow.fetch_value(left, {"org_id": api.org_id, "id": UUID(emma["id"])}) == 0
        assert await uow.fetch_value(left, {"org_id": api.org_id, "id": UUID(before["id"])}) == 2
