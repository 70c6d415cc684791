"""Accounts, contacts and leads keep the record contract."""

from typing import Any

from tests.api import Api
from tests.contract.contract import ResourceContract


class TestAccounts(ResourceContract):
    name = "accounts"
    required = ("name",)
    nullable = "industry"
    sort = "name"
    unique = "domain"

    def unique_value(self, number: int) -> str:
        return f"corp{number}.example"


class TestContacts(ResourceContract):
    name = "contacts"
    text = "last_name"
    nullable = "title"
    sort = "last_name"
    unique = "email"

    def unique_value(self, number: int) -> str:
        return f"person{number}@corp.example"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"last_name": f"Zeta {number}", "first_name": "Ada"}


class TestLeads(ResourceContract):
    name = "leads"
    text = "last_name"
    nullable = "company"
    sort = "-last_name"

    async def body(self, api: Api, number: int = 0) -> dict[str, Any]:
        return {"last_name": f"Zeta {number}", "company": "Acme"}
