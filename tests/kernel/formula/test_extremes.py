"""The largest and the smallest numbers that a field can hold, in formulas as long as they may be."""

from __future__ import annotations

from uuid import UUID

import pytest

from crm_api.db.uow import unit_of_work
from crm_api.kernel.catalog import build
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.writes.computed import values_of
from crm_api.kernel.writes.shape import Shape
from crm_api.models.columns import FieldType
from tests.kernel.conftest import CLOCK, STATEMENTS, Org
from tests.kernel.formula.test_graph import formula
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio

LONG = {
    "product": "*".join(["custom_fields.h"] * 180),
    "mixed": "*".join(["custom_fields.h", "custom_fields.t"] * 90),
    "tiny": "*".join(["custom_fields.t"] * 180),
    "quotients": "/".join(["custom_fields.h", *["custom_fields.t"] * 28]),
    "small_quotients": "/".join(["custom_fields.t", *["custom_fields.h"] * 28]),
    "rest": "custom_fields.h * custom_fields.h % custom_fields.t",
    "rounded": "round(custom_fields.t, 15) + round(custom_fields.h, 15)",
    "days": "day(date(2026, 1, 1) + custom_fields.t) + hour(add_hours(created_at, custom_fields.t))",
    "beyond": "day(date(2026, 1, 1) + custom_fields.h)",
    "texts": "len(text(custom_fields.h) & text(custom_fields.t))",
    "parts": "len(left('abc', custom_fields.h) & substring('abc', custom_fields.t, custom_fields.h))",
}
WORTH = {
    "product": None, "mixed": 0, "tiny": 0, "quotients": None, "small_quotients": 0, "rest": 0, "rounded": None, "days": 4, "beyond": None,
    "parts": 6,
}  # fmt: skip


async def test_numbers_at_the_ends_of_their_range(org: Org) -> None:
    fields = [formula(f"accounts.{name}", text, "number") for name, text in LONG.items()]
    for name in ("h", "t"):
        fields.append(CustomField(UUID(int=ord(name)), "accounts", name, name, FieldType.NUMBER))
    registry = build(REGISTRY, (UUID(int=7), 1), [], fields)
    assert registry.computations is not None
    own = registry.computations.stored["accounts"]
    assert len(own) == len(LONG)
    shape = Shape(registry["accounts"])
    async with unit_of_work(org.database, org.id, CLOCK) as uow:
        context = Context(org.principal, uow, registry, STATEMENTS)
        row = {**shape.fresh(), "id": uow.new_id(), "created_at": uow.now.replace(hour=3, minute=0)}
        row["custom_fields"] = {"h": 1.7e308, "t": 5e-324}
        found = (await values_of(context, shape, own, [row]))[row["id"]]
    assert found["texts"] > 600
    assert {name: found[name] for name in WORTH} == WORTH
