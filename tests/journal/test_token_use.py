"""`last_used_at` of tokens: written late and seldom, but written."""

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_use_is_written_in_one_go(api: Api) -> None:
    use = api.app.state.services.token_use
    other = await api.with_scopes("accounts:read")
    await other.ok("GET", "/v1/accounts")
    before = {token["name"]: token["last_used_at"] for token in await api.all("/v1/tokens")}
    assert before["narrow"] is None
    await use.write()
    first = {token["name"]: token["last_used_at"] for token in await api.all("/v1/tokens")}
    assert first["narrow"] is not None
    await use.write()
    second = {token["name"]: token["last_used_at"] for token in await api.all("/v1/tokens")}
    assert second["narrow"] == first["narrow"]
    assert any(second[name] > first[name] for name in first if name != "narrow")
    await other.http.aclose()
