"""Tokens at the API: which are taken, for what they are good, and that none of them is ever written down."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog

from crm_api.core.tokens import generate
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.oauth.conftest import World
from tests.oauth.support import BASE, App, compliance, refused, register, unauthenticated

pytestmark = pytest.mark.anyio


@compliance("RFC 6750", "2.1", "the token comes in the Authorization header, whatever the case of Bearer")
@compliance("RFC 9728", "5.1", "a 401 says where the metadata is")
async def test_what_is_no_access_token(world: World) -> None:
    app = world.confidential
    code, verifier = await app.code(world.browser)
    tokens = (await app.exchange(code, verifier)).json()
    access = tokens["access_token"]
    unknown, _ = generate("crm_at_")
    for text in (
        tokens["refresh_token"],
        code,
        app.secret,
        unknown,
        access[:-1],
        access[:-1] + ("a" if access[-1] != "a" else "b"),
        access.swapcase(),
        access.replace("crm_at_", "crm_pat_"),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    ):
        answer = await world.http.get("/v1/me", headers={"authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), text
        challenge = answer.headers["www-authenticate"]
        assert f'resource_metadata="{BASE}/.well-known/oauth-protected-resource"' in challenge
        assert 'error="invalid_token"' in challenge
    for scheme in ("BEARER", "bearer", "Bearer"):
        assert (await world.http.get("/v1/me", headers={"authorization": f"{scheme} {access}"})).status_code == 200
    two = httpx.Headers([("authorization", f"Bearer {access}"), ("authorization", f"Bearer {access}")])
    assert (await world.http.get("/v1/me", headers=two)).status_code == 400
    assert (await world.http.get(f"/v1/me?access_token={access}")).status_code == 401
    assert (await world.http.get("/v1/me", headers={"authorization": f"Basic {access}"})).status_code == 401
    missing = await world.http.get("/v1/me")
    assert "resource_metadata=" in missing.headers["www-authenticate"]
    assert "error=" not in missing.headers["www-authenticate"]


@compliance("RFC 6750", "3.1", "too few scopes are 403 and named")
async def test_scopes_hold(world: World) -> None:
    tokens = await world.confidential.tokens(world.browser, scope="contacts:read")
    authorized = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await world.http.get("/v1/contacts", headers=authorized)).status_code == 200
    answer = await world.http.post("/v1/contacts", json={"last_name": "King"}, headers=authorized)
    assert (answer.status_code, answer.json()["required_scopes"]) == (403, ["contacts:write"])
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert "contacts:write" in answer.headers["www-authenticate"]
    for method, path in (("GET", "/v1/oauth_apps"), ("POST", "/v1/tokens"), ("GET", "/v1/oauth_grants")):
        body = {"name": "x", "scopes": ["contacts:read"]} if method == "POST" else None
        assert (await world.http.request(method, path, headers=authorized, json=body)).status_code == 403, path


async def test_what_acts_is_told(world: World) -> None:
    tokens = await world.confidential.tokens(world.browser)
    authorized = {"authorization": f"Bearer {tokens['access_token']}"}
    deal = (await world.http.post("/v1/deals", json={"name": "Robots"}, headers=authorized)).json()
    assert deal["created_by"] == {"type": "user", "id": str(world.api.user_id)}
    events = (await world.api.ok("GET", "/v1/events", params={"cursor": "oldest", "object": "deals"}))["data"]
    assert [event["cause"]["app_id"] for event in events if event["record_id"] == deal["id"]] == [world.confidential.id]


async def test_a_grant_has_one_idempotency_and_one_limit(world: World) -> None:
    """Refreshing in the middle of a retry must not make a second record."""
    app = world.confidential
    first = await app.tokens(world.browser)
    headers = {"idempotency-key": "once"}
    answer = await world.http.post("/v1/deals", json={"name": "R"}, headers={**headers, "authorization": f"Bearer {first['access_token']}"})
    second = (await app.refresh(first["refresh_token"])).json()
    again = await world.http.post("/v1/deals", json={"name": "R"}, headers={**headers, "authorization": f"Bearer {second['access_token']}"})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == answer.json()["id"]


async def test_tokens_of_apps_are_not_in_the_list_of_api_tokens(world: World) -> None:
    await world.confidential.tokens(world.browser)
    listed = await world.api.ok("GET", "/v1/tokens")
    assert [token["name"] for token in listed["data"]] == ["first token"]


@pytest.fixture(scope="module")
async def two_resources(settings: Settings) -> AsyncIterator[Application]:
    app = create_app(settings.model_copy(update={"oauth_resources": ("https://files.example/api",)}))
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app):
        yield app


@compliance("RFC 8707", "2.2", "a token is for the resource that was asked for, and the API refuses others")
async def test_audiences(world: World, two_resources: Application) -> None:
    http, other = unauthenticated(two_resources), "https://files.example/api"
    app = App(http, world.confidential.id, world.confidential.secret)
    tokens = await app.tokens(world.browser, resource=[BASE])
    assert await app.works(tokens["access_token"]) == 200
    for resource in (BASE + "/", BASE + "/v1"):
        assert await app.works((await app.refresh(tokens["refresh_token"], resource=resource)).json()["access_token"]) == 200
        tokens = await app.tokens(world.browser, resource=BASE)
    refused(await app.refresh(tokens["refresh_token"], resource=other), "invalid_target")
    refused(await app.refresh(tokens["refresh_token"], resource="https://evil.example"), "invalid_target")
    foreign = (await app.token(grant_type="client_credentials", resource=other)).json()["access_token"]
    assert await app.works(foreign) == 401
    assert await world.confidential.works(foreign) == 401
    told = (await app.post("/oauth/introspect", token=foreign)).json()
    assert (told["active"], told["aud"]) == (True, other)
    both = (await app.token(grant_type="client_credentials", resource=[BASE, other])).json()["access_token"]
    assert await app.works(both) == 200
    assert (await app.post("/oauth/introspect", token=both)).json()["aud"] == [BASE, other]


async def test_nothing_secret_is_written_down(world: World) -> None:
    """Neither in logs, nor in errors, nor in the database: every token, code and secret of a whole life is looked for there."""
    out = io.StringIO()
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(out), cache_logger_on_first_use=False)
    try:
        app = await register(world.api, world.http)
        assert app.secret is not None
        code, verifier = await app.code(world.browser)
        tokens = (await app.exchange(code, verifier)).json()
        later = (await app.refresh(tokens["refresh_token"])).json()
        device = (await app.post("/oauth/device_authorization")).json()
        secrets = [app.secret, code, verifier, device["device_code"]]
        secrets += [found[name] for found in (tokens, later) for name in ("access_token", "refresh_token")]
        texts = []
        for answer in (
            await app.exchange(code, verifier),
            await app.refresh(tokens["refresh_token"]),
            await world.http.get("/v1/me", headers={"authorization": f"Bearer {tokens['access_token']}"}),
            await world.http.post("/oauth/token", json={"refresh_token": later["refresh_token"]}),
            await world.http.get(f"/oauth/authorize?client_id={app.id}&code={code}"),
        ):
            assert answer.status_code >= 300
            texts.append(answer.text + str(answer.headers))
    finally:
        structlog.configure(**before)
    texts.append(out.getvalue())
    async with world.app.state.services.database.connection() as connection, connection.driver.transaction():
        await connection.driver.execute(f"SET LOCAL app.org_id = '{world.api.org_id}'")
        for table in (
            "tokens",
            "oauth_clients",
            "oauth_codes",
            "oauth_requests",
            "oauth_device_codes",
            "oauth_grants",
            "audit_log",
            "idempotency_keys",
        ):
            rows = await connection.driver.fetch(f"SELECT t::text AS row FROM {table} t")
            texts += [row["row"] for row in rows]
    for secret in secrets:
        assert not any(secret in text for text in texts)
