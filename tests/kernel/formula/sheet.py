"""Works formulas out on a real record."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.errors import InvalidValue
from crm_api.db.statement import NOW, TODAY, compile_statement
from crm_api.kernel.formula import Computed, FormulaError, compile_formula
from crm_api.models.columns import FieldType
from tests.kernel.conftest import Org
from tests.kernel.objects import REGISTRY

MOMENT = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
DAY = date(2026, 11, 23)
ORG = sa.bindparam("org_id", type_=sa.Uuid())


async def figure(org: Org, computed: Computed, id: str) -> Any:
    """The JSON of a computation for one record."""
    row = computed.resource.table.alias("t")
    query = sa.select(sa.cast(computed.json(row), sa.Text)).where(row.c.org_id == ORG, row.c.id == sa.bindparam("id", type_=sa.Uuid()))
    async with org.context() as context:
        values = {"org_id": org.id, "id": UUID(id), NOW: MOMENT, TODAY: DAY}
        found = await context.uow.fetch_value(compile_statement(query), values)
    return None if found is None else orjson.loads(found)


async def worth(org: Org, name: str, id: str, text: str, returns: str = "text") -> Any:
    """The JSON of a formula for one record."""
    return await figure(org, compile_formula(REGISTRY, REGISTRY[name], text, FieldType(returns)), id)


def refused(name: str, text: str, returns: str = "text") -> InvalidValue:
    """The mistake for which a formula is refused."""
    try:
        compile_formula(REGISTRY, REGISTRY[name], text, FieldType(returns))
    except FormulaError as error:
        return error
    except InvalidValue as error:
        return error
    raise AssertionError(f"{text!r} was accepted")
