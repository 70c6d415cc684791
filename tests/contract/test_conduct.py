"""What every call may be asked to observe: acceptable media, preconditions on demand, headers with a say."""

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_who_cannot_read_json_is_told(api: Api) -> None:
    await api.fails("GET", "/v1/accounts", 406, "not_acceptable", headers={"accept": "text/html"})
    for accept in ("application/json", "*/*", "text/html, application/*;q=0.5"):
        await api.ok("GET", "/v1/accounts", headers={"accept": accept})


async def test_an_organisation_may_insist_on_if_match(api: Api) -> None:
    deal = await api.make("deals", name="Robots")
    changed = await api.ok("PATCH", "/v1/org", json={"require_if_match": ["deals"], "name": "Careful Ltd", "currency": "EUR"})
    assert (changed["name"], changed["require_if_match"]) == ("Careful Ltd", ["deals"])
    await api.fails("PATCH", f"/v1/deals/{deal['id']}", 428, "precondition_required", json={"next_step": "Call"})
    await api.fails("DELETE", f"/v1/deals/{deal['id']}", 428, "precondition_required")
    await api.ok("PATCH", f"/v1/deals/{deal['id']}", json={"next_step": "Call"}, headers={"if-match": '"1"'})
    assert (await api.make("deals", name="More"))["currency"] == "EUR"
    assert (await api.ok("GET", "/v1/me"))["org"]["currency"] == "EUR"


async def test_wrong_settings_are_named(api: Api) -> None:
    body = {"time_zone": "Mars/Olympus", "require_if_match": ["bogus"]}
    problem = await api.fails("PATCH", "/v1/org", 422, "validation_failed", json=body)
    assert {error["pointer"] for error in problem["errors"]} == {"/time_zone", "/require_if_match/0"}
    problem = await api.fails("PATCH", "/v1/org", 422, "validation_failed", json={"plan": "gold", "fiscal_year": {"start_month": 13}})
    assert {error["pointer"] for error in problem["errors"]} == {"/plan", "/fiscal_year/start_month"}
    reader = await api.with_scopes("deals:read")
    await reader.ok("GET", "/v1/org")
    await reader.fails("PATCH", "/v1/org", 403, "insufficient_scope", json={"name": "x"})
    await reader.http.aclose()


async def test_automation_is_skipped_by_importers_only(api: Api) -> None:
    await api.ok("POST", "/v1/accounts", json={"name": "A"}, headers={"x-automation": "skip"})
    await api.fails("POST", "/v1/accounts", 400, "bad_request", json={"name": "A"}, headers={"x-automation": "off"})
    writer = await api.with_scopes("accounts:write")
    await writer.fails("POST", "/v1/accounts", 403, "insufficient_scope", json={"name": "A"}, headers={"x-automation": "skip"})
    await writer.http.aclose()


async def test_a_search_may_look_into_the_past_either_way(api: Api) -> None:
    account = await api.make("accounts", name="Before")
    await api.change(account, name="After")
    body = {"filter": {"field": "name", "value": "before"}}
    assert (await api.ok("POST", "/v1/accounts/search", json=body))["data"] == []
    for found in (
        await api.ok("POST", "/v1/accounts/search", json={**body, "as_of": account["created_at"]}),
        await api.ok("POST", "/v1/accounts/search", json=body, params={"as_of": account["created_at"]}),
    ):
        assert [(row["name"], row["version"]) for row in found["data"]] == [("Before", 1)]
