"""What passwords must be like, and how they are changed: by their owner, and by a link in a mail."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from crm_api.core.errors import InvalidValue
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.users import change, links
from crm_api.flows.users.change import LinkSpent
from crm_api.flows.users.passwords import Passwords, check_password
from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.users.support import COOKIE, OTHER, PASSWORD, Person, browser, link_in, mailed, read, send, services_of, sign_in, sql

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "password",
    [PASSWORD, OTHER, "correct horse battery staple", "Zq8#vT2!mXw9", "пароль которого нет нигде",
     "日本語のとても長いパスワードです。", "🦦🐘🦔🐝🦉🐢🦊🐙🦩🐬🦜🐞"],
)  # fmt: skip
def test_good_passwords(password: str) -> None:
    check_password(password, "ada@acme.example", "Ada King")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "min_length"),
        ("elevenchars", "min_length"),
        ("x" * 129, "max_length"),
        ("Password1234", "password_common"),
        ("P@ssw0rd2026!!", "password_common"),
        ("passwordpassword", "password_common"),
        ("123456789012", "password_common"),
        ("987654321098765", "password_common"),
        ("qwertyuiop123", "password_common"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("abababababababab", "password_common"),
        ("Welcome2026!Welcome", "password_common"),
        ("iloveyou123456", "password_common"),
        ("ada.king@acme.example", "password_personal"),
        ("acmeking2026x", "password_personal"),
        ("twelve chars\x00 more", "invalid_characters"),
    ],
)
def test_bad_passwords(password: str, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_password(password, "acmeking@acme.example", "ada.king@acme.example")
    assert caught.value.code == code


async def test_letters_may_be_composed_either_way() -> None:
    passwords = Passwords()
    stored = await passwords.hash("Übermäßig schöne Äpfel")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await passwords.verify("U\u0308berma\u0308ßig scho\u0308ne A\u0308pfel", stored))[0]
    assert not (await passwords.verify("Ubermaßig schone Apfel", stored))[0]
    passwords.close()


# --- over the API -----------------------------------------------------------------------------------------------------------


async def test_changes_the_password(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    api = person.api
    body = {"current_password": PASSWORD, "new_password": OTHER}
    await api.ok("POST", "/v1/me/password", json=body, status=204)
    assert (await http.get("/account")).status_code == 303  # signed out everywhere
    assert (await sign_in(http, person.email)).status_code == 401
    assert (await sign_in(http, person.email, OTHER)).status_code == 303
    await api.ok("GET", "/v1/me")  # a token that the person made stays


async def test_ends_the_tokens_that_apps_got(app: Application, person: Person) -> None:
    api = person.api
    narrow = await api.with_scopes("contacts:read")
    await sql(app, "UPDATE tokens SET app_id = $1 WHERE org_id = $2 AND name = 'narrow'", api.user_id, api.org_id)
    await narrow.ok("GET", "/v1/contacts")
    await api.ok("POST", "/v1/me/password", json={"current_password": PASSWORD, "new_password": OTHER}, status=204)
    await narrow.fails("GET", "/v1/contacts", 401, "token_revoked")


async def test_ends_what_apps_were_allowed(app: Application, person: Person) -> None:
    api = person.api
    values = {"org_id": api.org_id, "id": uuid4(), "user_id": api.user_id, "now": services_of(app).clock.now()}
    async with unit_of_work(services_of(app).database, api.org_id, services_of(app).clock) as uow:
        await uow.fetch(_ADD_GRANT, values)
    body = {"current_password": PASSWORD, "new_password": OTHER}
    await api.ok("POST", "/v1/me/password?dry_run=true", json=body, status=204)
    assert [grant["revoked_because"] for grant in await granted(app, api)] == [None]
    await api.ok("POST", "/v1/me/password", json=body, status=204)
    assert [grant["revoked_because"] for grant in await granted(app, api)] == ["password_changed"]


_ADD_GRANT = Statement(
    "INSERT INTO oauth_grants (org_id, id, app_id, user_id, kind, scopes, created_at) VALUES ($1, $2, $2, $3, 'user', '{}', $4)",
    ("org_id", "id", "user_id", "now"),
)
_GRANTS = Statement("SELECT revoked_because FROM oauth_grants WHERE org_id = $1 AND user_id = $2", ("org_id", "user_id"))


async def granted(app: Application, api: Api) -> list[Any]:
    async with unit_of_work(services_of(app).database, api.org_id, services_of(app).clock) as uow:
        return list(await uow.fetch(_GRANTS, {"org_id": api.org_id, "user_id": api.user_id}))


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"current_password": "wrong wrong wrong", "new_password": OTHER}, "/current_password", "wrong_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "/new_password", "min_length"),
        ({"current_password": PASSWORD, "new_password": "password123456"}, "/new_password", "password_common"),
        ({"current_password": PASSWORD}, "/new_password", "required"),
    ],
)
async def test_refuses(person: Person, body: dict[str, str], pointer: str, code: str) -> None:
    problem = await person.api.fails("POST", "/v1/me/password", 422, "validation_failed", json=body)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert PASSWORD not in str(problem)


async def test_wrong_ones_count_even_though_nothing_is_written(person: Person) -> None:
    for _ in range(10):
        await person.api.fails(
            "POST", "/v1/me/password", 422, "validation_failed", json={"current_password": "wrong wrong wrong", "new_password": OTHER}
        )
    await person.api.fails("POST", "/v1/me/password", 429, "rate_limited", json={"current_password": PASSWORD, "new_password": OTHER})


async def test_a_dry_run_changes_nothing(http: httpx.AsyncClient, person: Person) -> None:
    body = {"current_password": PASSWORD, "new_password": OTHER}
    await person.api.ok("POST", "/v1/me/password?dry_run=true", json=body, status=204)
    assert (await sign_in(http, person.email)).status_code == 303


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/me/password", {"current_password": PASSWORD, "new_password": OTHER}),
        ("GET", "/v1/me/totp", None),
        ("POST", "/v1/me/totp", {"password": PASSWORD}),
        ("POST", "/v1/me/totp/confirm", {"code": "123456"}),
        ("POST", "/v1/me/totp/recovery_codes", {"password": PASSWORD}),
        ("POST", "/v1/me/totp/disable", {"password": PASSWORD, "code": "123456"}),
        ("GET", "/v1/me/sessions", None),
        ("DELETE", "/v1/me/sessions", None),
        ("DELETE", "/v1/me/sessions/01976f6e-8a00-7000-8000-000000000001", None),
    ],
)
async def test_a_token_for_records_reaches_no_account(person: Person, method: str, path: str, body: dict[str, str] | None) -> None:
    narrow = await person.api.with_scopes("contacts:write", "*:read", "users:write")
    problem = await narrow.fails(method, path, 403, "insufficient_scope", json=body)
    assert "account:write" in problem["required_scopes"]


async def test_everybody_has_an_account_whatever_their_profile(app: Application, person: Person) -> None:
    from crm_api.flows.organizations import create_token, create_user
    from tests.api import Api, client

    database = services_of(app).database
    user_id = await create_user(database, org_id=person.api.org_id, email=f"plain-{person.api.org_id}@corp.example", password=PASSWORD)
    token = await create_token(database, org_id=person.api.org_id, user_id=user_id, name="own", scopes=["account:write"])
    async with client(app, token["token"]) as http:
        api = Api(http, app, person.api.org_id, user_id, token["token"])
        await api.ok("POST", "/v1/me/password", json={"current_password": PASSWORD, "new_password": OTHER}, status=204)


# --- sessions ---------------------------------------------------------------------------------------------------------------


async def test_lists_and_ends_sessions(app: Application, person: Person, other_api: object) -> None:
    api = person.api
    async with browser(app, "203.0.113.5") as one, browser(app, "203.0.113.6") as two:
        for http, name in ((one, "Firefox"), (two, "Chromium")):
            http.headers["user-agent"] = name
            await sign_in(http, person.email)
        listed = (await api.ok("GET", "/v1/me/sessions"))["data"]
        assert [(s["user_agent"], s["address"]) for s in listed] == [("Chromium", "203.0.113.6"), ("Firefox", "203.0.113.5")]
        await api.ok("DELETE", f"/v1/me/sessions/{listed[0]['id']}", status=204)
        assert (await two.get("/account")).status_code == 303
        assert (await one.get("/account")).status_code == 200
        await api.fails("DELETE", f"/v1/me/sessions/{listed[0]['id']}", 404, "not_found")
        assert (await api.ok("DELETE", "/v1/me/sessions"))["ended"] == 1
        assert (await one.get("/account")).status_code == 303
    assert not await sql(app, "SELECT 1 FROM session_devices WHERE user_id = $1", api.user_id)


async def test_nobody_sees_or_ends_the_sessions_of_others(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    [mine] = (await person.api.ok("GET", "/v1/me/sessions"))["data"]
    async with new_organization(app) as stranger:
        assert (await stranger.ok("GET", "/v1/me/sessions"))["data"] == []
        await stranger.fails("DELETE", f"/v1/me/sessions/{mine['id']}", 404, "not_found")
        await stranger.ok("DELETE", "/v1/me/sessions")
    assert (await http.get("/account")).status_code == 200


async def test_fifty_sessions_are_the_most(app: Application, person: Person) -> None:
    from crm_api.flows.users.sessions import Device, open_session

    services = services_of(app)
    async with services.database.connection() as connection:
        for number in range(53):
            await open_session(connection, services.clock, person.api.user_id, "password", Device(f"browser {number}", "127.0.0.1"))
    listed = (await person.api.ok("GET", "/v1/me/sessions"))["data"]
    assert [one["user_agent"] for one in listed] == [f"browser {number}" for number in range(52, 2, -1)]


# --- forgotten --------------------------------------------------------------------------------------------------------------


async def forgot(http: httpx.AsyncClient, email: str) -> httpx.Response:
    return await send(http, await http.get("/password/forgot"), email=email)


async def test_a_mailed_link_changes_the_password(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    async with browser(app) as other:
        assert (await forgot(other, person.email)).status_code == 200
        [text] = await mailed(app, person.email)
        link = link_in(text)
        assert link.startswith("/password/reset?token=crm_ml_")
        for _ in range(2):  # opening it uses nothing up
            page = await other.get(link)
            assert read(page).form.attributes["password"]["autocomplete"] == "new-password"
        assert (await send(other, page, password="short")).status_code == 422  # nor does a password that won't do
        done = await send(other, page, password=OTHER)
        assert (done.status_code, done.headers["location"]) == (303, "/login?notice=reset")
        assert (await other.get(link)).status_code == 410
        assert (await sign_in(other, person.email, OTHER)).status_code == 303
    assert (await http.get("/account")).status_code == 303  # sessions of before have ended


async def test_the_answer_does_not_tell_who_is_there(app: Application, person: Person) -> None:
    texts = []
    for email in (person.email, "nobody-knows@corp.example", "no address at all"):
        async with browser(app, "198.51.100.50") as http:
            answer = await forgot(http, email)
            texts.append((answer.status_code, read(answer).text, set(answer.headers)))
    assert texts[0] == texts[1] == texts[2]
    assert await mailed(app, "nobody-knows@corp.example") == []


async def test_asking_costs_the_same_whoever_it_is(app: Application, person: Person) -> None:
    seen: list[list[str]] = []
    database = services_of(app).people.database
    for email in (person.email, "nobody-knows-2@corp.example"):
        async with browser(app, "198.51.100.51") as http:
            page = await http.get("/password/forgot")
            record: list[str] = []
            database.observers.append(record.append)
            await send(http, page, email=email)
            database.observers.remove(record.append)
            seen.append(record)
    assert seen[0] == seen[1]


async def test_three_mails_an_hour(app: Application, person: Person) -> None:
    for number in range(5):
        async with browser(app, f"198.51.100.{60 + number}") as http:
            assert (await forgot(http, person.email)).status_code == 200
    assert len(await mailed(app, person.email)) == 3


async def test_who_asks_for_everybody_is_stopped(app: Application) -> None:
    async with browser(app, "198.51.100.70") as http:
        for number in range(20):
            assert (await forgot(http, f"many-{number}@corp.example")).status_code == 200
        assert (await forgot(http, "many-20@corp.example")).status_code == 429


async def reset_link(app: Application, person: Person) -> str:
    async with browser(app, "198.51.100.80") as http:
        await sql(app, "DELETE FROM failed_attempts")
        await forgot(http, person.email)
    return link_in((await mailed(app, person.email))[-1]).partition("token=")[2]


async def test_of_twenty_who_have_the_link_one_changes_the_password(app: Application, person: Person) -> None:
    token = await reset_link(app, person)
    people = services_of(app).people

    async def attempt(number: int) -> int | None:
        try:
            await change.reset(people, token, f"an unusual sentence {number}", "127.0.0.1")
        except LinkSpent:
            return None
        return number

    winners = [number for number in await asyncio.gather(*(attempt(number) for number in range(20))) if number is not None]
    assert len(winners) == 1
    async with browser(app) as http:
        assert (await sign_in(http, person.email, f"an unusual sentence {winners[0]}")).status_code == 303


async def test_links_are_good_for_half_an_hour_and_for_their_purpose(app: Application, person: Person) -> None:
    token = await reset_link(app, person)
    people = services_of(app).people
    async with people.database.connection() as connection:
        assert await links.peek(connection, people.clock, "activate", token) is None
        assert await links.peek(connection, people.clock, "reset", token) is not None
        await connection.fetch(_age("29 minutes"), {"user_id": person.api.user_id})
        assert await links.peek(connection, people.clock, "reset", token) is not None
        await connection.fetch(_age("1 minutes"), {"user_id": person.api.user_id})
        assert await links.use(connection, people.clock, "reset", token) is None


def _age(by: str) -> Statement:
    return Statement(f"UPDATE mail_links SET expires_at = expires_at - interval '{by}' WHERE user_id = $1", ("user_id",))


async def test_a_new_password_makes_other_links_useless(app: Application, person: Person) -> None:
    first, second = await reset_link(app, person), await reset_link(app, person)
    people = services_of(app).people
    await change.reset(people, second, OTHER, "127.0.0.1")
    with pytest.raises(LinkSpent):
        await change.reset(people, first, PASSWORD, "127.0.0.1")


async def test_opens_a_closed_account(app: Application, person: Person) -> None:
    for number in range(10):
        async with browser(app, f"198.51.100.{100 + number}") as http:
            await sign_in(http, person.email, "wrong wrong wrong")
    async with browser(app, "198.51.100.120") as http:
        assert (await sign_in(http, person.email)).status_code == 429
        await forgot(http, person.email)
        link = link_in((await mailed(app, person.email))[-1])
        await send(http, await http.get(link), password=OTHER)
        assert (await sign_in(http, person.email, OTHER)).status_code == 303


async def test_does_not_go_around_the_second_factor(app: Application, person: Person) -> None:
    from tests.users.test_second_factor import enrol

    await enrol(app, person)
    token = await reset_link(app, person)
    await change.reset(services_of(app).people, token, OTHER, "127.0.0.1")
    async with browser(app) as http:
        assert (await sign_in(http, person.email, OTHER)).headers["location"] == "/login/totp"


async def test_suspended_people_get_no_mail(app: Application, person: Person) -> None:
    other = await person.api.make("users", email=f"late-{person.api.org_id}@corp.example", name="Late")
    await person.api.ok("POST", f"/v1/users/{other['id']}/suspend")
    async with browser(app, "198.51.100.130") as http:
        await forgot(http, other["email"])
    assert await mailed(app, other["email"]) == []


async def test_no_link_is_stored_where_it_could_be_read(app: Application, person: Person) -> None:
    token = await reset_link(app, person)
    rows = await sql(app, "SELECT l::text AS t FROM mail_links l WHERE user_id = $1", person.api.user_id)
    assert rows
    assert not [row for row in rows if token in row["t"]]
    assert token.startswith("crm_ml_")
    from crm_api.http.logging import redact

    assert token not in redact(f"GET /password/reset?token={token}")
    assert COOKIE not in token
