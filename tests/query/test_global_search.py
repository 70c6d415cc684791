"""One search box for all objects."""

import pytest

from crm_api.kernel.search import near_misses
from tests.api import Api

pytestmark = pytest.mark.anyio


async def names(api: Api, q: str, **params: str) -> list[str]:
    found = await api.ok("GET", "/v1/search", params={"q": q, **params})
    return [hit["display_name"] for hit in found["data"]]


async def test_words_prefixes_accents_and_numbers(api: Api) -> None:
    account = await api.make("accounts", name="Müller Werkzeuge", domain="mueller.example", phone="+49 30 1234567")
    await api.make("contacts", first_name="Ada", last_name="King", email="ada@mueller.example")
    assert await names(api, "muller werk") == ["Müller Werkzeuge"]
    assert sorted(await names(api, "mueller")) == ["Ada King", "Müller Werkzeuge"]
    assert await names(api, "ada@mueller.example") == ["Ada King"]
    assert await names(api, "+49 (0)30 / 123 45 67") == ["Müller Werkzeuge"]
    assert await names(api, "mueller", objects="contacts") == ["Ada King"]
    [hit] = (await api.ok("GET", "/v1/search", params={"q": "king"}))["data"]
    assert hit["object"] == "contacts"
    assert hit["highlight"].startswith("Ada <em>King</em>")
    assert hit["detail"] == "ada@mueller.example"
    await api.ok("DELETE", f"/v1/accounts/{account['id']}")
    assert await names(api, "werkzeuge") == []


@pytest.mark.parametrize("typed", ["Werkzueg", "Werkzeige", "Werkzege", "Werkzzeuge", "Wrkzeuge"])
async def test_a_letter_may_be_wrong(api: Api, typed: str) -> None:
    await api.make("accounts", name="Werkzeuge Schmidt")
    await api.make("accounts", name="Backwaren Schmidt")
    found = await names(api, typed)
    assert found == ["Werkzeuge Schmidt"] or (typed == "Werkzueg" and found == [])


async def test_a_record_is_found_at_once_and_only_by_those_who_may(api: Api, other_api: Api) -> None:
    for number in range(10, 30):
        await api.make("leads", last_name=f"Findme{number}")
        assert await names(api, f"findme{number}") == [f"Findme{number}"]
    assert await names(other_api, "findme") == []
    narrow = await api.with_scopes("accounts:read")
    assert await names(narrow, "findme") == []
    await narrow.fails("GET", "/v1/search", 403, "insufficient_scope", params={"q": "x", "objects": "leads"})
    await narrow.http.aclose()


async def test_mistakes_are_named(api: Api) -> None:
    for params, parameter in (
        ({}, "q"),
        ({"q": "x", "objects": "bogus"}, "objects"),
        ({"q": "x", "limit": "99"}, "limit"),
        ({"q": "!?"}, "q"),
    ):
        problem = await api.fails("GET", "/v1/search", 400, "bad_request", params=params)
        assert problem["errors"][0]["parameter"] == parameter
    await api.fails("GET", "/v1/search", 400, "unknown_parameter", params={"q": "x", "page": "2"})


def test_guesses_leave_out_one_place_each() -> None:
    assert near_misses("acme") == []
    assert ["art", "mar"] in near_misses("smart") or ["art", "mar"] in near_misses("xmart")
