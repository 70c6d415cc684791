"""Retention policies keep the contract of records."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.api import Api
from tests.contract.contract import ResourceContract

pytestmark = pytest.mark.anyio


class TestRetentionPolicies(ResourceContract):
    name = "retention_policies"
    change = ("after", "P3Y")
    required = ("name", "applies_to", "date_field", "after")
    invalid: ClassVar[list[tuple[dict[str, Any], str]]] = [
        ({"applies_to": "nonsense"}, "/applies_to"),
        ({"applies_to": "views"}, "/applies_to"),
        ({"applies_to": "consents"}, "/applies_to"),
        ({"date_field": "last_name"}, "/date_field"),
        ({"after": "soon"}, "/after"),
        ({"after": "P0D"}, "/after"),
        ({"action": "burn"}, "/action"),
        ({"filter": {"field": "nonsense", "value": 1}}, "/filter/field"),
        ({"applies_to": "deals", "action": "erase"}, "/action"),
    ]

    async def body(self, api: Api, n: int) -> dict[str, Any]:
        return {"name": f"Old leads {n}", "applies_to": "leads", "date_field": "created_at", "after": "P2Y", "action": "delete"}
