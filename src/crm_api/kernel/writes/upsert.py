"""Upserts: which of the items exist already, by a unique field, an external id or the id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import Deleted, Duplicate, FieldError, InvalidValue, NotFound, RepeatedItem, join_pointer
from crm_api.core.ids import parse_uuid
from crm_api.kernel.context import Context
from crm_api.kernel.fields import to_json
from crm_api.kernel.references import EXTERNAL, Lookup, match_key
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.values import locale_of
from crm_api.kernel.writes.types import Work

ATTEMPTS: Final = 4
CUSTOM: Final = "custom_fields."


async def match(
    context: Context, resource: AnyResource, by: str, bodies: Sequence[Any], values: Sequence[str] | None
) -> tuple[list[tuple[int, UUID | None, str]], list[Work]]:
    """For each body its index, the id of the live record it names (None: there is none) and the key it was looked up by; and
    the items that can't be matched at all, as failed works."""
    locale = locale_of(context)
    lookup = Lookup(context)
    keys: list[tuple[int, str]] = []
    failed: list[Work] = []
    seen: set[str] = set()
    for index, body in enumerate(bodies):
        draft = Draft(context.uow.new_id(), "create", None, {})
        raw = values[index] if values is not None else _value(body, by)
        pointer = join_pointer(*by.split("."))
        try:
            if raw is None:
                raise InvalidValue("required")
            if not isinstance(raw, str):
                raise InvalidValue("type", expected="string")
            if by == "id":
                found = parse_uuid(raw)
                if found is None:
                    raise InvalidValue("invalid_uuid")
                key: Any = found
            else:
                key = match_key(resource, by, raw, locale)
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=pointer))
            failed.append(Work(index, draft))
            continue
        if str(key) in seen:
            draft.problem = RepeatedItem(errors=[FieldError("repeated_item", pointer=pointer)])
            failed.append(Work(index, draft))
            continue
        seen.add(str(key))
        lookup.ask(resource.name, by, key)
        keys.append((index, str(key)))
    await lookup.run()
    return [(index, lookup.id_of(resource.name, by, key), key) for index, key in keys], failed


def _value(body: Any, by: str) -> Any:
    if not isinstance(body, Mapping):
        return None
    if by.startswith(EXTERNAL):
        ids = body.get("external_ids")
        return ids.get(by.removeprefix(EXTERNAL)) if isinstance(ids, Mapping) else None
    if by.startswith(CUSTOM):
        members = body.get("custom_fields")
        return members.get(by.removeprefix(CUSTOM)) if isinstance(members, Mapping) else None
    return body.get(by)


def without_settled(resource: AnyResource, body: Mapping[str, Any], row: Row) -> dict[str, Any]:
    """The body of an upsert as a patch: fields that only a create may set are left out where they say what is stored anyway."""
    patch = {}
    for name, value in body.items():
        field = resource.fields.get(name)
        if field is not None and field.member is not None:
            field = None
        fixed = field is not None and field.spec.writable in ("create", "import")
        if field is not None and fixed and to_json(field, row.get(field.column)) == value:
            continue
        patch[name] = value
    return patch


def overtaken(work: Work, by: str) -> bool:
    """Whether the item failed only because its record came or went after the look-up."""
    problem = work.draft.problem
    if isinstance(problem, Duplicate):
        return work.draft.operation == "create" and all(item.get("field") == by for item in problem.extra["existing"])
    return work.draft.operation == "update" and isinstance(problem, (Deleted, NotFound))
