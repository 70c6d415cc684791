"""Named consumers of the journal that apps keep: their own, and for each user who has let them in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oauth.conftest import World
from tests.oauth.support import App, Browser, register

pytestmark = pytest.mark.anyio


async def consumers(world: World, token: str, method: str = "GET", path: str = "", **more: Any) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {token}"}
    answer = await world.http.request(method, f"/v1/event_consumers{path}", headers=headers, **more)
    return answer.status_code, answer.json() if answer.content else None


async def test_an_app_sees_only_its_own(world: World) -> None:
    first, second = [await register(world.api, world.http, scopes=["events:read", "contacts:read"]) for _ in range(2)]

    async def token(app: App, browser: Browser) -> str:
        return str((await app.tokens(browser, scope="events:read contacts:read"))["access_token"])

    member = await world.member()
    tokens = [await token(first, world.browser), await token(second, world.browser), await token(first, member)]
    for text in tokens:
        status, made = await consumers(world, text, "POST", "/mirror/seek", json={"cursor": "oldest"})
        assert status == 200, made
    await world.api.ok("POST", "/v1/event_consumers/mirror/seek", json={"cursor": "oldest"})
    status, moved = await consumers(world, tokens[0], "POST", "/mirror/seek", json={"cursor": "now"})
    assert (status, moved["app_id"], moved["user_id"]) == (200, first.id, str(world.api.user_id))
    for text, app in zip(tokens, (first, second, first), strict=True):
        status, listed = await consumers(world, text)
        assert [one["app_id"] for one in listed["data"]] == [app.id]
    others = [(await consumers(world, text, path="/mirror"))[1]["cursor"] for text in tokens[1:]]
    others.append((await world.api.ok("GET", "/v1/event_consumers/mirror"))["cursor"])
    assert moved["cursor"] not in others
    # an app is no administrator, not even for its user's own
    status, _ = await consumers(world, tokens[0], "DELETE", "/mirror", params={"user_id": str(world.api.user_id)})
    assert status == 403
    everyone = (await world.api.ok("GET", "/v1/event_consumers", params={"everyone": "true"}))["data"]
    assert len(everyone) == 4
    # the same app, the same user, another token: the same place
    again = await token(first, world.browser)
    assert (await consumers(world, again, path="/mirror"))[1]["cursor"] == moved["cursor"]
    whose = {"user_id": str(world.api.user_id), "app_id": second.id}
    await world.api.ok("DELETE", "/v1/event_consumers/mirror", params=whose, status=204)
    assert (await consumers(world, tokens[1], path="/mirror"))[0] == 404
