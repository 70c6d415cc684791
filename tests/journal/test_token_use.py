"""`last_used_at` of tokens: written late and seldom, but written."""

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio


async def last_use(api: Api) -> dict[str, str | None]:
    """By name of the token."""
    return {token["name"]: token["last_used_at"] for token in (await api.ok("GET", "/v1/tokens"))["data"]}


async def test_use_is_written_in_one_go(api: Api) -> None:
    use = api.app.state.services.token_use
    other = await api.with_scopes("accounts:read")
    await other.ok("GET", "/v1/accounts")
    before = await last_use(api)
    assert before["narrow"] is None
    await use.write()
    first = await last_use(api)
    assert first["narrow"] is not None
    await use.write()
    second = await last_use(api)
    assert second["narrow"] == first["narrow"]
    assert any(str(second[name]) > str(first[name]) for name in first if name != "narrow")
    await other.http.aclose()
