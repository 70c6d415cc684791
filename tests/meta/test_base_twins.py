"""Amounts that are custom fields have a twin in the organisation's currency, as standard ones have."""

from __future__ import annotations

import pytest

from tests.api import Api, Record
from tests.meta.work import field as add
from tests.preferences.test_base_amounts import events_of, rate, settle

pytestmark = pytest.mark.anyio


@pytest.fixture
async def vessels(api: Api) -> Api:
    await api.ok("PATCH", "/v1/org", json={"currency": "EUR"})
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel"}, status=201)
    await add(api, "vessels", "price", "currency")
    await add(api, "deals", "fee", "currency", label="Fee")
    await add(api, "contacts", "budget", "currency")
    await rate(api, "USD", "0.50", "2020-01-01")
    await settle(api)
    return api


async def test_the_twin_follows_in_the_same_write(vessels: Api) -> None:
    api = vessels
    deal = await api.make("deals", name="x", currency="USD", close_date="2026-01-01", custom_fields={"fee": "10.00"})
    assert deal["custom_fields"] == {"fee": "10.00", "fee_base": "5.00"}
    deal = await api.change(deal, currency="EUR")
    assert deal["custom_fields"]["fee_base"] == "10.00"
    deal = await api.change(deal, currency="JPY", custom_fields={"fee": "11"})
    assert deal["custom_fields"] == {"fee": "11", "fee_base": None}
    deal = await api.change(deal, currency="EUR")  # digits of what is stored follow the currency
    assert deal["custom_fields"] == {"fee": "11.00", "fee_base": "11.00"}
    deal = await api.change(deal, custom_fields={"fee": "11.50"})
    problem = await api.fails("PATCH", f"/v1/deals/{deal['id']}", 422, "validation_failed", json={"currency": "JPY"})
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/custom_fields/fee", "digits")
    last = (await events_of(api, deal))[-1]
    assert last["changes"]["custom_fields.fee_base"] == {"old": "11.00", "new": "11.50"}
    history = await api.ok("GET", f"/v1/deals/{deal['id']}/history", params={"field": "custom_fields.fee_base"})
    assert len(history["data"]) >= 4
    deal = await api.change(deal, custom_fields={"fee": None})
    assert deal["custom_fields"] == {"fee": None, "fee_base": None}
    contact = await api.make("contacts", last_name="King", custom_fields={"budget": "7.00"})
    assert contact["custom_fields"]["budget_base"] == "7.00"


async def test_custom_objects_have_a_currency_and_twins_at_the_top(vessels: Api) -> None:
    api = vessels
    ours = await api.make("vessels", name="Ours", price="8.00")
    assert (ours["currency"], ours["price"], ours["price_base"]) == ("EUR", "8.00", "8.00")
    theirs = await api.make("vessels", name="Theirs", price="100.00", currency="USD")
    assert (theirs["currency"], theirs["price_base"]) == ("USD", "50.00")
    assert (await api.get(theirs))["price_base"] == "50.00"
    found = await api.ok("GET", "/v1/vessels", params={"price_base[gte]": "8", "sort": "-price_base", "fields": "price_base"})
    assert [row["price_base"] for row in found["data"]] == ["50.00", "8.00"]
    total = await api.ok("POST", "/v1/vessels/aggregate", json={"measures": [{"op": "sum", "field": "price_base"}]})
    assert total["data"][0]["sum_price_base"] == "58.00"
    await api.fails("POST", "/v1/vessels/aggregate", 422, "validation_failed", json={"measures": [{"op": "sum", "field": "price"}]})
    for body, pointer, code in (
        ({"price_base": "1.00"}, "/price_base", "read_only"),
        ({"currency": "XXQ"}, "/currency", "invalid_currency"),
        ({"currency": None}, "/currency", "null_not_allowed"),
    ):
        problem = await api.fails("PATCH", f"/v1/vessels/{ours['id']}", 422, "validation_failed", json=body)
        assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    yen = await api.make("vessels", name="Yen", price="100", currency="JPY")
    assert (yen["price"], yen["price_base"]) == ("100", None)


async def test_standard_objects_filter_sort_and_add_up_by_it(vessels: Api) -> None:
    api = vessels
    for number, currency in enumerate(("EUR", "USD", "USD", "EUR")):
        await api.make("deals", name=str(number), currency=currency, custom_fields={"fee": f"{number + 1}.00"})
    found = await api.ok("GET", "/v1/deals", params={"custom_fields.fee_base[gt]": "1", "sort": "-custom_fields.fee_base"})
    assert [row["custom_fields"]["fee_base"] for row in found["data"]] == ["4.00", "1.50"]
    total = await api.ok("POST", "/v1/deals/aggregate", json={"measures": [{"op": "sum", "field": "custom_fields.fee_base"}]})
    assert list(total["data"][0].values())[-1] == "7.50"
    problem = await api.fails("POST", "/v1/deals", 422, "validation_failed", json={"name": "x", "custom_fields": {"fee_base": "1.00"}})
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == ("/custom_fields/fee_base", "read_only")
    labelled = await api.ok("GET", "/v1/deals", params={"custom_fields.fee": "3.00", "include": "labels", "fields": "custom_fields"})
    labels = labelled["data"][0]["labels"]
    assert ("€" in str(labels), "$" in str(labels)) == (True, True)


async def test_records_follow_when_rates_or_the_currency_change(vessels: Api) -> None:
    api = vessels
    day = "2026-02-02"
    deal = await api.make("deals", name="x", currency="USD", close_date=day, custom_fields={"fee": "10.00"})
    vessel = await api.make("vessels", name="Theirs", price="100.00", currency="USD")
    ours = await api.make("vessels", name="Ours", price="100.00")
    contact = await api.make("contacts", last_name="King", custom_fields={"budget": "7.00"})
    await rate(api, "USD", "0.40", "2021-01-01")
    jobs = await settle(api)
    assert jobs[0]["result"] == {"changed": 2}
    assert (await api.get(deal))["custom_fields"]["fee_base"] == "4.00"
    assert (await api.get(vessel))["price_base"] == "40.00"
    assert [(await api.get(one))["version"] for one in (deal, vessel, ours, contact)] == [2, 2, 1, 1]
    event = (await events_of(api, vessel))[-1]
    assert event["changes"] == {"price_base": {"old": "50.00", "new": "40.00"}}
    await api.ok("PATCH", "/v1/org", json={"currency": "USD"})
    await settle(api)
    assert (await api.get(vessel))["price_base"] == "100.00"
    assert (await api.get(ours))["price_base"] == "250.00"
    assert (await api.get(deal))["custom_fields"]["fee_base"] == "10.00"


async def test_the_schema_tells_of_it(vessels: Api) -> None:
    api = vessels
    fields: list[Record] = (await api.ok("GET", "/v1/meta/deals/fields"))["data"]
    twin = next(field for field in fields if field["api_name"] == "fee_base")
    assert (twin["type"], twin["read_only"], twin["path"], twin["id"]) == ("currency", True, "custom_fields.fee_base", None)
    assert await api.ok("GET", "/v1/meta/deals/fields/fee_base") == twin
    overview = await api.ok("GET", "/v1/meta", params={"include": "fields"})
    there = next(one for one in overview["objects"] if one["api_name"] == "vessels")
    assert [f["api_name"] for f in there["fields"]][-3:] == ["name", "price", "price_base"]
    document = await api.ok("GET", "/v1/meta/openapi.json")
    schemas = document["components"]["schemas"]
    assert schemas["VesselRead"]["properties"]["price_base"]["readOnly"] is True
    assert "price_base" not in schemas["VesselCreate"]["properties"]
    assert {"currency", "price"} <= set(schemas["VesselCreate"]["properties"])
    assert "fee_base" in schemas["DealCustomFields"]["properties"]
    types = (await api.http.get("/v1/meta/types.ts")).text
    assert "readonly price_base?: string | null" in types or "readonly price_base: string | null" in types
    for method in ("PATCH", "DELETE"):
        more = {"json": {"label": "X"}} if method == "PATCH" else {}
        await api.fails(method, "/v1/meta/deals/fields/fee_base", 403, "forbidden", **more)


async def test_nothing_else_may_be_called_so(vessels: Api) -> None:
    api = vessels
    body = {"api_name": "fee_base", "type": "text", "label": "X"}
    await api.fails("POST", "/v1/meta/deals/fields", 422, "reserved_name", json=body)
    await add(api, "deals", "cost_base", "text")
    problem = await api.fails(
        "POST", "/v1/meta/deals/fields", 422, "validation_failed", json={"api_name": "cost", "type": "currency", "label": "X"}
    )
    assert problem["errors"][0]["code"] == "name_taken"
    body = {"api_name": "currency", "type": "text", "label": "X"}
    await api.fails("POST", "/v1/meta/vessels/fields", 422, "validation_failed", json=body)


async def test_it_goes_and_comes_back_with_its_amount(vessels: Api) -> None:
    api = vessels
    vessel = await api.make("vessels", name="Theirs", price="100.00", currency="USD")
    view = {"name": "V", "applies_to": "vessels", "columns": [{"field": "price_base"}]}
    made = await api.http.post("/v1/views", json=view)
    if made.status_code == 201:
        await api.fails("DELETE", "/v1/meta/vessels/fields/price", 409, "conflict")
    await api.ok("DELETE", "/v1/meta/vessels/fields/price", params={"force": "true"})
    assert not {"price", "price_base"} & set(await api.get(vessel))
    await rate(api, "USD", "0.25", "2021-01-01")
    await settle(api)
    await api.ok("POST", "/v1/meta/vessels/fields/price/restore")
    await settle(api)
    assert (await api.get(vessel))["price_base"] == "25.00"
