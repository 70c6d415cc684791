"""The authorization endpoint: what is asked, who decides, and where the answer goes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from crm_api.flows.organizations import create_organization
from tests.oauth.conftest import World
from tests.oauth.support import (
    BASE,
    CALLBACK,
    OTHER_URIS,
    PASSWORD,
    App,
    Browser,
    Page,
    compliance,
    pkce,
    register,
    returned,
    unauthenticated,
)

pytestmark = pytest.mark.anyio


@compliance("RFC 9207", "2", "iss is in the answer and is the issuer")
@compliance("RFC 6749", "4.1.2", "state comes back as it was")
@compliance("RFC 9700", "4.12", "the redirect after a form is 303")
async def test_the_answer(world: World) -> None:
    states = ["af0ifjsldkj", "a b+c%20d&e=f#g/?\\\"'", "Zürich ∑ 日本語 🎉", "x" * 2048, "é" * 1000, "%00%0a"]
    for state in states:
        found = returned(await world.browser.decide(world.public.url(state=state)))
        assert found["state"] == state
        assert found["iss"] == BASE
        assert set(found) == {"code", "state", "iss"}
    assert "state" not in returned(await world.browser.decide(world.public.url(state=None)))


@compliance("RFC 9207", "2", "iss is in errors too")
@compliance("RFC 6749", "4.1.2.1", "a refusal goes back to the app")
async def test_a_refusal(world: World) -> None:
    found = returned(await world.browser.decide(world.public.url(state="é &"), "deny"))
    assert found.pop("error_description")
    assert found == {"error": "access_denied", "state": "é &", "iss": BASE}


@compliance("RFC 6749", "4.1.2.1", "an unregistered client or redirect URI is shown, and nobody is sent there")
@compliance("RFC 9700", "2.1", "redirect URIs are compared exactly")
async def test_nobody_is_sent_to_an_address_that_is_not_registered(world: World) -> None:
    await world.browser.sign_in()
    several = await register(world.api, world.http, redirect_uris=[CALLBACK, "https://app.example/other"])
    urls = [
        world.confidential.url(redirect_uri=uri) for uri in [*OTHER_URIS, "javascript:alert(1)", "https://app.example", "//app.example"]
    ]
    urls += [
        world.confidential.url(client_id="01976f6e-8a00-7000-8000-000000000001"),
        world.confidential.url(client_id="nobody"),
        world.confidential.url(client_id=None),
        several.url(redirect_uri=None),
        world.confidential.url() + "&redirect_uri=https%3A%2F%2Fevil.example%2F",
        world.confidential.url() + "&client_id=" + world.public.id,
        world.confidential.url(state="%FF").replace("%25FF", "%FF"),
    ]
    for url in urls:
        for browser in (world.browser.http, world.http):
            answer = await browser.get(url)
            assert answer.status_code == 400, url
            assert "location" not in answer.headers
            assert answer.headers["content-type"].startswith("text/html")


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "response_type": ({"response_type": None}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "short challenge": ({"code_challenge": "a" * 42}, "invalid_request"),
    "padded challenge": ({"code_challenge": "a" * 43 + "="}, "invalid_request"),
    "foreign scope": ({"scope": "contacts:read contacts:delete"}, "invalid_scope"),
    "unknown scope": ({"scope": "openid"}, "invalid_scope"),
    "admin": ({"scope": "admin"}, "invalid_scope"),
    "double blank": ({"scope": "contacts:read  deals:write"}, "invalid_scope"),
    "many scopes": ({"scope": " ".join(f"a{n}" for n in range(500))}, "invalid_scope"),
    "resource": ({"resource": "https://other.example"}, "invalid_target"),
    "response_mode": ({"response_mode": "fragment"}, "invalid_request"),
    "prompt": ({"prompt": "none login"}, "invalid_request"),
    "request": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
}


@compliance("RFC 6749", "4.1.2.1", "errors go back to the app with state")
@compliance("RFC 7636", "4.4.1", "a request without challenge, with plain or without method is refused")
@compliance("RFC 8707", "2", "an unknown resource is refused")
async def test_what_is_wrong_with_a_request_goes_back(world: World) -> None:
    """Before anybody is asked to sign in."""
    for name, (parameters, error) in WRONG.items():
        found = returned(await world.http.get(world.confidential.url(**parameters)))
        assert (found["error"], found["state"], found["iss"]) == (error, "af0ifjsldkj", BASE), name
        assert "code" not in found


@compliance("RFC 6749", "3.1", "parameters are not repeated; empty ones are left out")
async def test_repeated_and_empty_parameters(world: World) -> None:
    answer = await world.http.get(world.confidential.url() + "&scope=contacts%3Aread&scope=deals%3Awrite")
    assert answer.status_code == 400
    found = returned(await world.browser.decide(world.confidential.url() + "&scope=&prompt=&foo=bar"))
    assert "code" in found


@compliance("RFC 8252", "7.3", "any port of a loopback address will do")
async def test_loopback_ports(world: World) -> None:
    uris = ["http://127.0.0.1/cb", "http://[::1]:7000/cb?a=b", "http://localhost:8000/cb"]
    app = await register(world.api, world.http, type="public", redirect_uris=uris)
    for uri in ("http://127.0.0.1:53123/cb", "http://127.0.0.1/cb", "http://[::1]:99/cb?a=b", "http://localhost:8000/cb"):
        answer = await world.browser.decide(app.url(redirect_uri=uri))
        assert answer.headers["location"].startswith(uri + ("&" if "?" in uri else "?") + "code=")
    for uri in (
        "http://127.0.0.1:53123/cb/",
        "http://127.0.0.2/cb",
        "http://127.0.0.1:99999999/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://localhost:8001/cb",
        "http://[::1]:99/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.1.evil.example/cb",
    ):
        assert (await world.browser.http.get(app.url(redirect_uri=uri))).status_code == 400, uri


@compliance("RFC 8252", "7.1", "apps on phones have a scheme of their own")
async def test_private_schemes(world: World) -> None:
    app = await register(world.api, world.http, type="public", redirect_uris=["com.example.app:/done"])
    shown = await world.browser.follow(app.url())
    assert "form-action 'self' com.example.app:" in shown.headers["content-security-policy"]
    answer = await world.browser.submit(Page(shown.text).forms[0], decision="allow")
    assert answer.headers["location"].startswith("com.example.app:/done?code=")


@compliance("RFC 9700", "4.16", "the page can't be framed, and holds no script")
async def test_the_page(world: World) -> None:
    app = await register(world.api, world.http, name="<script>alert(1)</script>", scopes=["contacts:read", "deals:delete"])
    shown = await world.browser.follow(app.url())
    policy = shown.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self' https://app.example" in policy
    assert shown.headers["x-frame-options"] == "DENY"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in shown.headers
    page = Page(shown.text)
    assert "<script" not in shown.text
    assert "style=" not in shown.text
    for words in ("<script>alert(1)</script>", "Acme", "See contacts", "Delete deals", "https://app.example"):
        assert words in page.text
    assert page.forms[0].choices["decision"] == ["allow", "deny"]
    html = next(attributes for tag, attributes in page.tags if tag == "html")
    assert html["lang"] == "en"


async def test_a_preflight_gets_nothing(world: World) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    for path in ("/oauth/authorize", "/oauth/device", "/login"):
        assert "access-control-allow-origin" not in (await world.http.options(path, headers=headers)).headers


async def test_a_get_grants_nothing_and_a_form_needs_its_token(world: World) -> None:
    shown = await world.browser.follow(world.public.url())
    form = Page(shown.text).forms[0]
    assert (await world.browser.http.get(world.public.url() + "&decision=allow")).status_code == 200
    fields = {**form.fields, "decision": "allow"}
    for wrong in ({"csrf": ""}, {"csrf": "0" * 96}, {"seal": "0" * 64}):
        answer = await world.browser.http.post(form.action, data={**fields, **wrong})
        assert answer.status_code in (400, 403), wrong
        assert "location" not in answer.headers
    crossed = await world.browser.http.post(form.action, data=fields, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    strange = await world.browser.http.post(form.action, data={**fields, "decision": "yes"})
    assert strange.status_code == 400
    assert "code" in returned(await world.browser.http.post(form.action, data=fields))
    again = returned(await world.browser.http.post(form.action, data=fields))
    assert "code" in again, "sent twice, the form gives two codes, each good once"


async def test_scopes_do_not_grow_on_their_way_through_the_form(world: World) -> None:
    app = await register(world.api, world.http, scopes=["contacts:read", "contacts:delete"])
    shown = await world.browser.follow(app.url(scope="contacts:read"))
    form = Page(shown.text).forms[0]
    wider = form.fields["request"].replace("contacts%3Aread", "contacts%3Aread+contacts%3Adelete")
    assert wider != form.fields["request"]
    answer = await world.browser.submit(form, decision="allow", request=wider)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_form_of_somebody_who_signed_out(world: World) -> None:
    shown = await world.browser.follow(world.public.url())
    form = Page(shown.text).forms[0]
    other = Browser(unauthenticated(world.app), world.browser.email)
    answer = await other.submit(form, decision="allow")
    assert answer.status_code == 403


@compliance("OpenID Connect Core", "3.1.2.1", "prompt=none shows no page")
async def test_prompt_none(world: World) -> None:
    async def silent(app: App) -> dict[str, str]:
        verifier, challenge = pkce()
        found = returned(await world.browser.http.get(app.url(challenge, prompt="none")))
        if "code" in found:
            assert (await app.exchange(found["code"], verifier)).status_code == 200
        return found

    assert (await silent(world.confidential))["error"] == "login_required"
    await world.browser.sign_in()
    assert (await silent(world.confidential))["error"] == "consent_required"
    await world.confidential.tokens(world.browser)
    assert "code" in await silent(world.confidential)
    await world.public.tokens(world.browser)
    assert (await silent(world.public))["error"] == "consent_required", "anybody can say to be a public client"


async def test_prompt_login(world: World) -> None:
    await world.browser.sign_in()
    assert (await world.browser.http.get(world.public.url(prompt="login"))).status_code == 200
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute(
            "UPDATE sessions SET created_at = created_at - interval '3 minutes' WHERE user_id = $1", world.api.user_id
        )
    answer = await world.browser.http.get(world.public.url(prompt="login"))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?")
    assert "code" in returned(await world.browser.decide(world.public.url(prompt="login")))


async def test_the_organisations_own_app_does_not_ask(world: World) -> None:
    app = await register(world.api, world.http, first_party=True)
    answer = await world.browser.follow(app.url())
    assert "code" in returned(answer)
    shown = await world.browser.follow(app.url(prompt="consent"))
    assert shown.status_code == 200
    local = await register(world.api, world.http, first_party=True, type="public", redirect_uris=["http://127.0.0.1/cb"])
    shown = await world.browser.follow(local.url())
    assert shown.status_code == 200, "anything on this machine can say to be it"
    other = await create_organization(
        world.app.state.services.database, name="Other", admin_email=world.browser.email, admin_name="Ada Admin"
    )
    spread = await register(world.api, world.http, first_party=True, distribution="public")
    shown = await world.browser.follow(spread.url(org_id=other["org_id"]))
    assert shown.status_code == 200, "for another organisation it is an app like any other"


async def test_which_organisation(world: World) -> None:
    """A person in two organisations says for which one; tokens are good for that alone."""
    made = await create_organization(
        world.app.state.services.database, name="Zweite GmbH", admin_email=world.browser.email, admin_name="Ada Admin"
    )
    app = await register(world.api, world.http, distribution="public")
    shown = await world.browser.follow(app.url())
    form = Page(shown.text).forms[0]
    assert set(form.choices["org_id"]) == {str(world.api.org_id), made["org_id"]}
    assert "org_id" not in form.fields
    wrong: dict[str, str]
    for wrong in ({}, {"org_id": "01976f6e-8a00-7000-8000-000000000001"}, {"org_id": "x"}):
        assert (await world.browser.submit(form, decision="allow", **wrong)).status_code == 400
    verifier, challenge = pkce()
    answer = await world.browser.decide(app.url(challenge), org_id=made["org_id"])
    tokens = (await app.exchange(returned(answer)["code"], verifier)).json()
    assert tokens["org_id"] == made["org_id"]
    me = (await world.http.get("/v1/me", headers={"authorization": f"Bearer {tokens['access_token']}"})).json()
    assert me["org"]["id"] == made["org_id"]
    contact = await world.api.make("contacts", last_name="King")
    answer = await world.http.get(f"/v1/contacts/{contact['id']}", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert answer.status_code == 404
    own = await world.browser.follow(world.confidential.url())
    assert "org_id" in Page(own.text).forms[0].fields, "an app of one organisation is for its people alone"


async def test_strangers_to_the_organisation(world: World) -> None:
    email = world.browser.email.replace("admin", "stranger")
    await create_organization(
        world.app.state.services.database,
        name="Strangers",
        admin_email=email,
        admin_name="Eve",
        admin_password=PASSWORD,
    )
    stranger = Browser(unauthenticated(world.app), email)
    assert returned(await stranger.follow(world.confidential.url()))["error"] == "access_denied"


async def test_an_app_for_the_whole_organisation_is_installed_by_administrators(world: World) -> None:
    app = await register(world.api, world.http, install="org")
    member = await world.member()
    assert returned(await member.follow(app.url()))["error"] == "access_denied"
    tokens = await app.tokens(world.browser)
    assert tokens["user_id"] is None
    made = await world.http.post("/v1/deals", json={"name": "Robots"}, headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == {"type": "app", "id": app.id}


async def test_long_requests_survive_signing_in(world: World) -> None:
    """A state of 2 KB in letters that are three bytes each, percent-encoded: twice nested it would be too long for an address."""
    state = "日" * 700
    url = world.public.url(state=state)
    fresh = Browser(unauthenticated(world.app), world.browser.email)
    answer = await fresh.http.get(url)
    assert len(answer.headers["location"]) < 2000
    assert returned(await fresh.decide(url))["state"] == state


async def test_signing_out(world: World) -> None:
    await world.browser.sign_in()
    answer = await world.browser.follow("/oauth/logout")
    await world.browser.submit(Page(answer.text).forms[0])
    assert (await world.browser.http.get(world.public.url())).status_code == 303


async def test_a_disabled_app(world: World) -> None:
    tokens = await world.confidential.tokens(world.browser)
    await world.api.ok("PATCH", f"/v1/oauth_apps/{world.confidential.id}", json={"active": False})
    assert (await world.browser.http.get(world.confidential.url())).status_code == 400
    assert await world.confidential.works(tokens["access_token"]) == 401
    answer = await world.confidential.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    await world.api.ok("PATCH", f"/v1/oauth_apps/{world.confidential.id}", json={"active": True})
    assert (await world.confidential.refresh(tokens["refresh_token"])).status_code == 200


@compliance("RFC 9126", "4", "the request that was pushed holds, whatever stands beside it")
async def test_a_pushed_request(world: World) -> None:
    app = world.confidential
    verifier, challenge = pkce()
    fields = dict(pair for pair in parse_qs(urlsplit(app.url(challenge, scope="contacts:read")).query).items())
    pushed = await app.post("/oauth/par", **{name: values[0] for name, values in fields.items()})
    assert pushed.status_code == 201, pushed.text
    assert pushed.json()["expires_in"] == 90
    short = {"client_id": app.id, "request_uri": pushed.json()["request_uri"]}
    url = f"/oauth/authorize?{urlencode({**short, 'scope': 'deals:write', 'redirect_uri': 'https://evil.example/'})}"
    found = returned(await world.browser.decide(url))
    tokens = (await app.exchange(found["code"], verifier)).json()
    assert tokens["scope"] == "contacts:read"
    assert (await world.browser.http.get(url)).status_code == 400, "it is good once"
    other = f"/oauth/authorize?{urlencode({**short, 'client_id': world.public.id})}"
    assert (await world.browser.http.get(other)).status_code == 400
