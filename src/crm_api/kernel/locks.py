"""One writer at a time, for rules that look at several records at once (trees, orders, defaults).

A row of `counters` is the lock, not an advisory lock: it names its organisation like everything else, and ends with the
transaction. Rules take it after the records of the call are locked, so two calls never wait for each other crosswise.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.dialects.postgresql import insert

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.models.events import Counter

ORG: Final = sa.bindparam("org_id", type_=PgUUID(as_uuid=True))


def _raise(by: Any) -> Statement:
    statement = insert(Counter).values(org_id=ORG, name=sa.bindparam("name", type_=sa.Text), value=by)
    raised = statement.on_conflict_do_update(index_elements=["org_id", "name"], set_={"value": Counter.value + by})
    return compile_statement(raised.returning(Counter.value))


_TAKE: Final = _raise(sa.bindparam("by", type_=sa.BigInteger))


async def serialize(context: Context, name: str) -> None:
    """Waits until no other transaction of the organisation holds this name, and holds it until the end of this one."""
    await take_numbers(context, f"lock:{name}", 0)


async def take_numbers(context: Context, name: str, count: int) -> int:
    """Takes `count` numbers of a counter that starts at 1, and returns the first. No number is lost: a rollback gives them back."""
    last = await context.uow.fetch_value(_TAKE, {"org_id": context.uow.org_id, "name": name, "by": count})
    return int(last) - count + 1
