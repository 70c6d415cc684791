"""Signing in with a password: pages, cookies, what strangers learn, and what stops them."""

from __future__ import annotations

import time

import httpx
import pytest

from crm_api.http.app import Application
from tests.api import new_organization
from tests.users.support import COOKIE, PASSWORD, Person, browser, read, send, services_of, sign_in, sql

pytestmark = pytest.mark.anyio

PAGES = ("/login", "/password/forgot", "/password/reset?token=x", "/activate?token=x")


async def test_signs_in_and_out(http: httpx.AsyncClient, person: Person) -> None:
    answer = await sign_in(http, person.email)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await http.get("/account")
    assert person.email in read(page).text
    out = await send(http, page)
    assert (out.status_code, out.headers["location"]) == (303, "/login?notice=out")
    assert (await http.get("/account")).headers["location"] == "/login?return_to=%2Faccount"
    assert "signed out" in read(await http.get(out.headers["location"])).text


async def test_the_address_is_equal_however_it_is_written(http: httpx.AsyncClient, person: Person) -> None:
    assert (await sign_in(http, f"  {person.email.upper()} ")).status_code == 303


async def test_the_form_tells_browsers_what_its_fields_are(http: httpx.AsyncClient) -> None:
    page = read(await http.get("/login"))
    assert page.form.attributes["email"]["autocomplete"] == "username"
    assert page.form.attributes["email"]["type"] == "email"
    assert page.form.attributes["password"]["autocomplete"] == "current-password"
    assert page.form.attributes["password"]["type"] == "password"
    shown = {name for name, given in page.form.attributes.items() if given["type"] != "hidden"}
    assert {str(page.form.attributes[name]["id"]) for name in shown} == page.labels


async def test_what_is_wrong_is_announced_and_tied_to_the_fields(http: httpx.AsyncClient, person: Person) -> None:
    answer = await sign_in(http, person.email, "not the password")
    assert answer.status_code == 401
    assert '<p class="problem" id="problem" role="alert">' in answer.text
    page = read(answer)
    assert page.form.fields["email"] == person.email
    assert page.form.fields["password"] == ""
    assert page.form.attributes["password"]["aria-describedby"] == "problem"


@pytest.mark.parametrize("path", PAGES)
async def test_pages_can_not_be_framed_stored_or_fed_with_scripts(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "script-src" not in policy
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    page = read(answer)
    assert (page.scripts, page.inline) == (0, 0)
    assert answer.text.startswith("<!doctype html>\n<html lang=")


async def test_the_style_sheet_is_ours(http: httpx.AsyncClient) -> None:
    answer = await http.get("/pages/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text
    again = await http.get("/pages/style.css", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_flags_of_the_cookie(http: httpx.AsyncClient, person: Person) -> None:
    answer = await sign_in(http, person.email)
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=crm_ss_")
    assert {text.lower() for text in attributes} == {"httponly", "path=/", "samesite=lax"}  # plain http on this very machine


async def test_flags_of_the_cookie_over_tls(app: Application, person: Person) -> None:
    from crm_api.http.app import create_app

    settings = services_of(app).settings.model_copy(update={"base_url": "https://crm.example"})
    secure = create_app(settings)
    assert isinstance(secure, Application)
    async with secure.router.lifespan_context(secure):
        transport = httpx.ASGITransport(app=secure)
        async with httpx.AsyncClient(transport=transport, base_url="https://crm.example") as http:
            answer = await sign_in(http, person.email)
    assert answer.status_code == 303
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-crm_session=crm_ss_")
    assert {text.lower() for text in attributes} == {"httponly", "path=/", "samesite=lax", "secure"}
    assert "strict-transport-security" in answer.headers


# --- forms that did not come from our pages ---------------------------------------------------------------------------------


async def test_a_form_needs_the_token_of_its_page(http: httpx.AsyncClient, person: Person) -> None:
    fields = {"email": person.email, "password": PASSWORD}
    assert (await http.post("/login", data=fields)).status_code == 403  # no cookie, no token
    page = await http.get("/login")
    assert (await http.post("/login", data=fields)).status_code == 403
    assert (await http.post("/login", data={**fields, "csrf": "0" * 96})).status_code == 403
    assert (await send(http, page, **fields)).status_code == 303


async def test_the_token_is_bound_to_the_browser(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    page = await http.get("/login")
    async with browser(app) as other:
        await other.get("/login")
        assert (await send(other, page, email=person.email, password=PASSWORD)).status_code == 403


async def test_tokens_of_before_the_sign_in_are_worth_nothing_after_it(http: httpx.AsyncClient, person: Person) -> None:
    before = read(await http.get("/login")).form.fields["csrf"]
    await sign_in(http, person.email)
    assert (await http.post("/logout", data={"csrf": before})).status_code == 403
    assert (await http.get("/account")).status_code == 200


async def test_forms_from_other_sites_are_refused(http: httpx.AsyncClient, person: Person) -> None:
    form = read(await http.get("/login")).form
    answer = await http.post("/login", data={**form.fields, "email": person.email}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


async def test_no_token_looks_like_the_one_before(http: httpx.AsyncClient) -> None:
    tokens = [read(await http.get("/login")).form.fields["csrf"] for _ in range(3)]
    assert len(set(tokens)) == 3  # else the length of the compressed page would tell it (BREACH)


async def test_a_link_signs_nobody_out(http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    await http.get("/logout")
    assert (await http.get("/account")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("application/json", b'{"email":"a"}', 415),
        ("text/plain", b"email=a", 415),
        ("application/x-www-form-urlencoded", b"email=a&email=b", 400),
        ("application/x-www-form-urlencoded", b"email=%ff", 400),
        ("application/x-www-form-urlencoded", b"email=%00", 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 200, 400),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 70_000, 413),
    ],
)
async def test_what_is_no_form_is_refused_on_a_page(http: httpx.AsyncClient, kind: str, content: bytes, status: int) -> None:
    answer = await http.post("/login", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert read(answer).forms == []


# --- sessions ---------------------------------------------------------------------------------------------------------------


async def test_signing_in_changes_the_cookie(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await http.get("/login")
    planted = http.cookies[COOKIE]
    await sign_in(http, person.email)
    assert http.cookies[COOKIE] != planted
    async with browser(app) as other:  # whoever planted the value has no session by it
        other.cookies.set(COOKIE, planted)
        assert (await other.get("/account")).status_code == 303


async def test_signing_in_again_ends_the_session_before(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    first = http.cookies[COOKIE]
    await sign_in(http, person.email)
    async with browser(app) as other:
        other.cookies.set(COOKIE, first)
        assert (await other.get("/account")).status_code == 303
    assert len((await person.api.ok("GET", "/v1/me/sessions"))["data"]) == 1


async def test_no_cookie_is_a_credential_of_the_api(http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    for path in ("/v1/me", "/v1/contacts", "/v1/me/sessions"):
        assert (await http.get(path)).status_code == 401


async def test_sessions_end_when_they_are_not_used_or_too_old(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    await sql(app, "UPDATE sessions SET used_at = used_at - interval '13 hours' WHERE user_id = $1", person.api.user_id)
    assert (await http.get("/account")).status_code == 303
    await sign_in(http, person.email)
    await sql(app, "UPDATE sessions SET expires_at = created_at WHERE user_id = $1", person.api.user_id)
    assert (await http.get("/account")).status_code == 303


async def test_nothing_stored_opens_a_session(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email)
    rows = await sql(app, "SELECT s::text AS t FROM sessions s WHERE user_id = $1", person.api.user_id)
    assert rows
    assert http.cookies[COOKIE] not in str([row["t"] for row in rows])


# --- where one comes from ---------------------------------------------------------------------------------------------------


async def test_leads_back_to_where_one_was(http: httpx.AsyncClient, person: Person) -> None:
    wanted = "/oauth/authorize?state=a%20b%26c&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    answer = await sign_in(http, person.email, path=str(httpx.URL("/login", params={"return_to": wanted})))
    assert answer.headers["location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:a=b\r\n",
        "\t//evil.example",
        "/ /evil.example", "/login", "/login/totp", "/logout", "/v1/contacts", "", "account", "/é", "/" + "a" * 7000,
    ],
)  # fmt: skip
async def test_leads_nowhere_else(http: httpx.AsyncClient, person: Person, wanted: str) -> None:
    page = await http.get("/login", params={"return_to": wanted[:6900]})
    assert "return_to" not in read(page).form.fields or read(page).form.fields["return_to"].startswith("/%0d")
    form = read(page).form
    answer = await http.post("/login", data={**form.fields, "email": person.email, "password": PASSWORD, "return_to": wanted})
    if "%0d" in wanted:
        assert "\r" not in answer.headers["location"]
    else:
        assert answer.headers["location"] == "/account"


async def test_what_was_typed_is_text(http: httpx.AsyncClient) -> None:
    answer = await sign_in(http, '"><script>alert(1)</script>')
    assert "<script" not in answer.text
    assert read(answer).form.fields["email"] == '"><script>alert(1)</script>'


# --- what strangers learn ---------------------------------------------------------------------------------------------------


async def test_strangers_learn_nothing_about_who_is_there(app: Application, person: Person) -> None:
    async with new_organization(app) as without:  # an administrator who never chose a password
        nobody = (await without.ok("GET", f"/v1/users/{without.user_id}"))["email"]
    invited = await person.api.make("users", email="invited-1@corp.example", name="Ines Invited")
    texts, times = [], []
    for email, password in (
        (person.email, "a wrong password"), ("nobody-at-all@corp.example", PASSWORD), (nobody, PASSWORD), (invited["email"], PASSWORD),
        ("not an address", PASSWORD), ("x" * 300 + "@corp.example", PASSWORD), (person.email, "p" * 5000),
    ):  # fmt: skip
        async with browser(app, "192.0.2.77") as http:
            page = await http.get("/login")
            started = time.perf_counter()
            answer = await send(http, page, email=email, password=password)
            times.append(time.perf_counter() - started)
            assert answer.status_code == 401
            shown = read(answer)
            texts.append((shown.text, set(answer.headers), shown.labels))
    assert all(one == texts[0] for one in texts)
    assert min(times) > 0.005, "somebody was refused without the work of checking a password"


async def test_the_work_is_the_same_whoever_it_is(app: Application, person: Person) -> None:
    """By the statements that run until the answer: their number and text don't tell an account from none."""
    seen: dict[str, list[str]] = {}
    database = services_of(app).people.database
    for name, email in (("somebody", person.email), ("nobody", "nobody-here@corp.example")):
        record: list[str] = []
        database.observers.append(record.append)
        async with browser(app, "192.0.2.78") as http:
            transport = http._transport
            assert isinstance(transport, httpx.ASGITransport)
            page = await http.get("/login")
            record.clear()
            await send(http, page, email=email, password="a wrong password")
        database.observers.remove(record.append)
        seen[name] = [text for text in record if "audit" not in text]
    until_answer = len(seen["nobody"])
    assert seen["somebody"][:until_answer] == seen["nobody"]


async def test_suspended_people_are_strangers(http: httpx.AsyncClient, person: Person) -> None:
    other = await person.api.make("users", email="second-admin@corp.example", name="Second")
    await person.api.ok("POST", f"/v1/users/{other['id']}/activate")
    await person.api.ok("POST", f"/v1/users/{other['id']}/suspend")
    assert (await sign_in(http, other["email"])).status_code == 401


# --- the audit log ----------------------------------------------------------------------------------------------------------


async def test_sign_ins_are_in_the_audit_log(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    await sign_in(http, person.email, "wrong wrong wrong")
    await sign_in(http, person.email)
    entries = await person.api.all("/v1/audit")
    found = [entry for entry in entries if entry["action"].startswith("user.sign")]
    assert [entry["action"] for entry in sorted(found, key=lambda entry: entry["seq"])] == ["user.sign_in_failed", "user.signed_in"]
