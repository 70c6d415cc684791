"""Single members of lists, changed without races."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import NotFound, ValidationFailed
from crm_api.kernel.members import addresses, delete_member, member_lists, put_member
from crm_api.kernel.writer import Outcome
from tests.kernel.conftest import WRITER, Org, read
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio


async def put(org: Org, name: str, id: str, list_name: str, key: str, **body: Any) -> Outcome:
    async with org.context() as context:
        return await put_member(WRITER, context, REGISTRY[name], UUID(id), list_name, key, body)


async def remove(org: Org, name: str, id: str, list_name: str, key: str) -> Outcome:
    async with org.context() as context:
        return await delete_member(WRITER, context, REGISTRY[name], UUID(id), list_name, key)


def test_which_lists_there_are() -> None:
    assert member_lists(REGISTRY["contacts"]) == ("tags", "emails", "phones", "addresses")
    assert addresses(REGISTRY["accounts"]) == {"billing": "billing_address", "shipping": "shipping_address"}


async def test_tags_put_at_once_all_stay(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada", tags=["a"])
    await asyncio.gather(*(put(org, "contacts", made["id"], "tags", f"t{n}") for n in range(8)))
    record = read(await remove(org, "contacts", made["id"], "tags", "a"))
    assert sorted(record["tags"]) == [f"t{n}" for n in range(8)]
    assert record["version"] == 10
    assert (await put(org, "contacts", made["id"], "tags", "t1")).outcome == "unchanged"
    assert (await remove(org, "contacts", made["id"], "tags", "nope")).outcome == "unchanged"
    with pytest.raises(ValidationFailed):
        await put(org, "contacts", made["id"], "tags", "x" * 61)


async def test_emails(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada")
    record = read(await put(org, "contacts", made["id"], "emails", "a@x.example", type="work"))
    assert (record["email"], record["emails"][0]["is_primary"]) == ("a@x.example", True)
    record = read(await put(org, "contacts", made["id"], "emails", "b@x.example"))
    assert record["emails"][1] == {"address": "b@x.example", "type": None, "is_primary": False}
    record = read(await put(org, "contacts", made["id"], "emails", "B@X.example", is_primary=True))
    assert (record["email"], record["emails"][0]["is_primary"]) == ("b@x.example", False)
    record = read(await remove(org, "contacts", made["id"], "emails", "b@x.example"))
    assert record["email"] == "a@x.example"  # the first of those that are left takes its place
    assert record["emails"] == [{"address": "a@x.example", "type": "work", "is_primary": True}]
    record = read(await remove(org, "contacts", made["id"], "emails", "a@x.example"))
    assert (record["email"], record["emails"]) == (None, [])
    with pytest.raises(ValidationFailed) as caught:
        await put(org, "contacts", made["id"], "emails", "nope")
    assert caught.value.errors[0].pointer == "/emails/0/address"


async def test_phones_and_addresses(org: Org) -> None:
    made = await org.make("accounts", name="Acme", billing_address={"city": "Berlin"})
    record = read(await put(org, "accounts", made["id"], "addresses", "billing", country="DE"))
    assert (record["billing_address"]["city"], record["billing_address"]["country"]) == (None, "DE")
    assert read(await remove(org, "accounts", made["id"], "addresses", "billing"))["billing_address"] is None
    with pytest.raises(NotFound):
        await put(org, "accounts", made["id"], "addresses", "nope", country="DE")
    person = await org.make("contacts", phone="+49 30 1234567")
    await put(org, "contacts", person["id"], "phones", "030/1234567", type="home")
    record = read(await put(org, "contacts", person["id"], "phones", "+49 170 1234567", type="mobile"))
    assert [entry["type"] for entry in record["phones"]] == ["home", "mobile"]
