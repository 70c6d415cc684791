"""The objects that say who may do what keep the contract."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


class TestProfiles(ResourceContract):
    name = "profiles"
    change = ("description", "For those who sell.")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"permissions": {"contacts": ["fly"]}}, "/permissions/contacts/0"),
        ({"permissions": {"nowhere": ["read"]}}, "/permissions/nowhere"),
        ({"permissions": {"contacts": ["update"]}}, "/permissions/contacts"),
        ({"permissions": {"*": ["update"]}}, "/permissions/*"),
        ({"fields": {"nowhere": {"name": "hidden"}}}, "/fields/nowhere"),
        ({"fields": {"contacts": {"nothing": "hidden"}}}, "/fields/contacts/nothing"),
        ({"fields": {"contacts": {"id": "hidden"}}}, "/fields/contacts/id"),
        ({"fields": {"contacts": {"owner_id": "hidden"}}}, "/fields/contacts/owner_id"),
        ({"fields": {"deals": {"name": "hidden"}}}, "/fields/deals/name"),
        ({"fields": {"deals": {"amount": "secret"}}}, "/fields/deals/amount"),
        ({"permissions": {"*": ["read", "create"]}, "fields": {"tasks": {"subject": "read_only"}}}, "/fields/tasks/subject"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {
            "name": f"Profile {n}",
            "key": f"profile_{n}",
            "permissions": {"*": ["read"]},
            "fields": {"contacts": {"birthdate": "hidden"}},
        }


class TestRoles(ResourceContract):
    name = "roles"
    change = ("description", "Leads a team.")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [({"name": ""}, "/name"), ({"parent_id": "seven"}, "/parent_id")]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Role {n}"}


class TestTeams(ResourceContract):
    name = "teams"
    change = ("description", "Looks after the largest customers.")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [({"name": ""}, "/name"), ({"description": 7}, "/description")]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Team {n}"}


class TestSharingRules(ResourceContract):
    name = "sharing_rules"
    change = ("access", "write")
    required = ("name", "applies_to", "share_with")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "nowhere"}, "/applies_to"),
        ({"applies_to": "roles"}, "/applies_to"),
        ({"criteria": None}, "/owned_by"),
        ({"owned_by": {"type": "user", "id": str(uuid4())}}, "/criteria"),
        ({"criteria": None, "owned_by": {"type": "team", "id": str(uuid4())}}, "/owned_by/id"),
        ({"share_with": {"type": "role", "id": str(uuid4())}}, "/share_with/id"),
        ({"share_with": {"type": "planet", "id": str(uuid4())}}, "/share_with/type"),
        ({"criteria": {"field": "nothing", "value": "x"}}, "/criteria/field"),
        ({"criteria": {"field": "account.name", "value": "x"}}, "/criteria"),
        ({"criteria": {"field": "created_at", "op": "older_than", "value": "P1D"}}, "/criteria"),
        ({"access": "full"}, "/access"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {
            "name": f"Rule {n}",
            "applies_to": "contacts",
            "criteria": {"field": "address.city", "value": "Berlin"},
            "share_with": {"type": "user", "id": str(api.user_id)},
        }


class TestRestrictionRules(ResourceContract):
    name = "restriction_rules"
    change = ("is_active", False)
    required = ("name", "applies_to", "restricts")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "nowhere"}, "/applies_to"),
        ({"restricts": [{"type": "profile", "id": str(uuid4())}]}, "/restricts/0/id"),
        ({"criteria": {"field": "nothing", "value": "x"}}, "/criteria/field"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        [profile] = [one for one in await api.all("/v1/profiles") if one["key"] == "standard"]
        return {
            "name": f"Rule {n}",
            "applies_to": "contacts",
            "restricts": [{"type": "profile", "id": profile["id"]}],
            "criteria": {"field": "lifecycle_stage", "value": "lead"},
        }


class TestTerritories(ResourceContract):
    name = "territories"
    change = ("access", "write")
    required = ("name",)
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"rules": {"nowhere": {"field": "name", "value": "x"}}}, "/rules/nowhere"),
        ({"rules": {"accounts": {"field": "nothing", "value": "x"}}}, "/rules/accounts/field"),
        ({"parent_id": "seven"}, "/parent_id"),
        ({"access": "full"}, "/access"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Territory {n}", "rules": {"accounts": {"field": "billing_address.country", "value": "DE"}}}
