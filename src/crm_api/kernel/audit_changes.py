"""Which of a transaction's changes the audit log tells, found where all of them come by: when their events are written.

Told are changes of objects that govern access (`Resource.governs_access`) and of who belongs to groups, changes of the schema, and
purges of any record. Actions are named like the events (`profile.updated`, `schema.updated`, `link.created`), all purges
`records.purged`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from crm_api.db.uow import Uow
from crm_api.kernel.audit import record
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

SCHEMA: Final = "schema"
_TELLING: Final = frozenset({"name", "email", "phone"})
"""Fields of people by which they are known. Their old and new values can be erased."""


def note_record(uow: Uow, resource: AnyResource, verb: str, event: Mapping[str, Any]) -> None:
    """Notes one record's change, if it is one that is told. `event` is the row of its event."""
    if verb == "purged":
        record(uow, "records.purged", object=resource.name, record_id=event["record_id"], details={"version": event["version"]})
        return
    if not resource.governs_access:
        return
    people = bool(resource.access_fields)  # of people only some fields say what they may do
    impersonal: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for name, change in event["changes"].items():
        if not people:
            (personal if _is_personal(resource, name) else impersonal)[name] = change
        elif name in resource.access_fields:
            impersonal[name] = change
        elif name in _TELLING:
            personal[name] = change
    if not (impersonal or personal) and verb == "updated":
        return
    record(
        uow,
        event["type"],
        object=resource.name,
        record_id=event["record_id"],
        details={"changes": impersonal, "version": event["version"]},
        personal={"changes": personal} if personal else None,
    )


def _is_personal(resource: AnyResource, name: str) -> bool:
    field = resource.whole.field_named(name)
    if field is None:
        return False
    if field.definition is not None and field.definition.properties.get("sensitivity", "none") != "none":
        return True
    return field.type in (FieldType.EMAIL, FieldType.PHONE)


def note_plain(uow: Uow, groups: Iterable[str], event: Mapping[str, Any]) -> None:
    """The same for an event that is about no record. `groups` are the relations that let people into groups."""
    changes: Mapping[str, Any] = event["changes"]
    if event["object"] == SCHEMA:
        details = {"changes": changes, "version": event["version"]}
        record(uow, event["type"], object=SCHEMA, record_id=event["record_id"], details=details)
        return
    relation = changes.get("relation")
    if relation is None or not {relation["old"], relation["new"]} & set(groups):
        return
    side = "old" if relation["new"] is None else "new"
    ends = {name: changes[name][side] for name in ("from", "to")}
    group = ends["from"]
    record(uow, event["type"], object=group["object"], record_id=UUID(group["id"]), details={"relation": relation[side], **ends})
