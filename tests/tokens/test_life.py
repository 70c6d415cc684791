"""How tokens come in, from where, for how long, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import httpx
import pytest

from crm_api.core.clock import SystemClock, format_timestamp
from crm_api.core.ids import uuid7
from crm_api.core.tokens import generate, token_hash
from crm_api.flows.organizations import system_context
from crm_api.http.app import Application, create_app
from tests.api import Api, unchecked
from tests.tokens.conftest import Caller

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()


async def _make(api: Api, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = await api.ok("POST", "/v1/tokens", json={"name": "made", "scopes": ["contacts:read"], **body}, status=201)
    return made


async def _status(api: Api, token: str) -> tuple[int, str | None]:
    async with unchecked(api.app, token) as http:
        answer = await http.get("/v1/contacts")
    return answer.status_code, answer.json().get("code")


# --- what is no token ------------------------------------------------------------------------------------------------


async def test_what_is_not_let_in(api: Api) -> None:
    unknown, _ = generate("crm_pat_")
    cases = {
        "cut off": (api.token[:-1], (401, "token_invalid")),
        "longer": (api.token + "0", (401, "token_invalid")),
        "another check": (api.token[:-1] + ("0" if api.token[-1] != "0" else "1"), (401, "token_invalid")),
        "another case": (api.token.swapcase(), (401, "token_invalid")),
        "well-formed but unknown": (unknown, (401, "token_invalid")),
        "a client secret": (generate("crm_cs_")[0], (401, "token_invalid")),
        "a refresh token": (generate("crm_rt_")[0], (401, "token_invalid")),
        "nothing": ("", (401, "token_invalid")),
        "not ASCII": ("crm_pat_é", (401, "token_invalid")),
        "its hash": (token_hash(api.token).hex(), (401, "token_invalid")),
    }
    for name, (token, expected) in cases.items():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url="http://testserver") as http:
            answer = await http.get("/v1/contacts", headers=[(b"authorization", b"Bearer " + token.encode("latin-1"))])
            assert (answer.status_code, answer.json()["code"]) in (expected, (401, "token_missing")), name
            assert 'error="invalid_token"' in answer.headers["www-authenticate"] or answer.json()["code"] == "token_missing"
            assert len(token) < 20 or token not in answer.text


async def test_where_a_token_stands(api: Api) -> None:
    good = f"Bearer {api.token}".encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url="http://testserver") as http:

        async def get(*headers: tuple[bytes, bytes], path: str = "/v1/contacts") -> tuple[int, str | None]:
            answer = await http.get(path, headers=list(headers))
            return answer.status_code, answer.json().get("code")

        assert await get((b"authorization", good)) == (200, None)
        assert await get((b"authorization", b"BEARER " + api.token.encode())) == (200, None)  # RFC 9110 11.1: schemes ignore case
        assert await get() == (401, "token_missing")
        assert await get((b"authorization", api.token.encode())) == (401, "token_missing")
        assert await get((b"authorization", b"Basic " + api.token.encode())) == (401, "token_missing")
        assert await get((b"authorization", good), (b"authorization", good)) == (400, "bad_request")
        assert await get(path=f"/v1/contacts?access_token={api.token}") == (401, "token_missing")
        assert await get((b"authorization", good), path=f"/v1/contacts?access_token={api.token}") == (400, "unknown_parameter")
        assert await get((b"cookie", b"access_token=" + api.token.encode())) == (401, "token_missing")
        answer = await http.post("/v1/contacts", data={"access_token": api.token})
        assert answer.status_code == 401


# --- time ------------------------------------------------------------------------------------------------------------


async def test_a_token_ends_in_time(api: Api) -> None:
    made = await _make(api, expires_at=format_timestamp(CLOCK.now() + timedelta(seconds=2)))
    assert await _status(api, made["token"]) == (200, None)
    await asyncio.sleep(2.2)
    assert await _status(api, made["token"]) == (401, "token_expired")
    await api.fails("POST", f"/v1/tokens/{made['id']}/secret/rotate", 409, "conflict", json={})


async def test_a_revoked_token_dies_at_once(api: Api) -> None:
    made = await _make(api)
    rotated = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 600})
    assert [await _status(api, secret) for secret in (made["token"], rotated["secret"])] == [(200, None)] * 2
    ended = await api.ok("DELETE", f"/v1/tokens/{made['id']}")
    assert ended["revoked_at"] is not None
    assert [await _status(api, secret) for secret in (made["token"], rotated["secret"])] == [(401, "token_revoked")] * 2
    assert (await api.ok("DELETE", f"/v1/tokens/{made['id']}"))["revoked_at"] == ended["revoked_at"]
    await api.fails("POST", f"/v1/tokens/{made['id']}/secret/rotate", 409, "conflict", json={})


async def test_last_used_at(api: Api) -> None:
    made = await _make(api)
    assert made["last_used_at"] is None
    before = format_timestamp(CLOCK.now())
    assert await _status(api, made["token"]) == (200, None)
    await api.app.state.services.token_use.write()
    first = (await api.ok("GET", f"/v1/tokens/{made['id']}"))["last_used_at"]
    assert before <= first <= format_timestamp(CLOCK.now())
    await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 60})
    assert (await api.ok("GET", f"/v1/tokens/{made['id']}"))["last_used_at"] == first  # of any of its secrets
    assert await _status(api, made["token"]) == (200, None)
    await api.app.state.services.token_use.write()
    assert (await api.ok("GET", f"/v1/tokens/{made['id']}"))["last_used_at"] > first


# --- rotation --------------------------------------------------------------------------------------------------------


async def test_rotation_with_overlap(api: Api) -> None:
    made = await _make(api, ip_allow_list=["127.0.0.0/8"], fields={"contacts": ["email"]})
    for wrong in (-1, 604_801, 1.5, "60"):
        problem = await api.fails("POST", f"/v1/tokens/{made['id']}/secret/rotate", 422, "validation_failed", json={"grace_seconds": wrong})
        assert problem["errors"][0]["pointer"] == "/grace_seconds"
    first = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 604_800})
    kept = ("id", "name", "kind", "scopes", "fields", "ip_allow_list", "user_id", "maker_id", "expires_at")
    assert {name: first[name] for name in kept} == {name: made[name] for name in kept}
    assert first["prefix"] != made["prefix"]
    assert "token" not in first
    assert [await _status(api, secret) for secret in (made["token"], first["secret"])] == [(200, None)] * 2
    # Never more than two: the one before the last ends at once.
    second = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 60})
    assert await _status(api, made["token"]) == (401, "token_expired")
    assert [await _status(api, secret) for secret in (first["secret"], second["secret"])] == [(200, None)] * 2
    third = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={})
    assert [await _status(api, secret) for secret in (first["secret"], second["secret"])] == [(401, "token_expired")] * 2
    assert await _status(api, third["secret"]) == (200, None)
    assert len([one for one in (await api.ok("GET", "/v1/tokens"))["data"] if one["id"] == made["id"]]) == 1


async def test_an_overlap_prolongs_nothing(api: Api) -> None:
    until = format_timestamp(CLOCK.now() + timedelta(seconds=3))
    made = await _make(api, expires_at=until)
    rotated = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 604_800})
    assert rotated["expires_at"] == until
    await asyncio.sleep(3.1)
    assert [await _status(api, secret) for secret in (made["token"], rotated["secret"])] == [(401, "token_expired")] * 2


@pytest.mark.parametrize(("grace", "alive"), [(0, 1), (3600, 2)])
async def test_twenty_rotations_at_once(api: Api, grace: int, alive: int) -> None:
    made = await _make(api)
    path = f"/v1/tokens/{made['id']}/secret/rotate"
    answers = await asyncio.gather(*(api.http.post(path, json={"grace_seconds": grace}) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    secrets = [answer.json()["secret"] for answer in answers]
    assert len({*secrets, made["token"]}) == 21
    found = [await _status(api, secret) for secret in (made["token"], *secrets)]
    assert found.count((200, None)) == alive
    assert found.count((401, "token_expired")) == 21 - alive
    # Who was last is what the list says.
    listed = await api.ok("GET", f"/v1/tokens/{made['id']}")
    [last] = [answer.json() for answer in answers if answer.json()["prefix"] == listed["prefix"]]
    assert await _status(api, last["secret"]) == (200, None)


# --- where from ------------------------------------------------------------------------------------------------------


async def _from(app: Application, token: str, address: str | None, **headers: str) -> tuple[int, str | None]:
    client: Any = None if address is None else (address, 4711)
    transport = httpx.ASGITransport(app=app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        answer = await http.get("/v1/contacts", headers={"authorization": f"Bearer {token}", **headers})
    assert "www-authenticate" not in answer.headers or answer.status_code == 401
    assert "203.0.113" not in answer.text
    return answer.status_code, answer.json().get("code")


async def test_networks(api: Api) -> None:
    token = (await _make(api, ip_allow_list=["203.0.113.0/24", "2001:db8::/32"]))["token"]
    for address in ("203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"):
        assert await _from(api.app, token, address) == (200, None), address
    for address in ("203.0.114.7", "127.0.0.1", "2001:db9::7", "::1", "elsewhere", ""):
        assert await _from(api.app, token, address) == (403, "ip_not_allowed"), address
    # No proxy is trusted, so nobody is believed.
    assert await _from(api.app, token, "198.51.100.1", **{"x-forwarded-for": "203.0.113.7"}) == (403, "ip_not_allowed")
    assert await _from(api.app, token, "203.0.113.7", **{"x-forwarded-for": "198.51.100.1"}) == (200, None)


async def test_a_refused_use_is_none(api: Api) -> None:
    made = await _make(api, ip_allow_list=["203.0.113.0/24"])
    assert await _from(api.app, made["token"], "198.51.100.1") == (403, "ip_not_allowed")
    await api.app.state.services.token_use.write()
    assert (await api.ok("GET", f"/v1/tokens/{made['id']}"))["last_used_at"] is None
    # Somebody else may have it, so it is told.
    told = (await api.ok("GET", "/v1/audit", params={"action": "access.denied"}))["data"]
    assert [(entry["details"]["code"], entry["details"]["route"]) for entry in told] == [("ip_not_allowed", "/v1/contacts")]


@asynccontextmanager
async def _behind(app: Application, *networks: str) -> AsyncIterator[Application]:
    settings = app.state.services.settings.model_copy(update={"trusted_proxies": tuple(map(ip_network, networks))})
    other = create_app(settings)
    assert isinstance(other, Application)
    async with other.router.lifespan_context(other):
        yield other


async def test_networks_behind_proxies(api: Api) -> None:
    token = (await _make(api, ip_allow_list=["203.0.113.0/24"]))["token"]
    async with _behind(api.app, "10.0.0.0/8") as app:
        forwarded = "x-forwarded-for"
        assert await _from(app, token, "10.0.0.1", **{forwarded: "203.0.113.7"}) == (200, None)
        assert await _from(app, token, "10.0.0.1", **{forwarded: "203.0.113.7, 10.1.2.3"}) == (200, None)
        assert await _from(app, token, "10.0.0.1", **{forwarded: "203.0.113.7, 198.51.100.1"}) == (403, "ip_not_allowed")
        assert await _from(app, token, "10.0.0.1", **{forwarded: "203.0.113.7, nonsense"}) == (403, "ip_not_allowed")
        assert await _from(app, token, "10.0.0.1") == (403, "ip_not_allowed")
        assert await _from(app, token, "198.51.100.1", **{forwarded: "203.0.113.7"}) == (403, "ip_not_allowed")
        assert await _from(app, token, None) == (403, "ip_not_allowed")


async def test_streams_are_held_to_networks(api: Api) -> None:
    token = (await _make(api, scopes=["*:read"], ip_allow_list=["203.0.113.0/24"]))["token"]
    async with unchecked(api.app, token) as http:
        for path in ("/v1/events", "/v1/events/stream", "/v1/me"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "ip_not_allowed"), path


# --- found somewhere -------------------------------------------------------------------------------------------------


async def _report(api: Api, text: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url="http://testserver") as http:
        return await http.post("/v1/tokens/revoke", json={"token": text})


async def test_whoever_finds_a_token_ends_it(api: Api, caller: Caller) -> None:
    made = await _make(api)
    rotated = await api.ok("POST", f"/v1/tokens/{made['id']}/secret/rotate", json={"grace_seconds": 600})
    for _ in range(2):
        answer = await _report(api, made["token"])
        assert (answer.status_code, answer.json()) == (200, {"revoked": True})
        assert made["token"] not in answer.text
    assert await _status(api, made["token"]) == (401, "token_revoked")
    assert await _status(api, rotated["secret"]) == (200, None)
    for unknown in (generate("crm_pat_")[0], made["token"][:-1], "x", generate("crm_cs_")[0]):
        assert (await _report(api, unknown)).json() == {"revoked": False}
    told = (await api.ok("GET", "/v1/audit", params={"action": "token.leak_reported"}))["data"]
    assert [entry["record_id"] for entry in told] == [made["id"]]
    assert made["token"] not in str(told)


async def test_a_reported_refresh_token_ends_all_that_came_from_it(api: Api) -> None:
    grant_id, app_id, now = uuid7(CLOCK), uuid7(CLOCK), CLOCK.now()
    access, refresh = generate("crm_at_"), generate("crm_rt_")
    async with system_context(api.app.state.services.database, api.org_id, user_id=api.user_id) as context:
        run = context.uow.connection.driver.execute
        await run(
            "INSERT INTO oauth_grants (org_id, id, app_id, user_id, kind, scopes, created_at)"
            " VALUES ($1, $2, $3, $4, 'user', '{*:read}', $5)",
            *(api.org_id, grant_id, app_id, api.user_id, now),
        )
        for (_, hash_), kind in ((access, "at"), (refresh, "rt")):
            await run(
                "INSERT INTO tokens (hash, id, org_id, user_id, kind, name, prefix, scopes, app_id, created_at, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, 'App', 'x', '{*:read}', $6, $7, $8)",
                *(hash_, grant_id, api.org_id, api.user_id, kind, app_id, now, now + timedelta(hours=1)),
            )
    assert await _status(api, access[0]) == (200, None)
    assert (await _report(api, refresh[0])).json() == {"revoked": True}
    assert await _status(api, access[0]) == (401, "token_revoked")


async def test_a_report_is_no_part_of_a_composite(api: Api) -> None:
    named = await api.make("accounts", name="revoke")
    for path in ("/v1/tokens/revoke", "/v1/tokens/$a.name"):
        operations = [
            {"ref": "a", "method": "GET", "path": f"/v1/accounts/{named['id']}"},
            {"method": "POST", "path": path, "body": {"token": api.token}},
        ]
        answer = await api.http.post("/v1/composite", json={"operations": operations, "dry_run": True})
        assert answer.status_code in (404, 422), answer.text
    assert await _status(api, api.token) == (200, None)


async def test_a_report_needs_the_whole_token(api: Api) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url="http://testserver") as http:
        for body in ({}, {"token": ""}, {"token": "x" * 201}, {"token": 1}, {"token": api.token, "why": "x"}):
            answer = await http.post("/v1/tokens/revoke", json=body)
            assert answer.status_code == 422, answer.text
            assert api.token not in answer.text
        assert (await http.get("/v1/tokens/revoke")).status_code in (401, 405)
    assert await _status(api, api.token) == (200, None)


# --- secrets shown once ----------------------------------------------------------------------------------------------


async def test_no_answer_shows_a_secret_twice(api: Api) -> None:
    body = {"name": "once", "scopes": ["contacts:read"]}
    first = await api.http.post("/v1/tokens", json=body, headers={"idempotency-key": "once"})
    again = await api.http.post("/v1/tokens", json=body, headers={"idempotency-key": "once"})
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json()["id"], again.json()["token"]) == (first.json()["id"], None)
    assert first.headers["cache-control"] == "no-store"
    assert "x-once-shown" not in first.headers
    operations = {"operations": [{"ref": "a", "method": "POST", "path": "/v1/tokens", "body": body}]}
    composite = await api.http.post("/v1/composite", json=operations, headers={"idempotency-key": "both"})
    secret = composite.json()["results"][0]["body"]["token"]
    assert secret.startswith("crm_pat_")
    repeated = await api.http.post("/v1/composite", json=operations, headers={"idempotency-key": "both"})
    assert secret not in repeated.text
    seen = [repeated.text]
    for path in ("/v1/tokens", f"/v1/tokens/{first.json()['id']}", "/v1/audit", "/v1/events", "/v1/config/export"):
        seen.append((await api.http.get(path)).text)
    for one in (secret, first.json()["token"]):
        assert one not in "".join(seen)
    async with api.app.state.services.database.connection() as connection:
        found = await connection.driver.fetchval("SELECT count(*) FROM tokens WHERE id = $1", UUID(first.json()["id"]))
    assert found == 1
