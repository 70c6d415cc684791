"""The register of apps: by administrators, and by programs (RFC 7591)."""

from __future__ import annotations

from typing import Any

import pytest

from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.api import Api
from tests.oauth.conftest import World
from tests.oauth.support import App, compliance, refused, register, unauthenticated

pytestmark = pytest.mark.anyio
TOKEN = "an initial access token of 40 characters"

BAD_URIS = [
    "http://app.example/cb",
    "https://app.example/cb#part",
    "https://user:pw@app.example/cb",
    "https://*.app.example/cb",
    "https://app.example/../cb",
    "https://app.example/%2e%2e/cb",
    "https:///cb",
    "https:app.example",
    "https://app.example/c b",
    "https://app.example\\@evil.example/",
    "https://app.example:99999/cb",
    "https://app.éxample/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "com.example.app:/cb",
    "/cb",
    "",
    "https://app.example/" + "a" * 3000,
]


async def test_an_app_by_an_administrator(world: World) -> None:
    api = world.api
    made = await api.ok(
        "POST",
        "/v1/oauth_apps",
        json={"name": "Sync", "scopes": ["contacts:read", "contacts:read"], "logo_uri": "https://x.example/l.png"},
        status=201,
    )
    assert made["client_secret"].startswith("crm_cs_")
    assert made["secret_prefix"] == made["client_secret"][:11] + "…"
    assert made["scopes"] == ["contacts:read"]
    shown = await api.ok("GET", f"/v1/oauth_apps/{made['id']}")
    assert "client_secret" not in shown
    assert shown == {name: value for name, value in made.items() if name != "client_secret"}
    listed = (await api.ok("GET", "/v1/oauth_apps"))["data"]
    assert listed[0]["id"] == made["id"]
    answer = await api.http.patch(f"/v1/oauth_apps/{made['id']}", json={"name": "Synchronisation", "logo_uri": None})
    assert (answer.json()["name"], answer.json()["logo_uri"], answer.json()["version"]) == ("Synchronisation", None, 2)
    assert answer.headers["x-outcome"] == "updated"
    same = await api.http.patch(f"/v1/oauth_apps/{made['id']}", json={"name": "Synchronisation"})
    assert (same.headers["x-outcome"], same.json()["version"]) == ("unchanged", 2)
    public = await api.ok("POST", "/v1/oauth_apps", json={"name": "Phone", "type": "public", "scopes": ["*:read"]}, status=201)
    assert (public["client_secret"], public["secret_prefix"]) == (None, None)
    await api.ok("DELETE", f"/v1/oauth_apps/{made['id']}")
    await api.fails("GET", f"/v1/oauth_apps/{made['id']}", 404, "not_found")
    actions = [entry["action"] for entry in (await api.ok("GET", "/v1/audit", params={"limit": 20}))["data"]]
    assert {"oauth_app.created", "oauth_app.updated", "oauth_app.deleted"} <= set(actions)


async def test_what_cannot_be_registered(world: World) -> None:
    good = {"name": "x", "scopes": ["contacts:read"]}
    for uri in BAD_URIS:
        problem = await world.api.fails("POST", "/v1/oauth_apps", 422, "validation_failed", json={**good, "redirect_uris": [uri]})
        assert problem["errors"][0]["pointer"] == "/redirect_uris/0", uri
    mistakes: list[dict[str, Any]] = [
        {"scopes": ["contacts:fly"]},
        {"scopes": []},
        {"type": "secret"},
        {"name": ""},
        {"logo_uri": "http://x.example/l.png"},
        {"client_uri": "javascript:alert(1)"},
        {"install": "nobody"},
        {"client_secret": "mine"},
        {"redirect_uris": ["https://app.example/cb"] * 21},
    ]
    for wrong in mistakes:
        assert (await world.api.http.post("/v1/oauth_apps", json={**good, **wrong})).status_code == 422, wrong
    for uri in (
        "com.example.app:/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:80/cb",
        "http://localhost:3000/cb",
        "https://a.example/cb?x=%2A",
    ):
        await world.api.ok("POST", "/v1/oauth_apps", json={**good, "type": "public", "redirect_uris": [uri]}, status=201)


async def test_apps_of_other_organisations_are_not_there(world: World, other_api: Api) -> None:
    id_ = world.confidential.id
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/secret/rotate")):
        body: dict[str, Any] = {"json": {}} if method in ("PATCH", "POST") else {}
        await other_api.fails(method, f"/v1/oauth_apps/{id_}{path}", 404, "not_found", **body)
    tokens = await world.confidential.tokens(world.browser)
    await other_api.fails("DELETE", f"/v1/oauth_grants/{tokens['grant_id']}", 404, "not_found")
    await other_api.fails("DELETE", f"/v1/me/grants/{tokens['grant_id']}", 404, "not_found")
    assert (await other_api.ok("GET", "/v1/oauth_apps"))["data"] == []


async def test_removing_an_app_ends_its_tokens_everywhere(world: World) -> None:
    tokens = await world.confidential.tokens(world.browser)
    await world.api.ok("DELETE", f"/v1/oauth_apps/{world.confidential.id}")
    assert await world.confidential.works(tokens["access_token"]) == 401
    refused(await world.confidential.refresh(tokens["refresh_token"]), "invalid_client", 401)
    assert (await world.api.ok("GET", "/v1/me/grants"))["data"] == []


async def test_an_app_that_loses_a_scope(world: World) -> None:
    wide, narrow = await world.confidential.tokens(world.browser), await world.confidential.tokens(world.browser, scope="contacts:read")
    await world.api.ok("PATCH", f"/v1/oauth_apps/{world.confidential.id}", json={"scopes": ["contacts:read"]})
    assert await world.confidential.works(wide["access_token"]) == 401
    refused(await world.confidential.refresh(wide["refresh_token"]), "invalid_grant")
    assert await world.confidential.works(narrow["access_token"]) == 200


async def test_grants_are_seen_and_ended(world: World) -> None:
    member = await world.member()
    mine, theirs = await world.confidential.tokens(world.browser), await world.confidential.tokens(member)
    listed = (await world.api.ok("GET", "/v1/oauth_grants"))["data"]
    assert {grant["id"] for grant in listed} == {mine["grant_id"], theirs["grant_id"]}
    assert {grant["app"]["name"] for grant in listed} == {"Mail for CRM"}
    filtered = await world.api.ok("GET", "/v1/oauth_grants", params={"user_id": theirs["user_id"]})
    assert [grant["id"] for grant in filtered["data"]] == [theirs["grant_id"]]
    assert (await world.api.ok("GET", "/v1/oauth_grants", params={"app_id": world.public.id}))["data"] == []
    await world.api.fails("GET", "/v1/oauth_grants", 400, "bad_request", params={"app_id": "x"})
    assert [grant["id"] for grant in (await world.api.ok("GET", "/v1/me/grants"))["data"]] == [mine["grant_id"]]
    await world.api.fails("DELETE", f"/v1/me/grants/{theirs['grant_id']}", 404, "not_found")
    authorized = {"authorization": f"Bearer {mine['access_token']}"}
    other = await world.confidential.tokens(world.browser)
    assert (await world.http.delete(f"/v1/me/grants/{other['grant_id']}", headers=authorized)).status_code == 403
    await world.api.ok("DELETE", f"/v1/oauth_grants/{theirs['grant_id']}")
    assert await world.confidential.works(theirs["access_token"]) == 401
    assert (await world.http.delete(f"/v1/me/grants/{mine['grant_id']}", headers=authorized)).status_code == 200
    assert await world.confidential.works(mine["access_token"]) == 401


METADATA: dict[str, Any] = {
    "client_name": "Agent",
    "redirect_uris": ["http://127.0.0.1/cb"],
    "token_endpoint_auth_method": "none",
    "grant_types": ["authorization_code"],
    "scope": "contacts:read",
    "software_id": "what we do not know is ignored",
}


async def ask(http: Any, token: str | None, **metadata: Any) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return await http.post("/oauth/register", json={**METADATA, **metadata}, headers=headers)


@compliance("RFC 7591", "3.2.1", "an app registers itself with an initial access token")
async def test_an_app_by_a_program(world: World) -> None:
    answer = await ask(world.http, world.api.token)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert "client_secret" not in made
    assert made["grant_types"] == ["authorization_code", "refresh_token"]
    assert "software_id" not in made
    app = App(world.http, made["client_id"], None, "http://127.0.0.1:7777/cb")
    assert (await app.tokens(world.browser))["scope"] == "contacts:read"
    posted = (await ask(world.http, world.api.token, token_endpoint_auth_method="client_secret_post")).json()
    assert posted["client_secret_expires_at"] == 0
    app = App(world.http, posted["client_id"], posted["client_secret"], "http://127.0.0.1:7777/cb")
    refused(await app.token(grant_type="refresh_token", refresh_token="x"), "invalid_client", 401)
    given = {"client_id": app.id, "client_secret": app.secret, "grant_type": "refresh_token", "refresh_token": "x"}
    refused(await world.http.post("/oauth/token", data=given), "invalid_grant")
    refused(await world.http.post("/oauth/token", data={**given, "grant_type": "client_credentials"}), "unauthorized_client")


@compliance("RFC 7591", "3.2.2", "bad metadata is refused")
async def test_bad_metadata(world: World) -> None:
    token = world.api.token
    for uri in ("http://evil.example/", "https://a.example/#x", "https://*.example/", "javascript:alert(1)", ""):
        refused(await ask(world.http, token, redirect_uris=[uri]), "invalid_redirect_uri")
    refused(await ask(world.http, token, redirect_uris=[]), "invalid_redirect_uri")
    mistakes: list[dict[str, Any]] = [
        {"scope": "admin"},
        {"scope": "contacts:fly"},
        {"scope": ""},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"grant_types": ["password"]},
        {"grant_types": []},
        {"grant_types": ["client_credentials"]},
        {"response_types": ["token"]},
        {"redirect_uris": "https://a.example/cb"},
        {"client_name": ""},
        {"client_uri": "http://a.example/"},
        {"client_name": "a\u0000b"},
    ]
    for wrong in mistakes:
        refused(await ask(world.http, token, **wrong), "invalid_client_metadata")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    for body in (b"{", b"[]", b"[" * 5000, b'"x"'):
        refused(await world.http.post("/oauth/register", content=body, headers=headers), "invalid_client_metadata")
    refused(
        await world.http.post("/oauth/register", data=METADATA, headers={"authorization": f"Bearer {token}"}), "invalid_client_metadata"
    )


@compliance("RFC 7591", "3", "registration is not open to everybody")
async def test_who_may_register(world: World, settings: Settings) -> None:
    for token in (None, "nonsense", TOKEN):
        answer = await ask(world.http, token)
        refused(answer, "invalid_token", 401)
        assert "resource_metadata=" in answer.headers["www-authenticate"]
    narrow = await world.api.with_scopes("contacts:read")
    refused(await ask(world.http, narrow.token), "insufficient_scope", 403)
    own = await register(world.api, world.http, scopes=["admin"])
    refused(await ask(world.http, (await own.tokens(world.browser))["access_token"]), "insufficient_scope", 403)
    app = create_app(Settings.model_validate({**settings.model_dump(), "oauth_registration_token": TOKEN}))
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app), unauthenticated(app) as http:
        made = (await ask(http, TOKEN)).json()
        refused(await ask(http, TOKEN + "x"), "invalid_token", 401)
    everybodys = App(world.http, made["client_id"], None, "http://127.0.0.1:7777/cb")
    assert (await everybodys.tokens(world.browser))["org_id"] == str(world.api.org_id)
