"""Refresh tokens: used once, replaced, narrowed, and the end of a family."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crm_api.core.tokens import token_hash
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.oauth.conftest import World
from tests.oauth.support import PASSWORD, App, compliance, refused, register, unauthenticated

pytestmark = pytest.mark.anyio


async def age(world: World, token: str, by: timedelta, column: str = "used_at") -> None:
    """Moves a time of a token back."""
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute(f"UPDATE tokens SET {column} = {column} - $2::interval WHERE hash = $1", token_hash(token), by)


@pytest.fixture(scope="module")
async def graceless(settings: Settings) -> AsyncIterator[Application]:
    """The application without any grace for used refresh tokens."""
    app = create_app(settings.model_copy(update={"oauth_refresh_grace_seconds": 0}))
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app):
        yield app


def on(app: Application, one: App) -> App:
    """The same app, talking to another process."""
    return App(unauthenticated(app), one.id, one.secret, one.redirect_uri)


@compliance("RFC 6749", "6", "a refresh token gives new tokens with the same scope")
@compliance("RFC 9700", "4.14.2", "refresh tokens rotate")
async def test_each_refresh_gives_another_token(world: World) -> None:
    for app in (world.confidential, world.public):
        first = await app.tokens(world.browser)
        answer = await app.refresh(first["refresh_token"])
        assert answer.status_code == 200, answer.text
        second = answer.json()
        assert second["refresh_token"] != first["refresh_token"]
        assert {name: second[name] for name in ("scope", "org_id", "user_id", "grant_id")} == {
            name: first[name] for name in ("scope", "org_id", "user_id", "grant_id")
        }
        assert await app.works(second["access_token"]) == 200
        assert await app.works(first["access_token"]) == 200, "it lives until it expires"


@compliance("RFC 9700", "4.14.2", "a used refresh token that comes back ends the family")
async def test_reuse_ends_the_family(world: World) -> None:
    app = world.confidential
    first = await app.tokens(world.browser)
    second = (await app.refresh(first["refresh_token"])).json()
    third = (await app.refresh(second["refresh_token"])).json()
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    for token in (second["refresh_token"], third["refresh_token"]):
        refused(await app.refresh(token), "invalid_grant")
    assert [await app.works(found["access_token"]) for found in (first, second, third)] == [401] * 3
    log = await world.api.ok("GET", "/v1/audit", params={"limit": 50})
    (entry,) = [entry for entry in log["data"] if entry["action"] == "oauth.token_reuse"]
    assert entry["record_id"] == first["grant_id"]
    assert (await world.api.ok("GET", "/v1/me/grants"))["data"] == []
    ended = await world.api.ok("GET", f"/v1/oauth_grants/{first['grant_id']}")
    assert ended["revoked_because"] == "token_reuse"


async def test_within_the_grace_the_parent_gets_a_sibling(world: World) -> None:
    """The answer was lost on its way: the same token again is answered with others of the same grant, as long as its child is unused."""
    app = world.confidential
    first = await app.tokens(world.browser)
    lost = (await app.refresh(first["refresh_token"])).json()
    sibling = await app.refresh(first["refresh_token"])
    assert sibling.status_code == 200
    assert sibling.json()["grant_id"] == lost["grant_id"]
    used = (await app.refresh(sibling.json()["refresh_token"])).json()
    assert await app.works(used["access_token"]) == 200
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    assert await app.works(used["access_token"]) == 401, "a child was used, so the parent that comes back was stolen"


async def test_after_the_grace_reuse_ends_the_family(world: World) -> None:
    app = world.confidential
    first = await app.tokens(world.browser)
    second = (await app.refresh(first["refresh_token"])).json()
    await age(world, first["refresh_token"], timedelta(seconds=31))
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    refused(await app.refresh(second["refresh_token"]), "invalid_grant")


@compliance("RFC 9700", "4.14.2", "of any number of simultaneous refreshes one succeeds")
async def test_twenty_refreshes_at_once(world: World) -> None:
    """Whoever was under way already when the token was used is refused and may ask again; nobody's family ends for that."""
    app = world.confidential
    first = await app.tokens(world.browser)
    answers = await asyncio.gather(*(app.refresh(first["refresh_token"]) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    for answer in answers:
        if answer.status_code == 400:
            refused(answer, "invalid_grant")
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert await app.works(won["access_token"]) == 200
    assert (await app.refresh(won["refresh_token"])).status_code == 200


async def test_without_grace(world: World, graceless: Application) -> None:
    app = on(graceless, world.confidential)
    first = await world.confidential.tokens(world.browser)
    answers = await asyncio.gather(*(app.refresh(first["refresh_token"]) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    refused(await app.refresh(won["refresh_token"]), "invalid_grant")
    assert await app.works(won["access_token"]) == 401


@compliance("RFC 6749", "6", "a refresh may narrow the scope and not widen it")
async def test_narrower_then_wider(world: World) -> None:
    app = world.confidential
    first = await app.tokens(world.browser)
    narrow = (await app.refresh(first["refresh_token"], scope="contacts:read")).json()
    assert narrow["scope"] == "contacts:read"
    me = (await app.http.get("/v1/me", headers={"authorization": f"Bearer {narrow['access_token']}"})).json()
    assert me["token"]["scopes"] == ["contacts:read"]
    refused(await app.refresh(narrow["refresh_token"], scope="contacts:read contacts:delete"), "invalid_scope")
    refused(await app.refresh(narrow["refresh_token"], scope="admin"), "invalid_scope")
    whole = await app.refresh(narrow["refresh_token"])
    assert whole.status_code == 200, "a refused request has not used the token"
    assert whole.json()["scope"] == first["scope"], "narrowing holds for one access token"


@compliance("RFC 6749", "10.4", "a refresh token is bound to its client")
async def test_another_client_cannot_refresh(world: World) -> None:
    other = await register(world.api, world.http)
    first = await world.confidential.tokens(world.browser)
    refused(await other.refresh(first["refresh_token"]), "invalid_grant")
    refused(await world.public.refresh(first["refresh_token"]), "invalid_grant")
    assert (await world.confidential.refresh(first["refresh_token"])).status_code == 200, "it has not been used by that"


async def test_they_expire(world: World) -> None:
    app = world.confidential
    first = await app.tokens(world.browser)
    await age(world, first["refresh_token"], timedelta(days=30, seconds=1), "expires_at")
    refused(await app.refresh(first["refresh_token"]), "invalid_grant")
    second = await app.tokens(world.browser)
    await age(world, second["access_token"], timedelta(seconds=1801), "expires_at")
    answer = await app.http.get("/v1/me", headers={"authorization": f"Bearer {second['access_token']}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_no_grant_outlives_its_longest_life(world: World) -> None:
    app = world.confidential
    first = await app.tokens(world.browser)
    async with world.app.state.services.database.connection() as connection, connection.driver.transaction():
        await connection.driver.execute(f"SET LOCAL app.org_id = '{world.api.org_id}'")
        await connection.driver.execute(
            "UPDATE oauth_grants SET expires_at = expires_at - interval '179 days 23 hours 50 minutes' WHERE org_id = $1", world.api.org_id
        )
    second = (await app.refresh(first["refresh_token"])).json()
    assert 0 < second["expires_in"] <= 600


async def test_whoever_may_no_longer_sign_in_has_no_tokens(world: World) -> None:
    """Suspension, removal, a new password, withdrawal: access and refresh tokens end with the next request."""
    app, other = world.confidential, await world.member()
    tokens = await app.tokens(other)
    (user,) = [user for user in await world.api.all("/v1/users") if user["email"] == other.email]
    await world.api.ok("POST", f"/v1/users/{user['id']}/suspend")
    answer = await app.http.get("/v1/me", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "user_suspended")
    refused(await app.refresh(tokens["refresh_token"]), "invalid_grant")


async def test_a_user_who_leaves(world: World) -> None:
    app, other = world.confidential, await world.member()
    tokens = await app.tokens(other)
    (user,) = [user for user in await world.api.all("/v1/users") if user["email"] == other.email]
    await world.api.ok("DELETE", f"/v1/users/{user['id']}")
    assert await app.works(tokens["access_token"]) == 401
    refused(await app.refresh(tokens["refresh_token"]), "invalid_grant")


async def test_a_new_password(world: World) -> None:
    app, other = world.confidential, world.public
    tokens, more = await app.tokens(world.browser), await other.tokens(world.browser)
    await world.api.ok("POST", "/v1/me/password", json={"current_password": PASSWORD, "new_password": "another horse battery staple"})
    for one, found in ((app, tokens), (other, more)):
        assert await one.works(found["access_token"]) == 401
        refused(await one.refresh(found["refresh_token"]), "invalid_grant")
    assert (await world.api.http.get("/v1/me")).status_code == 200, "API tokens stay"
    assert (await world.browser.http.get(app.url())).headers["location"].startswith("/login"), "and nobody is signed in any more"
    world.browser.password = "another horse battery staple"
    assert await app.works((await app.tokens(world.browser))["access_token"]) == 200


async def test_a_withdrawn_grant(world: World) -> None:
    app = world.confidential
    tokens, untouched = await app.tokens(world.browser), await app.tokens(world.browser)
    gone = await world.api.ok("DELETE", f"/v1/me/grants/{tokens['grant_id']}")
    assert gone["revoked_because"] == "withdrawn"
    assert await app.works(tokens["access_token"]) == 401
    refused(await app.refresh(tokens["refresh_token"]), "invalid_grant")
    assert await app.works(untouched["access_token"]) == 200
    again = await world.api.ok("DELETE", f"/v1/me/grants/{tokens['grant_id']}")
    assert again["revoked_at"] == gone["revoked_at"]


async def test_a_lowered_profile_holds_for_tokens_that_are_out(world: World) -> None:
    """What a token may do is its scopes and the user's present rights, at each request."""
    app = await register(world.api, world.http, scopes=["*:read", "contacts:write", "admin"])
    member = await world.member()
    tokens = await app.tokens(member)
    authorized = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await app.http.get("/v1/oauth_apps", headers=authorized)).status_code == 403, "admin is a scope, not a right"
    assert (await app.http.post("/v1/contacts", json={"last_name": "King"}, headers=authorized)).status_code == 201
    reader = await world.api.make("profiles", name="Reader", permissions={"contacts": ["read"]})
    (user,) = [user for user in await world.api.all("/v1/users") if user["email"] == member.email]
    await world.api.change(user, profile_id=reader["id"])
    assert (await app.http.post("/v1/contacts", json={"last_name": "King"}, headers=authorized)).status_code == 403
