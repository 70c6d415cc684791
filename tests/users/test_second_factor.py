"""The second factor: RFC 6238, codes that are taken once, recovery codes, organisations that ask for one."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from crm_api.flows.users import totp
from crm_api.http.app import Application
from tests.api import new_organization
from tests.users.support import PASSWORD, Person, browser, code_for, member, read, send, services_of, sign_in, sql

pytestmark = pytest.mark.anyio


# RFC 6238, appendix B, for SHA-1; the codes there have eight digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert totp.code_of(b"12345678901234567890", totp.step_at(at)) == code
    assert totp.matching_step(b"12345678901234567890", code, at + timedelta(seconds=30)) == totp.step_at(at)
    assert totp.matching_step(b"12345678901234567890", code, at + timedelta(seconds=65)) is None


def test_apps_can_read_the_key() -> None:
    uri = totp.uri_of(b"12345678901234567890", "ada@acme.example")
    assert uri == "otpauth://totp/CRM:ada@acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=CRM&digits=6&period=30"
    assert totp.shown_secret(b"12345678901234567890") == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


async def enrol(app: Application, person: Person) -> tuple[str, list[str]]:
    """Sets a second factor up over the API; its key and the recovery codes."""
    begun = await person.api.ok("POST", "/v1/me/totp", json={"password": PASSWORD}, status=201)
    code = code_for(begun["secret"], services_of(app).clock.now(), -1)
    codes = (await person.api.ok("POST", "/v1/me/totp/confirm", json={"code": code}))["recovery_codes"]
    return begun["secret"], codes


async def to_the_code(http: httpx.AsyncClient, person: Person) -> httpx.Response:
    """Signs in as far as the form for the code."""
    answer = await sign_in(http, person.email)
    assert answer.headers["location"] == "/login/totp"
    return await http.get("/login/totp")


async def test_signing_in_asks_for_the_code(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    secret, _ = await enrol(app, person)
    page = await to_the_code(http, person)
    assert read(page).form.attributes["code"]["autocomplete"] == "one-time-code"
    assert (await http.get("/account")).status_code == 303  # not yet
    before = dict(http.cookies)
    answer = await send(http, page, code=code_for(secret, services_of(app).clock.now()))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert dict(http.cookies) != before  # more rights, another cookie
    assert (await http.get("/account")).status_code == 200
    [session] = (await person.api.ok("GET", "/v1/me/sessions"))["data"]
    assert session["signed_in_with"] == "totp"


async def test_keeps_where_one_is_going(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    secret, _ = await enrol(app, person)
    answer = await sign_in(http, person.email, path="/login?return_to=%2Foauth%2Fauthorize%3Fa%3Db")
    assert answer.headers["location"] == "/login/totp?return_to=%2Foauth%2Fauthorize%3Fa%3Db"
    page = await http.get(answer.headers["location"])
    answer = await send(http, page, code=code_for(secret, services_of(app).clock.now()))
    assert answer.headers["location"] == "/oauth/authorize?a=b"


async def test_a_code_is_taken_once(app: Application, person: Person) -> None:
    secret, _ = await enrol(app, person)
    code = code_for(secret, services_of(app).clock.now())

    async def attempt() -> int:
        async with browser(app) as http:
            return (await send(http, await to_the_code(http, person), code=code)).status_code

    assert await attempt() == 303
    assert await attempt() == 401
    # nor the one before it, which was not used
    async with browser(app) as http:
        earlier = code_for(secret, services_of(app).clock.now(), -1)
        assert (await send(http, await to_the_code(http, person), code=earlier)).status_code == 401


async def test_of_twenty_who_have_the_code_one_gets_in(app: Application, person: Person) -> None:
    secret, codes = await enrol(app, person)
    services = services_of(app)
    people = services.people
    for code in (code_for(secret, services.clock.now()), codes[0]):

        async def take(code: str = code) -> bool:
            async with services.database.connection() as connection:
                return await totp.take(connection, people.clock, people.keys, person.api.user_id, code)

        taken = await asyncio.gather(*(take() for _ in range(20)))
        assert taken.count(True) == 1


async def test_recovery_codes_work_once_however_they_are_typed(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    _, codes = await enrol(app, person)
    assert len(set(codes)) == 10
    typed = codes[3].upper().replace("-", " ")
    assert (await send(http, await to_the_code(http, person), code=typed)).status_code == 303
    assert (await person.api.ok("GET", "/v1/me/totp"))["recovery_codes_left"] == 9
    async with browser(app) as other:
        assert (await send(other, await to_the_code(other, person), code=codes[3])).status_code == 401


async def test_five_wrong_codes_close_the_door(app: Application, person: Person) -> None:
    secret, _ = await enrol(app, person)
    async with browser(app) as http:
        page = await to_the_code(http, person)
        for _ in range(5):
            assert (await send(http, page, code="000000")).status_code == 401
        answer = await send(http, page, code=code_for(secret, services_of(app).clock.now()))
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


async def test_the_second_step_needs_the_first(http: httpx.AsyncClient) -> None:
    for path in ("/login/totp", "/login/totp/enrol"):
        assert (await http.get(path)).headers["location"] == "/login"
    form = read(await http.get("/login")).form
    assert (await http.post("/login/totp", data={"csrf": form.fields["csrf"], "code": "000000"})).headers["location"] == "/login"


async def test_what_waits_for_the_code_does_not_wait_for_ever(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await enrol(app, person)
    await to_the_code(http, person)
    await sql(app, "UPDATE sessions SET expires_at = expires_at - interval '11 minutes' WHERE user_id = $1", person.api.user_id)
    assert (await http.get("/login/totp")).headers["location"] == "/login"


async def test_setting_up_needs_password_and_code(app: Application, person: Person) -> None:
    api = person.api
    await api.fails("POST", "/v1/me/totp", 422, "validation_failed", json={"password": "wrong wrong wrong"})
    await api.fails("POST", "/v1/me/totp/confirm", 422, "validation_failed", json={"code": "123456"})
    begun = await api.ok("POST", "/v1/me/totp", json={"password": PASSWORD}, status=201)
    assert not (await api.ok("GET", "/v1/me/totp"))["enabled"]
    async with browser(app) as http:
        assert (await sign_in(http, person.email)).headers["location"] == "/account"  # not in force yet
    problem = await api.fails("POST", "/v1/me/totp/confirm", 422, "validation_failed", json={"code": "abcdef"})
    assert (problem["errors"][0]["code"], problem["errors"][0]["pointer"]) == ("wrong_code", "/code")
    await api.ok("POST", "/v1/me/totp/confirm", json={"code": code_for(begun["secret"], services_of(app).clock.now())})
    assert (await api.ok("GET", "/v1/me/totp"))["enabled"]
    await api.fails("POST", "/v1/me/totp", 409, "conflict", json={"password": PASSWORD})


async def test_ending_it_needs_both(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    secret, codes = await enrol(app, person)
    api, path = person.api, "/v1/me/totp/disable"
    now = services_of(app).clock.now()
    await api.fails("POST", path, 422, "validation_failed", json={"password": "wrong wrong wrong", "code": code_for(secret, now)})
    await api.fails("POST", path, 422, "validation_failed", json={"password": PASSWORD, "code": "000000"})
    assert not (await api.ok("POST", path, json={"password": PASSWORD, "code": codes[0]}))["enabled"]
    assert (await sign_in(http, person.email)).headers["location"] == "/account"


async def test_administrators_help_those_who_lost_theirs(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await enrol(app, person)
    async with member(app, person.api, "super_admin") as admin, member(app, person.api) as plain:
        path = f"/v1/users/{person.api.user_id}/reset_totp"
        await plain.fails("POST", path, 403, "forbidden")
        narrow = await admin.with_scopes("users:write")
        await narrow.fails("POST", path, 403, "insufficient_scope")
        async with new_organization(app) as elsewhere:
            there = await elsewhere.make("users", email=person.email, name="Both")
            await elsewhere.ok("POST", f"/v1/users/{there['id']}/activate")
            await admin.fails("POST", path, 409, "conflict")
            await elsewhere.fails("POST", path, 409, "conflict")
            await elsewhere.ok("DELETE", f"/v1/users/{there['id']}")
        await admin.ok("POST", path)
        await admin.fails("POST", path, 409, "conflict")
    assert (await sign_in(http, person.email)).headers["location"] == "/account"


async def test_other_recovery_codes(app: Application, person: Person) -> None:
    _, codes = await enrol(app, person)
    fresh = (await person.api.ok("POST", "/v1/me/totp/recovery_codes", json={"password": PASSWORD}))["recovery_codes"]
    assert not set(codes) & set(fresh)
    async with browser(app) as http:
        assert (await send(http, await to_the_code(http, person), code=codes[0])).status_code == 401
        assert (await send(http, await http.get("/login/totp"), code=fresh[0])).status_code == 303


async def test_the_key_is_stored_sealed_and_codes_as_hashes(app: Application, person: Person) -> None:
    secret, codes = await enrol(app, person)
    rows = await sql(app, "SELECT secret, f::text AS t FROM second_factors f WHERE user_id = $1", person.api.user_id)
    key = base64.b32decode(secret.replace(" ", ""))
    assert key not in bytes(rows[0]["secret"])
    assert key.hex() not in rows[0]["t"]
    kept = await sql(app, "SELECT c::text AS t FROM recovery_codes c WHERE user_id = $1", person.api.user_id)
    assert len(kept) == 10
    assert not [row for row in kept for code in codes if code.replace("-", "") in row["t"]]


async def test_another_persons_sealed_key_opens_nothing(app: Application, person: Person) -> None:
    from crm_api.core.errors import InternalError

    await enrol(app, person)
    people = services_of(app).people
    [row] = await sql(app, "SELECT secret FROM second_factors WHERE user_id = $1", person.api.user_id)
    stranger = uuid4()
    columns = "(user_id, secret, created_at, confirmed_at)"
    await sql(app, f"INSERT INTO second_factors {columns} VALUES ($1, $2, $3, $3)", stranger, row["secret"], people.clock.now())
    async with people.database.connection() as connection:
        with pytest.raises(InternalError):
            await totp.take(connection, people.clock, people.keys, stranger, "123456")


async def test_an_organisation_may_ask_for_it(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    assert (await person.api.ok("PATCH", "/v1/org", json={"require_totp": True}))["require_totp"] is True
    answer = await sign_in(http, person.email, path="/login?return_to=%2Faccount%3Fa")
    assert answer.headers["location"].startswith("/login/totp?")
    answer = await http.get(answer.headers["location"])
    assert answer.headers["location"] == "/login/totp/enrol?return_to=%2Faccount%3Fa"
    page = await http.get(answer.headers["location"])
    shown = read(page)
    assert "Test asks for a second factor" in shown.text
    secret = shown.text.partition("Key: ")[2][:39]
    assert secret in read(await http.get("/login/totp/enrol")).text  # loading the page again changes nothing
    assert (await http.get("/account")).status_code == 303
    assert (await send(http, page, code="000000")).status_code == 401
    done = await send(http, page, code=code_for(secret, services_of(app).clock.now()))
    assert done.status_code == 200
    assert done.text.count("<li><code>") == 10
    assert 'href="/account?a"' in done.text
    assert (await http.get("/account")).status_code == 200
    async with browser(app) as other:  # from now on
        page = await to_the_code(other, person)
        later = code_for(secret, services_of(app).clock.now(), 1)
        assert (await send(other, page, code=later)).status_code == 303
