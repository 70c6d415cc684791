"""Revocation, introspection, pushed requests, devices, metadata."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from crm_api.core.tokens import generate, token_hash
from tests.oauth.conftest import World
from tests.oauth.support import BASE, DEVICE, Page, compliance, pkce, refused, register

pytestmark = pytest.mark.anyio


@compliance("RFC 7009", "2.1", "a refresh token ends its whole grant")
@compliance("RFC 7009", "2.2", "an unknown token is no error")
async def test_revocation(world: World) -> None:
    for app in (world.confidential, world.public):
        one, two = await app.tokens(world.browser), await app.tokens(world.browser)
        other = await register(world.api, world.http)
        assert (await other.post("/oauth/revoke", token=one["refresh_token"])).status_code == 200
        assert await app.works(one["access_token"]) == 200, "another app's token is left alone"
        answer = await app.post("/oauth/revoke", token=one["refresh_token"], token_type_hint="access_token")
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert await app.works(one["access_token"]) == 401
        refused(await app.refresh(one["refresh_token"]), "invalid_grant")
        await app.post("/oauth/revoke", token=two["access_token"], token_type_hint="nonsense")
        assert await app.works(two["access_token"]) == 401
        assert (await app.refresh(two["refresh_token"])).status_code == 200
        for text in (generate("crm_at_")[0], generate("crm_rt_")[0], "nonsense", one["refresh_token"], world.api.token):
            assert (await app.post("/oauth/revoke", token=text)).status_code == 200
        refused(await app.post("/oauth/revoke"), "invalid_request")
        refused(await world.http.post("/oauth/revoke", data={"token": one["access_token"]}), "invalid_client", 401)
    assert (await world.api.http.get("/v1/me")).status_code == 200


@compliance("RFC 7662", "2.2", "what does not work, or is another client's, is inactive and nothing else")
async def test_introspection(world: World) -> None:
    app = world.confidential
    tokens = await app.tokens(world.browser, scope="contacts:read")
    found = (await app.post("/oauth/introspect", token=tokens["access_token"], token_type_hint="refresh_token")).json()
    assert found["active"] is True
    assert (found["scope"], found["client_id"], found["token_type"]) == ("contacts:read", app.id, "Bearer")
    assert (found["iss"], found["aud"], found["sub"]) == (BASE, BASE, str(world.api.user_id))
    assert found["exp"] - found["iat"] == 1800
    assert (found["org_id"], found["grant_id"]) == (tokens["org_id"], tokens["grant_id"])
    assert (await app.post("/oauth/introspect", token=tokens["refresh_token"])).json()["active"] is True
    own = (await app.token(grant_type="client_credentials")).json()["access_token"]
    assert (await app.post("/oauth/introspect", token=own)).json()["sub"] == app.id

    other = await register(world.api, world.http)
    used = tokens["refresh_token"]
    await app.refresh(used)
    expired = await app.tokens(world.browser)
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute(
            "UPDATE tokens SET expires_at = expires_at - $2::interval WHERE hash = $1",
            token_hash(expired["access_token"]),
            timedelta(hours=1),
        )
    inactive = [used, expired["access_token"], generate("crm_at_")[0], "nonsense", world.api.token, (await app.code(world.browser))[0]]
    for text in inactive:
        assert (await app.post("/oauth/introspect", token=text)).content == b'{"active":false}', text
    assert (await other.post("/oauth/introspect", token=tokens["access_token"])).json() == {"active": False}
    await world.api.ok("DELETE", f"/v1/me/grants/{tokens['grant_id']}")
    assert (await app.post("/oauth/introspect", token=tokens["access_token"])).json() == {"active": False}
    refused(await world.public.post("/oauth/introspect", token=tokens["access_token"]), "invalid_client", 401)
    refused(await world.http.post("/oauth/introspect", data={"token": tokens["access_token"]}), "invalid_client", 401)
    refused(await app.post("/oauth/introspect"), "invalid_request")


@compliance("RFC 9126", "2.3", "what is wrong with a request is told when it is pushed")
async def test_what_cannot_be_pushed(world: World) -> None:
    app, challenge = world.confidential, pkce()[1]
    good = {"response_type": "code", "redirect_uri": app.redirect_uri, "code_challenge": challenge, "code_challenge_method": "S256"}
    assert (await app.post("/oauth/par", **good)).status_code == 201
    for wrong, error in (
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"resource": "https://evil.example/"}, "invalid_target"),
        ({"state": ["a", "b"]}, "invalid_request"),
        ({"client_id": world.public.id}, "invalid_request"),
    ):
        refused(await app.post("/oauth/par", **{**good, **wrong}), error)
    refused(await world.http.post("/oauth/par", data={**good, "client_id": app.id}), "invalid_client", 401)
    assert (await world.http.get("/oauth/par")).status_code == 405


@compliance("RFC 9126", "5", "an app may have to push its requests")
async def test_an_app_that_must_push(world: World) -> None:
    app = await register(world.api, world.http, require_pushed_authorization_requests=True)
    answer = await world.browser.http.get(app.url())
    assert answer.status_code == 303
    assert "error=invalid_request" in answer.headers["location"]
    verifier, challenge = pkce()
    fields = {"response_type": "code", "redirect_uri": app.redirect_uri, "code_challenge": challenge, "code_challenge_method": "S256"}
    pushed = (await app.post("/oauth/par", **fields)).json()["request_uri"]
    url = f"/oauth/authorize?client_id={app.id}&request_uri={pushed}"
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute("UPDATE oauth_requests SET expires_at = expires_at - interval '91 seconds'")
    assert (await world.browser.http.get(url)).status_code == 400
    pushed = (await app.post("/oauth/par", **fields)).json()["request_uri"]
    answer = await world.browser.decide(f"/oauth/authorize?client_id={app.id}&request_uri={pushed}")
    code = answer.headers["location"].partition("code=")[2].partition("&")[0]
    assert (await app.exchange(code, verifier)).status_code == 200
    for text in ("urn:ietf:params:oauth:request_uri:unknown", "https://evil.example/request"):
        assert (await world.browser.http.get(f"/oauth/authorize?client_id={app.id}&request_uri={text}")).status_code == 400


async def begin(world: World, app: Any, **fields: str) -> dict[str, Any]:
    answer = await app.post("/oauth/device_authorization", **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@compliance("RFC 8628", "3.2", "the device gets two codes and an address")
@compliance("RFC 8628", "3.5", "until somebody decides: authorization_pending, slow_down; then tokens, once")
async def test_a_device(world: World) -> None:
    app = world.public
    found = await begin(world, app, scope="contacts:read")
    assert found["verification_uri"] == f"{BASE}/oauth/device"
    assert found["verification_uri_complete"] == f"{BASE}/oauth/device?user_code={found['user_code']}"
    assert (found["expires_in"], found["interval"], len(found["user_code"])) == (600, 5, 9)

    async def poll() -> Any:
        return await app.token(grant_type=DEVICE, device_code=found["device_code"])

    refused(await poll(), "authorization_pending")
    refused(await poll(), "slow_down")
    async with world.app.state.services.database.connection() as connection:
        interval = await connection.driver.fetchval(
            "SELECT interval FROM oauth_device_codes WHERE hash = $1", token_hash(found["device_code"])
        )
        assert interval == 10
        await connection.driver.execute("UPDATE oauth_device_codes SET polled_at = polled_at - interval '11 seconds'")
    refused(await poll(), "authorization_pending")
    refused(await world.confidential.token(grant_type=DEVICE, device_code=found["device_code"]), "invalid_grant")

    shown = await world.browser.follow(f"/oauth/device?user_code={found['user_code']}")
    page = Page(shown.text)
    assert "See contacts" in page.text
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    answer = await world.browser.submit(page.forms[0], decision="allow")
    assert "let in" in answer.text
    answers = await asyncio.gather(*(poll() for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    (tokens,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert (tokens["scope"], tokens["user_id"]) == ("contacts:read", str(world.api.user_id))
    assert await app.works(tokens["access_token"]) == 200
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200
    again = await world.browser.submit(page.forms[0], decision="allow")
    assert again.status_code == 400


async def test_a_device_that_is_turned_away_and_one_that_comes_too_late(world: World) -> None:
    app = world.public
    found = await begin(world, app)
    await world.browser.sign_in()
    form = Page((await world.browser.http.get("/oauth/device")).text).forms[0]
    typed = found["user_code"].lower().replace("-", " ")
    shown = await world.browser.submit(form, user_code=typed)
    assert shown.status_code == 200
    await world.browser.submit(Page(shown.text).forms[0], decision="deny")
    refused(await app.token(grant_type=DEVICE, device_code=found["device_code"]), "access_denied")
    late = await begin(world, app)
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute("UPDATE oauth_device_codes SET expires_at = expires_at - interval '11 minutes'")
    refused(await app.token(grant_type=DEVICE, device_code=late["device_code"]), "expired_token")
    assert (await world.browser.submit(form, user_code=late["user_code"])).status_code == 400
    refused(await app.token(grant_type=DEVICE, device_code=generate("crm_dc_")[0]), "invalid_grant")
    refused(await app.post("/oauth/device_authorization", scope="admin"), "invalid_scope")
    refused(await app.post("/oauth/device_authorization", resource="https://evil.example"), "invalid_target")


@compliance("RFC 8628", "5.1", "user codes can't be guessed")
async def test_wrong_user_codes_are_limited(world: World) -> None:
    found = await begin(world, world.public)
    await world.browser.sign_in()
    for _ in range(10):
        assert (await world.browser.http.get("/oauth/device?user_code=BBBB-BBBB")).status_code == 400
    answer = await world.browser.http.get(f"/oauth/device?user_code={found['user_code']}")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_device_forms_need_their_token(world: World) -> None:
    found = await begin(world, world.public)
    await world.browser.sign_in()
    answer = await world.browser.http.post("/oauth/device", data={"user_code": found["user_code"], "decision": "allow"})
    assert answer.status_code == 403
    refused(await world.public.token(grant_type=DEVICE, device_code=found["device_code"]), "authorization_pending")


@compliance("RFC 8414", "3.3", "the issuer is the address that was asked")
@compliance("RFC 9728", "3.3", "the resource is the address that was asked")
async def test_metadata(world: World) -> None:
    found = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    assert found["issuer"] == BASE
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert "password" not in found["grant_types_supported"]
    assert "implicit" not in found["grant_types_supported"]
    for name, address in found.items():
        if name.endswith("_endpoint"):
            path = address.removeprefix(BASE)
            answer = await world.http.post(path) if name != "authorization_endpoint" else await world.http.get(path)
            assert answer.status_code in (400, 401), name
    resource = (await world.http.get("/.well-known/oauth-protected-resource")).json()
    assert (resource["resource"], resource["authorization_servers"]) == (BASE, [BASE])
    elsewhere = await world.http.get("/.well-known/oauth-authorization-server", headers={"host": "crm.other.example:8443"})
    assert elsewhere.json()["issuer"] == "http://crm.other.example:8443"
    odd = await world.http.get("/.well-known/oauth-authorization-server", headers={"host": "evil/<x>"})
    assert odd.json()["issuer"] == "http://127.0.0.1:8000"
