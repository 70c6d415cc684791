"""An object that an organisation makes keeps the whole contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import SYSTEM_CLOCK
from crm_api.http.app import Application
from crm_api.kernel.catalog import build, load
from crm_api.kernel.resource import AnyResource
from tests.api import Api, new_organization
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio

VESSELS = {
    "api_name": "vessels",
    "singular": "vessel",
    "label": "Vessel",
    "fields": [
        {"api_name": "imo", "type": "text", "unique": True, "required": True, "max_length": 40},
        {"api_name": "length", "type": "number", "indexed": True, "min": 1, "max": 1000},
        {"api_name": "crew", "type": "integer"},
        {"api_name": "price", "type": "currency"},
        {
            "api_name": "flag",
            "type": "picklist",
            "indexed": True,
            "options": [{"key": "pa", "label": "Panama"}, {"key": "lr", "label": "Liberia"}],
        },
        {"api_name": "built", "type": "date", "indexed": True},
        {"api_name": "inspected_at", "type": "datetime"},
        {"api_name": "afloat", "type": "boolean"},
        {"api_name": "contact_email", "type": "email"},
        {"api_name": "account_id", "type": "reference", "target": "accounts", "inverse": "vessels"},
        {"api_name": "number", "type": "autonumber", "prefix": "V-", "padding": 5},
        {"api_name": "ports", "type": "reference", "target": "accounts", "multiple": True, "inverse": "calling_vessels"},
    ],
}


async def _with_vessels(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app) as made:
        made.http.event_hooks = {"response": []}  # the committed description knows no vessels
        await made.ok("POST", "/v1/meta/objects", json=VESSELS, status=201)
        yield made


@pytest.fixture(scope="class")
async def contract_api(app: Application) -> AsyncIterator[Api]:
    """The organisation under test."""
    async for made in _with_vessels(app):
        yield made


@pytest.fixture(scope="class")
async def contract_other(app: Application) -> AsyncIterator[Api]:
    """Another tenant that made an object of the same name."""
    async for made in _with_vessels(app):
        yield made


@pytest.fixture(scope="class")
async def vessels(contract_api: Api) -> AnyResource:
    """The object as the organisation's registry has it."""
    services = contract_api.app.state.services
    async with unit_of_work(services.database, contract_api.org_id, SYSTEM_CLOCK) as uow:
        return build(services.engine.registry, (contract_api.org_id, 0), *await load(uow, contract_api.org_id))["vessels"]


class TestVessels(ResourceContract):
    name = "vessels"
    change = ("length", 366)
    required = ("imo",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"imo": 7}, "/imo"),
        ({"imo": "x" * 41}, "/imo"),
        ({"length": "12"}, "/length"),
        ({"length": True}, "/length"),
        ({"length": 0}, "/length"),
        ({"length": 1001}, "/length"),
        ({"crew": 1.5}, "/crew"),
        ({"price": 12.5}, "/price"),
        ({"price": "12.505"}, "/price"),
        ({"flag": "de"}, "/flag"),
        ({"built": "2026-02-30"}, "/built"),
        ({"inspected_at": "yesterday"}, "/inspected_at"),
        ({"afloat": "no"}, "/afloat"),
        ({"contact_email": "nobody"}, "/contact_email"),
        ({"account_id": "acme"}, "/account_id"),
        ({"account_id": {"by": "domain", "value": "nobody.example"}}, "/account_id"),
        ({"number": "V-1"}, "/number"),
        ({"ports": []}, "/ports"),
        ({"name": ["a"]}, "/name"),
    ]
    made: AnyResource

    @pytest.fixture(autouse=True)
    def _vessels(self, vessels: AnyResource) -> None:
        self.made = vessels

    @property
    def resource(self) -> AnyResource:
        return self.made

    @property
    def shown(self) -> set[str]:
        return super().shown | set(self.made.custom)

    @property
    def changeable(self) -> set[str]:
        return super().changeable | set(self.made.custom)

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {
            "name": f"Emma {n}",
            "imo": f"IMO {n}",
            "length": 397.7,
            "crew": 13,
            "price": "1000000.50",
            "flag": "pa",
            "built": "2006-08-12",
            "inspected_at": "2026-01-02T03:04:05.000000Z",
            "afloat": True,
            "contact_email": "bridge@emma.example",
        }
