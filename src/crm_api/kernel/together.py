"""Several lists in one statement, for pages that are put together from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

from crm_api.core.errors import TooExpensive
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.query.plan import ANY_SORT_ROWS
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.reader import MAX_ANSWER, Reader
from crm_api.kernel.resource import AnyResource

_PLACE: Final = re.compile(r"\$(\d+)")


async def read_together(
    context: Context, reader: Reader, asked: Sequence[tuple[AnyResource, ReadRequest]]
) -> list[list[dict[str, Any]] | None]:
    """The first page of each list, without cursors; None for one that asks for an order which is not possible for so many records.

    The lists must not expand others. Raises TooExpensive for too long an answer.
    """
    if not asked:
        return []
    parts: list[str] = []
    names: list[str] = []
    values: dict[str, Any] = {}
    for index, (resource, request) in enumerate(asked):
        statement, arguments = reader.prepared(context, resource, request)
        offset = len(names)
        sql = _PLACE.sub(lambda found, by=offset: f"${int(found.group(1)) + by}", statement.sql)  # type: ignore[misc]  # mypy doesn't see the default
        few = "x.few" if request.plan.guarded else "0"
        parts.append(f"SELECT {index} AS n, x.data AS data, {few} AS few FROM ({sql}) AS x")
        names += [f"{index}.{name}" for name in statement.names]
        values.update({f"{index}.{name}": arguments[name] for name in statement.names})
    rows = await context.uow.fetch(Statement(" UNION ALL ".join(parts), tuple(names)), values)
    found: list[list[dict[str, Any]] | None] = [[] for _ in asked]
    size = 0
    for row in rows:
        records = (row["data"] or [])[: asked[row["n"]][1].plan.limit]
        size += sum(map(len, records))
        found[row["n"]] = None if row["few"] > ANY_SORT_ROWS else [orjson.loads(record) for record in records]
    if size > MAX_ANSWER:
        raise TooExpensive("answer_bytes", MAX_ANSWER, size)
    return found
