"""What an organisation sets, what a person sets otherwise, and where it shows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio
MINE = "/v1/me/settings"


async def test_a_person_follows_the_organisation_until_they_say_otherwise(api: Api) -> None:
    settings = await api.ok("GET", MINE)
    assert {name: value for name, value in settings.items() if name not in ("object", "effective")} == dict.fromkeys(
        ("locale", "time_zone", "region", "currency", "date_format", "number_format", "first_day_of_week")
    )
    assert settings["effective"] == {
        "locale": "de",
        "time_zone": "Europe/Berlin",
        "region": "DE",
        "currency": "EUR",
        "date_format": "dd.MM.y",
        "number_format": "1.234,56",
        "first_day_of_week": "monday",
    }
    changed = await api.ok("PATCH", MINE, json={"locale": "en-GB", "time_zone": "America/New_York", "date_format": "yyyy-MM-dd"})
    assert changed["effective"]["number_format"] == "1,234.56"
    me = await api.ok("GET", "/v1/me")
    assert me["settings"] == changed["effective"]
    assert (me["user"]["locale"], me["user"]["time_zone"]) == ("en-GB", "America/New_York")
    assert me["org"]["time_zone"] == "Europe/Berlin"
    back = await api.ok("PATCH", MINE, json={"time_zone": None, "date_format": None})
    assert (back["time_zone"], back["effective"]["time_zone"], back["locale"]) == (None, "Europe/Berlin", "en-GB")
    assert (await api.ok("GET", MINE)) == back


async def test_all_tokens_of_a_person_know_them(api: Api) -> None:
    before = await api.with_scopes("*:read")
    await api.ok("PATCH", MINE, json={"locale": "fr", "first_day_of_week": "sunday"})
    after = await api.with_scopes("*:read")
    for caller in (before, after):
        settings = (await caller.ok("GET", "/v1/me"))["settings"]
        assert (settings["locale"], settings["first_day_of_week"]) == ("fr", "sunday")
        await caller.fails("PATCH", MINE, 403, "insufficient_scope", json={"locale": "de"})
        await caller.http.aclose()


async def test_mistakes_are_named(api: Api) -> None:
    body = {"locale": "xx", "time_zone": "Mars/Olympus", "region": "QQ"}
    problem = await api.fails("PATCH", MINE, 422, "validation_failed", json=body)
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
        ("/locale", "invalid_language"),
        ("/time_zone", "invalid_time_zone"),
        ("/region", "invalid_country"),
    }
    problem = await api.fails("PATCH", MINE, 422, "validation_failed", json={"theme": "dark", "date_format": "MM-yy", "currency": "XXX"})
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
        ("/theme", "unknown_field"),
        ("/date_format", "enum"),
        ("/currency", "invalid_currency"),
    }


async def test_settings_have_tags_and_change_once(api: Api) -> None:
    answer = await api.http.get(MINE)
    tag = answer.headers["etag"]
    assert (await api.http.get(MINE, headers={"if-none-match": tag})).status_code == 304
    changed = await api.http.patch(MINE, json={"currency": "CHF"}, headers={"if-match": tag})
    assert (changed.status_code, changed.headers["x-outcome"]) == (200, "updated")
    again = await api.http.patch(MINE, json={"currency": "CHF"})
    assert (again.headers["x-outcome"], again.headers["etag"]) == ("unchanged", changed.headers["etag"])
    problem = await api.fails("PATCH", MINE, 412, "version_conflict", json={"currency": "USD"}, headers={"if-match": tag})
    assert problem["record"]["currency"] == "CHF"
    assert (await api.http.get(MINE)).headers["etag"].startswith(changed.headers["etag"][:-1])
    await api.ok("PATCH", MINE, json={"currency": "USD"}, params={"dry_run": "true"})
    assert (await api.ok("GET", MINE))["currency"] == "CHF"


async def test_the_organisation_sets_what_holds_for_all(api: Api) -> None:
    year = {"start_month": 2, "pattern": "4-4-5", "week_start": "sunday"}
    changed = await api.ok(
        "PATCH", "/v1/org", json={"fiscal_year": year, "date_format": "yyyy-MM-dd", "first_day_of_week": "saturday", "locale": "en-US"}
    )
    assert changed["fiscal_year"] == {**year, "anchor": "nearest"}
    me = await api.ok("GET", "/v1/me")
    assert me["org"]["fiscal_year"] == changed["fiscal_year"]
    assert (me["settings"]["date_format"], me["settings"]["first_day_of_week"], me["settings"]["locale"]) == (
        "yyyy-MM-dd", "saturday", "en-US"
    )  # fmt: skip
    problem = await api.fails(
        "PATCH", "/v1/org", 422, "validation_failed", json={"fiscal_year": {"pattern": "4-4-4", "weeks": 1}, "region": "QQ"}
    )
    assert {error["pointer"] for error in problem["errors"]} == {"/fiscal_year/pattern", "/fiscal_year/weeks"}


async def test_texts_are_in_the_persons_language(api: Api) -> None:
    async def title(**headers: str) -> str:
        answer = await api.http.get("/v1/deals", params={"colour": "red"}, headers=headers)
        assert answer.status_code == 400
        found: str = answer.json()["errors"][0]["message"]
        return found

    assert await title() == "Diesen Parameter gibt es nicht."
    assert await title(**{"accept-language": "en"}) == "There is no such parameter."
    await api.ok("PATCH", MINE, json={"locale": "en-GB"})
    assert await title() == "There is no such parameter."
    assert await title(**{"accept-language": "de-AT"}) == "Diesen Parameter gibt es nicht."
    assert await title(**{"accept-language": "fr"}) == "There is no such parameter."
    batch = await api.ok("POST", "/v1/deals/batch/create", json={"items": [{}]}, status=207)
    assert batch["results"][0]["error"]["errors"][0]["message"] == "This field is required."


async def test_today_is_that_of_the_person(api: Api) -> None:
    """A task due at 01:00 in Kiritimati (14 hours ahead of UTC) lies in another day for people elsewhere."""
    zone = ZoneInfo("Pacific/Kiritimati")
    start = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    early = (start + timedelta(minutes=1)).astimezone(UTC)
    deal = await api.make("deals", name="Early", opened_at=early.isoformat())
    path = "/v1/deals?opened_at[within]=today"

    async def found(**headers: str) -> list[str]:
        return [row["id"] for row in (await api.ok("GET", path, headers=headers))["data"]]

    expected = [deal["id"]] if early.astimezone(ZoneInfo("Europe/Berlin")).date() == datetime.now(ZoneInfo("Europe/Berlin")).date() else []
    assert await found() == expected
    await api.ok("PATCH", MINE, json={"time_zone": "Pacific/Kiritimati"})
    assert await found() == [deal["id"]]
    problem = await api.fails("GET", path, 400, "bad_request", headers={"time-zone": "Mars"})
    assert problem["errors"][0]["header"] == "Time-Zone"


async def test_a_new_schema_does_not_keep_reads_from_numbering(api: Api) -> None:
    """The first request after a change reads the schema before it gives journal numbers."""
    since = (await api.ok("GET", "/v1/me"))["events_cursor"]
    deal = await api.make("deals", name="Robots")
    for path in ("/v1/me", f"/v1/deals?since={since}"):
        await api.ok("PATCH", "/v1/org", json={"name": f"Test {path[-5:]}"})
        answer = await api.ok("GET", path)
    assert [row["id"] for row in answer["data"]] == [deal["id"]]


async def test_a_configuration_brings_only_settings_that_could_be_set(api: Api) -> None:
    document = await api.ok("GET", "/v1/config/export")
    document["settings"] |= {"currency": "XXX", "fiscal_year": {"pattern": "4-4-4"}, "time_zone": "Mars/Olympus"}
    problem = await api.fails("POST", "/v1/config/apply", 422, "validation_failed", json={"config": document})
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"/settings/currency", "/settings/fiscal_year/pattern"}
