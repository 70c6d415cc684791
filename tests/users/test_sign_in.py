"""Signing in with a password: pages, cookies, what strangers learn, and what stops them."""

from __future__ import annotations

import httpx
import pytest

from tests.users.support import Person, read, send, sign_in

pytestmark = pytest.mark.anyio


async def test_signs_in_and_out(http: httpx.AsyncClient, person: Person) -> None:
    answer = await sign_in(http, person.email)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await http.get("/account")
    assert person.email in read(page).text
    out = await send(http, page)
    assert (out.status_code, out.headers["location"]) == (303, "/login?notice=out")
    assert (await http.get("/account")).headers["location"] == "/login?return_to=%2Faccount"
