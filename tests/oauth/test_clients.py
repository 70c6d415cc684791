"""How clients prove who they are, and how requests to the token endpoint must look."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from crm_api.core.tokens import generate
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.http.support import ValkeyProcess, running_valkey
from tests.oauth.conftest import World
from tests.oauth.support import DEVICE, compliance, refused, register, unauthenticated

pytestmark = pytest.mark.anyio

FORM = {"content-type": "application/x-www-form-urlencoded"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


async def attempt(world: World, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return await world.http.post("/oauth/token", data={"grant_type": "client_credentials", **fields}, headers=headers)


@compliance("RFC 6749", "2.3.1", "client_secret_basic with its own encoding, and client_secret_post")
async def test_ways_that_work(world: World) -> None:
    id_, secret = world.confidential.id, world.confidential.secret or ""
    ways: list[tuple[dict[str, str] | None, dict[str, Any]]] = [
        (basic(id_, secret), {}),
        (basic(quote(id_, safe=""), secret.replace("_", "%5F")), {}),
        (basic(id_, secret), {"client_id": id_}),
        ({"authorization": basic(id_, secret)["authorization"].replace("Basic", "bASIC")}, {}),
        (None, {"client_id": id_, "client_secret": secret}),
    ]
    for headers, fields in ways:
        answer = await attempt(world, headers, **fields)
        assert answer.status_code == 200, (headers, fields, answer.text)


@compliance("RFC 6749", "5.2", "a client that fails with Basic gets 401 and a challenge")
@compliance("RFC 6749", "2.3.1", "a client uses one way of authenticating")
async def test_ways_that_do_not_work(world: World) -> None:
    id_, secret = world.confidential.id, world.confidential.secret or ""
    other = await register(world.api, world.http)
    wrong_basic = [
        basic(id_, secret[:-1] + ("a" if secret[-1] != "a" else "b")),
        basic(id_, other.secret or ""),
        basic(id_, generate("crm_cs_")[0]),
        basic(id_, secret + " "),
        basic(id_.upper(), "x:%+" + secret),
        basic("01976f6e-8a00-7000-8000-000000000001", secret),
        basic("nobody", secret),
        basic(world.public.id, secret),
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + b64encode(b"nocolon").decode()},
        {"authorization": "Basic " + b64encode(b"\xff:\xff").decode()},
        {"authorization": f"Bearer {world.api.token}"},
    ]
    for headers in wrong_basic:
        answer = await attempt(world, headers)
        refused(answer, "invalid_client", 401)
        assert answer.headers["www-authenticate"].startswith("Basic realm="), headers
    wrong_fields: list[dict[str, Any]] = [
        {},
        {"client_id": id_},
        {"client_id": id_, "client_secret": ""},
        {"client_id": id_, "client_secret": "x"},
        {"client_id": world.public.id, "client_secret": secret},
        {"client_id": "x" * 300, "client_secret": secret},
        {
            "client_id": id_,
            "client_assertion": "e30.e30.",
            "client_assertion_type": "urn:ietf:params:oauth:x",
        },
    ]
    for fields in wrong_fields:
        refused(await attempt(world, **fields), "invalid_client", 401)
    refused(await attempt(world, basic(id_, secret), client_secret=secret), "invalid_request")
    refused(await attempt(world, basic(id_, secret), client_id=world.public.id), "invalid_request")
    twice = [("authorization", basic(id_, secret)["authorization"])] * 2
    answer = await world.http.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=httpx.Headers(twice))
    refused(answer, "invalid_request")


@compliance("RFC 6749", "4.4", "client credentials are for confidential clients, and give no refresh token")
async def test_an_app_that_acts_as_itself(world: World) -> None:
    answer = await world.confidential.token(grant_type="client_credentials", scope="deals:write")
    body = answer.json()
    assert answer.status_code == 200, body
    assert "refresh_token" not in body
    assert (body["scope"], body["user_id"], body["org_id"]) == ("deals:write", None, str(world.api.org_id))
    authorized = {"authorization": f"Bearer {body['access_token']}"}
    made = await world.http.post("/v1/deals", json={"name": "Robots"}, headers=authorized)
    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == {"type": "app", "id": world.confidential.id}
    assert (await world.http.get("/v1/contacts", headers=authorized)).status_code == 403, "the scope holds"
    again = (await world.confidential.token(grant_type="client_credentials")).json()
    assert again["grant_id"] == body["grant_id"]
    refused(await world.public.token(grant_type="client_credentials"), "unauthorized_client")
    for scope in ("contacts:delete", "admin", "deals:write admin", "x" * 50_000):
        refused(await world.confidential.token(grant_type="client_credentials", scope=scope), "invalid_scope")


async def test_with_whose_rights_it_acts(world: World) -> None:
    """Within those of the user who is named for that, and only as long as that user is active."""
    member = await world.member()
    (user,) = [user for user in await world.api.all("/v1/users") if user["email"] == member.email]
    app = await register(world.api, world.http, scopes=["admin"], run_as_user_id=user["id"])
    tokens = (await app.token(grant_type="client_credentials")).json()
    answer = await world.http.get("/v1/oauth_apps", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert answer.status_code == 403
    await world.api.ok("PATCH", f"/v1/oauth_apps/{app.id}", json={"run_as_user_id": str(world.api.user_id)})
    assert await app.works(tokens["access_token"]) == 401
    await world.api.ok("PATCH", f"/v1/oauth_apps/{app.id}", json={"run_as_user_id": user["id"]})
    tokens = (await app.token(grant_type="client_credentials")).json()
    await world.api.ok("POST", f"/v1/users/{user['id']}/suspend")
    assert await app.works(tokens["access_token"]) == 401
    refused(await app.token(grant_type="client_credentials"), "unauthorized_client")
    problem = await world.api.http.post(
        "/v1/oauth_apps",
        json={"name": "x", "scopes": ["*:read"], "run_as_user_id": "01976f6e-8a00-7000-8000-000000000001"},
    )
    assert problem.status_code == 422


async def test_in_another_organisation_it_must_be_installed(world: World, other_api: Any) -> None:
    app = await register(world.api, world.http, distribution="public", install="org")
    refused(await app.token(grant_type="client_credentials", org_id=str(other_api.org_id)), "unauthorized_client")
    refused(await world.confidential.token(grant_type="client_credentials", org_id=str(other_api.org_id)), "unauthorized_client")
    refused(await app.token(grant_type="client_credentials", org_id="x"), "unauthorized_client")


@compliance("RFC 6749", "3.2", "parameters come in a form, each once")
@compliance("RFC 6749", "5.2", "errors are JSON that nobody stores")
async def test_the_form_of_requests(world: World) -> None:
    app = world.confidential
    id_, secret = app.id, app.secret or ""
    given = {"grant_type": "client_credentials", "client_id": id_, "client_secret": secret}
    refused(await world.http.post("/oauth/token", json=given), "invalid_request")
    refused(await world.http.post("/oauth/token", content=b""), "invalid_request")
    refused(await world.http.post("/oauth/token", files={"grant_type": b"client_credentials"}), "invalid_request")
    refused(await world.http.post("/oauth/token", data={}, headers=FORM), "invalid_request")
    refused(await world.http.post("/oauth/token?grant_type=client_credentials", data=given), "invalid_request")
    refused(await world.http.post("/oauth/token", content=b"grant_type=a&grant_type=a", headers=FORM), "invalid_request")
    refused(
        await world.http.post("/oauth/token", content=b"grant_type=client_credentials&scope=a&scope=b", headers=FORM), "invalid_request"
    )
    refused(await world.http.post("/oauth/token", content="grant_type=é".encode(), headers=FORM), "invalid_request")
    refused(await world.http.post("/oauth/token", content=b"grant_type=%ff", headers=FORM), "invalid_request")
    refused(await world.http.post("/oauth/token", content=b"grant_type=a%00", headers=FORM), "invalid_request")
    refused(await app.token(grant_type=""), "invalid_request")
    for kind in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "CLIENT_CREDENTIALS"):
        refused(await app.token(grant_type=kind), "unsupported_grant_type")
    for fields in ({"grant_type": "authorization_code"}, {"grant_type": "refresh_token"}, {"grant_type": DEVICE}):
        refused(await app.token(**fields), "invalid_request")
    assert (await world.http.get("/oauth/token")).status_code == 405


async def test_bounds(world: World) -> None:
    """Ten thousand scopes, a megabyte of parameters, a thousand parameters: refused before anything is looked up."""
    refused(await world.confidential.token(grant_type="client_credentials", scope=" ".join(["a"] * 10_000)), "invalid_scope")
    refused(await world.confidential.token(grant_type="client_credentials", scope="a" * 1_000_000), "invalid_request", 413)
    refused(await world.confidential.token(grant_type="client_credentials", **{f"p{n}": "x" for n in range(1_000)}), "invalid_request")

    async def endless() -> Any:
        for _ in range(100):
            yield b"a" * 10_000

    answer = await world.http.post("/oauth/token", content=endless(), headers=FORM)
    refused(answer, "invalid_request", 413)


@compliance("CORS", "contract", "pages of other origins may call the endpoints that read no cookie")
async def test_browsers(world: World) -> None:
    headers = {"origin": "https://spa.example"}
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/par", "/oauth/device_authorization", "/oauth/register"):
        answer = await world.http.post(path, headers=headers)
        assert answer.status_code >= 400
        assert answer.headers["access-control-allow-origin"] == "*", path
        asked = {**headers, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        preflight = await world.http.options(path, headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"):
        assert (await world.http.get(path, headers=headers)).headers["access-control-allow-origin"] == "*"


async def test_only_failures_count_and_without_valkey_nobody_is_let_in(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm_api.http.oauth import limits

    monkeypatch.setattr(limits, "CLIENTS", limits.Allowance("client", 3, limits.CLIENTS.window))
    with running_valkey() as valkey:
        await _limited(world, settings, valkey)


async def _limited(world: World, settings: Settings, valkey: ValkeyProcess) -> None:
    app = create_app(settings.model_copy(update={"redis_url": valkey.url}))
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app), unauthenticated(app) as http:
        good = {"grant_type": "client_credentials", "client_id": world.confidential.id, "client_secret": world.confidential.secret}
        for _ in range(8):
            assert (await http.post("/oauth/token", data=good)).status_code == 200
        for _ in range(3):
            refused(await http.post("/oauth/token", data={**good, "client_secret": "x"}), "invalid_client", 401)
        answer = await http.post("/oauth/token", data=good)
        refused(answer, "temporarily_unavailable", 429)
        assert int(answer.headers["retry-after"]) > 0
        valkey.stop()
        for _ in range(20):
            answer = await http.post("/oauth/token", data=good)
            if answer.status_code == 503:
                break
        refused(answer, "temporarily_unavailable", 503)


async def test_secrets_rotate_with_an_overlap(world: World) -> None:
    app = world.confidential
    old = app.secret
    made = await world.api.ok("POST", f"/v1/oauth_apps/{app.id}/secret/rotate", json={"grace_seconds": 3600})
    assert made["secret"] != old
    assert made["old_secret_until"] is not None
    for secret in (old, made["secret"]):
        app.secret = secret
        assert (await app.token(grant_type="client_credentials")).status_code == 200
    await world.api.ok("POST", f"/v1/oauth_apps/{app.id}/secret/rotate", json={"grace_seconds": 0})
    for secret in (old, made["secret"]):
        app.secret = secret
        refused(await app.token(grant_type="client_credentials"), "invalid_client", 401)
    await world.api.fails("POST", f"/v1/oauth_apps/{world.public.id}/secret/rotate", 409, "conflict", json={})
