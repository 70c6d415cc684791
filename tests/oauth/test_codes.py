"""Authorization codes: once, for whom they were made, within a minute, and with the right verifier."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from crm_api.core.tokens import generate, token_hash
from tests.oauth.conftest import World
from tests.oauth.support import CALLBACK, OTHER_URIS, App, compliance, pkce, refused, register, returned

pytestmark = pytest.mark.anyio


async def age(world: World, code: str, by: timedelta) -> None:
    """Makes a code older."""
    async with world.app.state.services.database.connection() as connection:
        await connection.driver.execute(
            "UPDATE oauth_codes SET expires_at = expires_at - $2::interval WHERE hash = $1", token_hash(code), by
        )


@compliance("RFC 6749", "5.1", "a successful answer holds the tokens and their scope, and is not stored")
@compliance("RFC 6749", "4.1.3", "a code is exchanged for tokens")
@pytest.mark.parametrize("kind", ["confidential", "public"])
async def test_a_code_becomes_tokens(world: World, kind: str) -> None:
    app: App = getattr(world, kind)
    answer = await app.exchange(*await app.code(world.browser))
    assert answer.status_code == 200, answer.text
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 1800
    assert body["scope"] == "contacts:read deals:write"
    assert (body["org_id"], body["user_id"]) == (str(world.api.org_id), str(world.api.user_id))
    assert body["access_token"].startswith("crm_at_")
    assert body["refresh_token"].startswith("crm_rt_")
    me = (await world.http.get("/v1/me", headers={"authorization": f"Bearer {body['access_token']}"})).json()
    assert me["token"]["app_id"] == app.id
    assert me["token"]["scopes"] == ["contacts:read", "deals:write"]
    grants = await world.api.ok("GET", "/v1/me/grants")
    assert [grant["id"] for grant in grants["data"]] == [body["grant_id"]]


@compliance("RFC 6749", "4.1.2", "a code that is used twice is refused, and ends the tokens that it gave")
@compliance("RFC 9700", "4.5", "replayed codes end their tokens")
async def test_a_replayed_code_ends_its_tokens(world: World) -> None:
    code, verifier = await world.confidential.code(world.browser)
    tokens = (await world.confidential.exchange(code, verifier)).json()
    assert await world.confidential.works(tokens["access_token"]) == 200
    refused(await world.confidential.exchange(code, verifier), "invalid_grant")
    assert await world.confidential.works(tokens["access_token"]) == 401
    refused(await world.confidential.refresh(tokens["refresh_token"]), "invalid_grant")
    log = await world.api.ok("GET", "/v1/audit", params={"limit": 50})
    assert "oauth.code_reuse" in {entry["action"] for entry in log["data"]}


@compliance("RFC 6749", "4.1.2", "of any number of simultaneous redemptions one succeeds")
async def test_twenty_redemptions_at_once(world: World) -> None:
    code, verifier = await world.confidential.code(world.browser)
    answers = await asyncio.gather(*(world.confidential.exchange(code, verifier) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 19}
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert await world.confidential.works(won["access_token"]) == 401, "the others were replays"


@compliance("RFC 6749", "4.1.2", "a code expires")
async def test_an_old_code_is_refused(world: World) -> None:
    code, verifier = await world.confidential.code(world.browser)
    await age(world, code, timedelta(seconds=61))
    refused(await world.confidential.exchange(code, verifier), "invalid_grant")


@compliance("RFC 6749", "4.1.3", "a code is bound to its client")
async def test_another_client_cannot_use_a_code(world: World) -> None:
    other = await register(world.api, world.http)
    code, verifier = await world.confidential.code(world.browser)
    refused(await other.exchange(code, verifier), "invalid_grant")
    refused(await world.public.exchange(code, verifier), "invalid_grant")
    assert (await world.confidential.exchange(code, verifier)).status_code == 200, "a stranger's attempt does not use it up"


@compliance("RFC 6749", "4.1.3", "redirect_uri is that of the authorization request")
@pytest.mark.parametrize("uri", [*OTHER_URIS, None])
async def test_the_redirect_uri_must_be_the_same(world: World, uri: str | None) -> None:
    code, verifier = await world.confidential.code(world.browser)
    fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    refused(await world.confidential.token(**fields, **({} if uri is None else {"redirect_uri": uri})), "invalid_grant")
    refused(await world.confidential.exchange(code, verifier), "invalid_grant")


@compliance("RFC 6749", "4.1.3", "redirect_uri may be left out where the request left it out")
async def test_a_single_redirect_uri_need_not_be_named(world: World) -> None:
    code, verifier = await world.confidential.code(world.browser, redirect_uri=None)
    answer = await world.confidential.token(grant_type="authorization_code", code=code, code_verifier=verifier)
    assert answer.status_code == 200


@compliance("RFC 7636", "4.6", "a wrong verifier is refused, and the code with it")
@compliance("RFC 7636", "4.1", "a verifier has 43 to 128 characters")
@pytest.mark.parametrize("wrong", ["other", "short", "long", "characters", "challenge"])
async def test_a_wrong_verifier_burns_the_code(world: World, wrong: str) -> None:
    verifier, challenge = pkce()
    code = returned(await world.browser.decide(world.public.url(challenge)))["code"]
    given = {"other": pkce()[0], "short": verifier[:42], "long": verifier * 3, "characters": verifier[:-1] + "é", "challenge": challenge}[
        wrong
    ]
    refused(await world.public.exchange(code, given), "invalid_grant")
    refused(await world.public.exchange(code, verifier), "invalid_grant")


@compliance("RFC 7636", "4.6", "a verifier must come with the code")
async def test_the_verifier_is_needed(world: World) -> None:
    code, _ = await world.confidential.code(world.browser)
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    refused(await world.confidential.token(**fields), "invalid_request")


@compliance("RFC 7636", "4.6", "verifiers of two sessions are not interchangeable")
async def test_swapped_verifiers(world: World) -> None:
    (one, verifier_one), (two, verifier_two) = [await world.public.code(world.browser) for _ in range(2)]
    refused(await world.public.exchange(one, verifier_two), "invalid_grant")
    refused(await world.public.exchange(two, verifier_one), "invalid_grant")


@compliance("RFC 6749", "5.2", "what is no code is refused")
@pytest.mark.parametrize("code", ["unknown", "nonsense", "refresh"])
async def test_what_is_no_code(world: World, code: str) -> None:
    text = {"unknown": generate("crm_ac_")[0], "nonsense": "SplxlOBeZQQYbYS6WxSbIA", "refresh": generate("crm_rt_")[0]}[code]
    refused(await world.confidential.exchange(text, pkce()[0]), "invalid_grant")


async def test_a_code_of_somebody_who_was_suspended_meanwhile(world: World) -> None:
    member = await world.member()
    code, verifier = await world.confidential.code(member)
    users = await world.api.all("/v1/users")
    (user,) = [user for user in users if user["email"] == member.email]
    await world.api.ok("POST", f"/v1/users/{user['id']}/suspend")
    refused(await world.confidential.exchange(code, verifier), "invalid_grant")
