"""What is different between two versions of an organisation's schema, from the snapshots that every change leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from crm_api.core.errors import NotFound
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context

EMPTY: Final[Mapping[str, Any]] = {"objects": {}, "fields": {}}
_LOAD: Final = Statement(
    "SELECT v.version, v.changed_at, v.schema FROM schema_versions v WHERE v.org_id = $1 AND v.version = ANY($2::bigint[])",
    ("org_id", "versions"),
)
_OLDEST: Final = Statement("SELECT min(v.version) AS oldest FROM schema_versions v WHERE v.org_id = $1", ("org_id",))


async def between(context: Context, earlier: int, later: int | None) -> dict[str, Any]:
    """The differences that the caller may see. Raises NotFound for a version that isn't kept or doesn't exist yet."""
    uow, present = context.uow, context.principal.organization.schema_version
    wanted = present if later is None else later
    rows = await uow.fetch(_LOAD, {"org_id": uow.org_id, "versions": [earlier, wanted]})
    found = {row["version"]: orjson.loads(row["schema"]) for row in rows}
    if {earlier, wanted} - found.keys():
        oldest: int | None = await uow.fetch_value(_OLDEST, {"org_id": uow.org_id})
        for version in (earlier, wanted):
            # An organisation begins without anything of its own; the first change leaves version 2.
            if version in found:
                continue
            if (version == 1 and oldest in (None, 2)) or (version == present and oldest is None):
                found[version] = EMPTY
            else:
                raise NotFound(f"Version {version} of the schema is not kept.")
    changes = [change for change in _changes(found[earlier], found[wanted]) if context.principal.may(change["object"], "read")]
    return {"from": earlier, "to": wanted, "changes": changes}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in ("objects", "fields"):
        before, after = old.get(kind, {}), new.get(kind, {})
        for name in sorted({*before, *after}):
            was, now = before.get(name), after.get(name)
            if was == now:
                continue
            object_name, _, field_name = name.partition(".")
            yield {
                "kind": kind.removesuffix("s"),
                "object": object_name,
                "field": field_name or None,
                "change": _word(was, now),
                "members": _members(was or {}, now or {}),
            }


def _word(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    gone, there = was is None or was.get("archived", False), now is not None and not now.get("archived", False)
    if gone and there:
        return "added"
    return "changed" if there or (now is not None and gone) else "removed"


def _members(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"old": was.get(name), "new": now.get(name)} for name in sorted({*was, *now}) if was.get(name) != now.get(name)}


__all__ = ["between"]
