"""What a search will cost: PostgreSQL's own plan, told without its statement."""

from __future__ import annotations

from typing import Any

import orjson

from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.query.plan import MAX_CONDITIONS, MAX_DEPTH, And, Condition, Node, Or, Quantified
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.reader import Reader
from crm_api.kernel.resource import AnyResource


async def explain(context: Context, reader: Reader, resource: AnyResource, request: ReadRequest) -> dict[str, Any]:
    """Estimated rows and cost, the indexes used, tables read as a whole, and how much of the filter's limits is used."""
    statement, values = reader.prepared(context, resource, request)
    row = await context.uow.fetch_row(Statement("EXPLAIN (FORMAT JSON) " + statement.sql, statement.names), values)
    assert row is not None
    root = orjson.loads(row[0])[0]["Plan"]
    indexes: list[str] = []
    scans: list[str] = []
    _walk(root, indexes, scans)
    conditions, depth = (0, 0) if request.plan.filter is None else _size(request.plan.filter)
    return {
        "estimated_rows": _page_rows(root),
        "cost": root["Total Cost"],
        "indexes": sorted(set(indexes)),
        "full_scans": sorted(set(scans)),
        "limits": {"conditions": {"used": conditions, "max": MAX_CONDITIONS}, "depth": {"used": depth, "max": MAX_DEPTH}},
    }


def _walk(node: dict[str, Any], indexes: list[str], scans: list[str]) -> None:
    if "Index Name" in node:
        indexes.append(node["Index Name"])
    if node["Node Type"] == "Seq Scan":
        scans.append(node["Relation Name"])
    for child in node.get("Plans", ()):
        _walk(child, indexes, scans)


def _page_rows(node: dict[str, Any]) -> int:
    """The rows below the first LIMIT: what the filter is thought to match, not what a page shows."""
    if node["Node Type"] == "Limit" and node.get("Plans"):
        return int(node["Plans"][0]["Plan Rows"])
    found = [_page_rows(child) for child in node.get("Plans", ())]
    return max(found, default=0)


def _size(node: Node) -> tuple[int, int]:
    """How many conditions a tree has, and how many levels that combine or quantify."""
    if isinstance(node, Condition):
        return 1, 0
    children = node.items if isinstance(node, (And, Or)) else (node.item,)
    sizes = [_size(child) for child in children]
    return sum(count for count, _ in sizes) + isinstance(node, Quantified), 1 + max(depth for _, depth in sizes)
