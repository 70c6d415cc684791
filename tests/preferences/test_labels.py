"""`include=labels`: what people see, in their language, zone and formats, wherever records are shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api, Record

pytestmark = pytest.mark.anyio
LABELS = {"include": "labels"}


async def a_deal(api: Api, **more: Any) -> Record:
    account = await api.make("accounts", name="Acme GmbH")
    return await api.make("deals", name="Robots", account_id=account["id"], amount="1000.50", close_date="2026-11-22", **more)


async def test_labels_in_the_language_of_the_organisation(api: Api) -> None:
    deal = await a_deal(api, opened_at="2026-11-22T23:31:00Z", probability=0.25)
    labels = (await api.get(deal, **LABELS))["labels"]
    stage = await api.ok("GET", f"/v1/stages/{deal['stage_id']}")
    expected = {
        "owner_id": "Ada Admin",
        "account_id": "Acme GmbH",
        "stage_id": stage["name"],
        "amount": "1.000,50 €",
        "amount_base": "1.000,50 €",
        "close_date": "22.11.2026",
        "status": "Offen",
        "opened_at": "23.11.2026, 00:31",
        "probability": "0,25",
        "probability_overridden": "Ja",
    }
    assert {name: labels[name] for name in expected} == expected
    assert not {"name", "closed_at", "lost_reason", "currency"} & set(labels)
    assert deal.items() <= (await api.get(deal, **LABELS)).items()


async def test_labels_in_the_language_of_the_person_and_of_the_request(api: Api) -> None:
    deal = await a_deal(api, opened_at="2026-11-22T23:31:00Z")
    await api.ok("PATCH", "/v1/me/settings", json={"locale": "en-US", "time_zone": "America/New_York"})
    labels = (await api.get(deal, **LABELS))["labels"]
    assert (labels["amount"], labels["close_date"], labels["status"]) == ("€1,000.50", "Nov 22, 2026", "Open")
    assert labels["opened_at"] == "Nov 22, 2026, 6:31 PM"
    path = f"/v1/deals/{deal['id']}?include=labels"
    french = await api.http.get(path, headers={"accept-language": "fr-CH, fr;q=0.9", "time-zone": "UTC"})
    assert french.json()["labels"]["opened_at"] == "22 nov. 2026, 23:31"
    german = await api.http.get(path, headers={"accept-language": "de"})
    assert german.json()["labels"]["status"] == "Offen"
    assert len({french.headers["etag"], german.headers["etag"]}) == 2
    await api.ok("PATCH", "/v1/me/settings", json={"date_format": "yyyy-MM-dd", "number_format": "1’234.56"})
    labels = (await api.get(deal, **LABELS))["labels"]
    assert (labels["amount"], labels["close_date"]) == ("€1’000.50", "2026-11-22")
    await api.ok("PATCH", "/v1/me/settings", json={"locale": "de", "number_format": "1 234,56"})
    assert (await api.get(deal, **LABELS))["labels"]["amount"] == "1 000,50 €"


async def test_labels_wherever_records_are_shown(api: Api) -> None:
    deal = await a_deal(api)

    def check(record: Record) -> None:
        assert record["labels"]["owner_id"] == "Ada Admin"
        assert "_labels" not in record

    path = f"/v1/deals/{deal['id']}"
    for answer in (
        await api.ok("GET", "/v1/deals", params=LABELS),
        await api.ok("POST", "/v1/deals/search", json={"include": ["labels"], "q": "robots"}),
        await api.ok("GET", f"/v1/accounts/{deal['account_id']}/deals", params=LABELS),
        await api.ok("GET", "/v1/deals", params={**LABELS, "as_of": deal["created_at"]}),
    ):
        check(answer["data"][0])
    check(await api.ok("PATCH", path, json={"next_step": "Call"}, params=LABELS))
    check(await api.ok("POST", "/v1/deals", json={"name": "More"}, params=LABELS, status=201))
    check(await api.ok("POST", f"{path}/win", params=LABELS))
    check(await api.ok("POST", f"{path}/reopen", params=LABELS))
    board = await api.ok("GET", "/v1/deals/board", params=LABELS)
    check(board["columns"][0]["data"][0])
    batch = await api.ok("POST", "/v1/deals/batch/read", json={"items": [{"id": deal["id"]}]}, params=LABELS, status=207)
    check(batch["results"][0]["record"])
    batch = await api.ok("POST", "/v1/deals/batch/create", json={"items": [{"name": "A"}, {"name": "B"}]}, params=LABELS, status=207)
    for result in batch["results"]:
        check(result["record"])
    since = (await api.ok("GET", "/v1/me"))["events_cursor"]
    await api.change(deal, next_step="Again")
    check((await api.ok("GET", "/v1/deals", params={**LABELS, "since": since}))["data"][0])
    page = await api.ok("GET", "/v1/accounts", params={**LABELS, "expand": "deals,owner"})
    check(page["data"][0])
    check(page["data"][0]["deals"]["data"][0])
    assert "status" in page["data"][0]["owner"]["labels"]
    few = await api.get(deal, **LABELS, fields="amount,stage_id,account.name")
    assert set(few) == {"object", "id", "amount", "stage_id", "account", "labels"}
    assert set(few["labels"]) == {"amount", "stage_id"}
    assert few["labels"]["amount"].endswith("€")


async def test_choices_and_currencies_have_their_own_names(api: Api) -> None:
    lead = await api.make("leads", last_name="King", rating="hot")
    [status] = (await api.ok("GET", "/v1/lead_statuses", params={"key": lead["status"]}))["data"]
    labels = (await api.get(lead, **LABELS))["labels"]
    assert (labels["status"], labels["rating"]) == (status["label"], "Heiß")
    yen = await api.make("deals", name="Tokyo", amount="1000", currency="JPY")
    assert (await api.get(yen, **LABELS, fields="amount"))["labels"]["amount"].endswith("¥")
    field = {"api_name": "tier", "label": "Tier", "type": "picklist", "options": [{"key": "gold", "label": "Goldstück"}]}
    await api.ok("POST", "/v1/meta/accounts/fields", json=field, status=201)
    await api.ok("POST", "/v1/meta/accounts/fields", json={"api_name": "budget", "label": "Budget", "type": "currency"}, status=201)
    reference = {"api_name": "sponsor_id", "label": "Sponsor", "type": "reference", "target": "accounts"}
    await api.ok("POST", "/v1/meta/accounts/fields", json=reference, status=201)
    sponsor = await api.make("accounts", name="Sponsor AG")
    own = {"tier": "gold", "budget": "12.50", "sponsor_id": sponsor["id"]}
    account = await api.make("accounts", name="Acme", currency="USD", custom_fields=own)
    labels = (await api.get(account, **LABELS))["labels"]
    assert labels["custom_fields.tier"] == "Goldstück"
    assert labels["custom_fields.budget"] == "12,50 $"
    assert labels["custom_fields.sponsor_id"] == "Sponsor AG"


async def test_names_that_the_caller_may_not_read_stay_hidden(api: Api) -> None:
    deal = await a_deal(api)
    narrow = await api.with_scopes("deals:read")
    labels = (await narrow.get(deal, **LABELS))["labels"]
    assert not {"owner_id", "account_id", "stage_id"} & set(labels)
    assert labels["close_date"] == "22.11.2026"
    await narrow.http.aclose()
    await api.ok("DELETE", f"/v1/accounts/{deal['account_id']}?on_children=detach")
    assert "account_id" not in (await api.get(deal, **LABELS))["labels"]


async def test_labels_come_in_the_same_statement(api: Api) -> None:
    deal = await a_deal(api)
    database = api.app.state.services.database

    async def statements(path: str) -> int:
        found: list[str] = []
        observer = found.append
        database.observers.append(observer)
        try:
            await api.ok("GET", path)
        finally:
            database.observers.remove(observer)
        return len(found)

    for path in (f"/v1/deals/{deal['id']}", "/v1/deals"):
        assert await statements(f"{path}?include=labels") == await statements(path)


async def test_other_inclusions_are_refused(api: Api) -> None:
    deal = await a_deal(api)
    for path in (f"/v1/deals/{deal['id']}", "/v1/deals"):
        problem = await api.fails("GET", path, 400, "bad_request", params={"include": "labels,powers"})
        assert [(error["parameter"], error["code"], error["allowed"]) for error in problem["errors"]] == [
            ("include", "enum", ["labels", "abilities"])
        ]
    problem = await api.fails("POST", "/v1/deals/search", 422, "validation_failed", json={"include": ["powers"]})
    assert problem["errors"][0]["pointer"] == "/include/0"
