"""Records under their parent's path, and the edges between contacts and what they have roles in."""

from __future__ import annotations

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_stages_of_a_pipeline(api: Api, other_api: Api) -> None:
    pipeline = await api.make("pipelines", name="Partners")
    base = f"/v1/pipelines/{pipeline['id']}/stages"
    made = [await api.ok("POST", base, json={"name": name}, status=201) for name in ("First", "Second", "Third")]
    made.append(await api.ok("POST", base, json={"name": "Won", "category": "won"}, status=201))
    assert [stage["position"] for stage in made] == [0, 1, 2, 3]
    assert [stage["name"] for stage in (await api.ok("GET", base))["data"]] == ["First", "Second", "Third", "Won"]
    moved = await api.ok("PATCH", f"{base}/{made[2]['id']}", json={"position": 0})
    assert moved["position"] == 0
    assert [stage["name"] for stage in (await api.ok("GET", base))["data"]] == ["Third", "First", "Second", "Won"]
    deal = await api.make("deals", name="Robots", pipeline_id=pipeline["id"])
    assert deal["stage_id"] == made[2]["id"]
    problem = await api.fails("DELETE", f"{base}/{made[2]['id']}", 409, "conflict")
    assert problem["errors"][0]["code"] == "has_children"
    await api.fails("DELETE", f"{base}/{made[2]['id']}", 400, "bad_request", params={"move_to": deal["id"]})
    await api.ok("DELETE", f"{base}/{made[2]['id']}", params={"move_to": made[0]["id"]})
    assert (await api.get(deal))["stage_id"] == made[0]["id"]
    [sales] = [row for row in await api.all("/v1/pipelines") if row["is_default"]]
    await api.fails("GET", f"/v1/pipelines/{sales['id']}/stages/{made[0]['id']}", 404, "not_found")
    await api.fails("POST", base, 422, "validation_failed", json={"name": "x", "pipeline_id": sales["id"]})
    await other_api.fails("POST", base, 404, "not_found", json={"name": "x"})
    await other_api.fails("PATCH", f"{base}/{made[0]['id']}", 404, "not_found", json={"name": "x"})


async def test_comments_of_a_case(api: Api) -> None:
    case = await api.make("cases", subject="Robot stops")
    base = f"/v1/cases/{case['id']}/comments"
    body = {"format": "html", "content": "<b>Hi</b><script>x</script>"}
    comment = await api.ok("POST", base, json={"body": body, "visibility": "public"}, status=201)
    assert (comment["case_id"], comment["body"]["content"]) == (case["id"], "<b>Hi</b>")
    assert (await api.get(case))["first_response_at"] == comment["created_at"]
    assert [row["id"] for row in (await api.ok("GET", base))["data"]] == [comment["id"]]
    await api.ok("DELETE", f"{base}/{comment['id']}")
    assert (await api.ok("GET", base))["data"] == []


@pytest.mark.parametrize(("name", "title"), [("accounts", "name"), ("deals", "name"), ("cases", "subject")])
async def test_contacts_have_roles(api: Api, other_api: Api, name: str, title: str) -> None:
    record = await api.make(name, **{title: "Something"})
    ada, grace = await api.make("contacts", first_name="Ada"), await api.make("contacts", first_name="Grace")
    base = f"/v1/{name}/{record['id']}/links/contacts"
    link = await api.ok("PUT", f"{base}/{ada['id']}", json={"roles": ["decision_maker", "user"], "is_primary": True}, status=201)
    assert link["attributes"] == {"roles": ["decision_maker", "user"], "is_primary": True}
    await api.ok("PUT", f"{base}/{grace['id']}", json={"roles": ["champion"]}, status=201)
    await api.ok("PUT", f"{base}/{grace['id']}", json={"roles": ["influencer"]}, status=200)
    await api.fails("PUT", f"{base}/{grace['id']}", 422, "validation_failed", json={"roles": ["king"]})
    rows = (await api.ok("GET", base))["data"]
    assert {row["record"]["id"]: row["link"]["attributes"]["roles"] for row in rows} == {
        ada["id"]: ["decision_maker", "user"],
        grace["id"]: ["influencer"],
    }
    if name == "accounts":
        assert (await api.get(ada))["account_id"] == record["id"]
    if name == "cases":
        assert (await api.get(record))["contact_id"] == ada["id"]
    [role] = await api.all("/v1/contact_roles", key="influencer")
    problem = await api.fails("DELETE", f"/v1/contact_roles/{role['id']}", 409, "conflict")
    assert problem["errors"][0]["code"] == "in_use"
    await api.ok("DELETE", f"{base}/{grace['id']}")
    await api.ok("DELETE", f"/v1/contact_roles/{role['id']}")
    await other_api.fails("GET", base, 404, "not_found")
    stranger = await other_api.make("contacts", first_name="Eve")
    await api.fails("PUT", f"{base}/{stranger['id']}", 404, "not_found", json={})


async def test_activities_hang_on_anything(api: Api) -> None:
    targets = {
        "accounts": await api.make("accounts", name="Acme"),
        "contacts": await api.make("contacts", first_name="Ada"),
        "leads": await api.make("leads", first_name="Grace"),
        "deals": await api.make("deals", name="Robots"),
        "cases": await api.make("cases", subject="Help"),
    }
    task = await api.make("tasks", subject="Call")
    note = await api.make("notes", body={"format": "text", "content": "Called."})
    for name, target in targets.items():
        await api.ok("PUT", f"/v1/tasks/{task['id']}/links/{name}/{target['id']}", json={}, status=201)
        await api.ok("PUT", f"/v1/{name}/{target['id']}/links/notes/{note['id']}", json={}, status=201)
        shown = await api.get(target, expand="tasks,notes")
        assert [row["id"] for row in shown["tasks"]["data"]] == [task["id"]]
        assert [row["id"] for row in shown["notes"]["data"]] == [note["id"]]


async def test_money_filters(api: Api) -> None:
    euro = await api.make("deals", name="Euro", amount="100.00", currency="EUR")
    yen = await api.make("deals", name="Yen", amount="20000", currency="JPY")
    assert [row["id"] for row in await api.all("/v1/deals", currency="JPY")] == [yen["id"]]
    assert [row["id"] for row in await api.all("/v1/deals", **{"amount[lt]": "150"})] == [euro["id"]]
    assert yen["amount"] == "20000"


async def test_report(api: Api, other_api: Api) -> None:
    deal = await api.make("deals", name="Robots", amount="100.00")
    await api.ok("POST", f"/v1/deals/{deal['id']}/win")
    report = await api.ok("GET", "/v1/reports/pipeline", params={"pipeline_id": deal["pipeline_id"]})
    assert (report["won"], report["win_rate"], report["won_amount"]) == (1, "1.000000", "100.00")
    for params in ({"pipeline_id": "x"}, {"from": "yesterday"}):
        await api.fails("GET", "/v1/reports/pipeline", 400, "bad_request", params=params)
    await api.fails("GET", "/v1/reports/pipeline", 400, "unknown_parameter", params={"nonsense": "1"})
    await other_api.fails("GET", "/v1/reports/pipeline", 404, "not_found", params={"pipeline_id": deal["pipeline_id"]})
