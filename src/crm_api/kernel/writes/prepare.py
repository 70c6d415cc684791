"""From bodies to complete rows: shapes, values, references, defaults, the resource's rules, derived columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import ValidationError

from crm_api.core.errors import FieldError, FieldReadOnly, RepeatedItem, join_pointer
from crm_api.kernel.base_amounts import value_in_base
from crm_api.kernel.context import Context
from crm_api.kernel.custom import writing as custom
from crm_api.kernel.mistakes import field_errors
from crm_api.kernel.references import resolve
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.values import Locale, apply, derive, locale_of, refused_fields
from crm_api.kernel.writes.shape import Shape, changed_columns
from crm_api.kernel.writes.types import Work


def read_body(
    context: Context, resource: AnyResource, model: type[BaseModel], body: Any, errors: list[FieldError], *, creating: bool
) -> dict[str, Any]:
    """The values that a body gives, as plain Python values; all its mistakes go into `errors`."""
    if not isinstance(body, Mapping):
        errors.append(FieldError("type", pointer="", params={"expected": "object"}))
        return {}
    refuse_closed(resource, body, errors)
    if errors:
        return {}
    body, own = custom.gather(resource, body)
    refused = refused_fields(resource, context.principal, body, creating=creating)
    if refused:
        errors.extend(refused)
        names = {error.pointer for error in refused}
        body = {name: value for name, value in body.items() if join_pointer(name) not in names}
    try:
        found = model.__pydantic_validator__.validate_python(body)
    except ValidationError as error:
        known = [name for name in model.model_fields if name not in resource.hidden]
        errors.extend(field_errors(error, body, [*known, *(resource.custom if own is not None else ())]))
        return {}
    values = found.__dict__
    given = {name: values[name] for name in found.model_fields_set}
    if own is not None:
        given[custom.COLUMN] = own
    return given


def refuse_closed(resource: AnyResource, body: Mapping[str, Any], errors: list[FieldError]) -> None:
    """Notes fields that the caller doesn't know of. Raises FieldReadOnly for those that the caller may only read."""
    if not resource.hidden and not resource.read_only:
        return
    members = body.get(custom.COLUMN)
    names = [*body, *(f"{custom.COLUMN}.{name}" for name in (members if isinstance(members, Mapping) else ()))]
    closed = [name for name in names if name in resource.read_only]
    if closed:
        raise FieldReadOnly([FieldError("field_read_only", pointer=join_pointer(*name.split("."))) for name in closed])
    known = [*resource.fields, *(() if resource.made is None else resource.custom)]
    own = sorted(str(field.member) for field in resource.custom.values())
    prefix = f"{custom.COLUMN}."
    errors += [
        FieldError("unknown_field", pointer=join_pointer(*name.split(".")), allowed=own if name.startswith(prefix) else known)
        for name in names
        if name in resource.hidden
    ]


def names_given(resource: AnyResource, given: Mapping[str, Any]) -> frozenset[str]:
    """The fields that a body gives, custom ones by their full names."""
    members = given.get(custom.COLUMN)
    return frozenset(given) if not members else frozenset(given) | custom.given_names(resource, members)


def give(context: Context, resource: AnyResource, work: Work, body: Any) -> None:
    """Reads the body of an update into its item."""
    try:
        work.sent = read_body(context, resource, resource.update, body, work.draft.errors, creating=False)
    except FieldReadOnly as problem:
        work.draft.problem = problem
    work.draft.given = names_given(resource, work.sent)


def new_works(context: Context, shape: Shape, resource: AnyResource, bodies: Iterable[tuple[int, Any]]) -> list[Work]:
    """Drafts for records to be made, with defaults and the caller's own values; `resource` is the object as the caller knows it."""
    uow, locale = context.uow, locale_of(context)
    actor = uow.actor.json()
    works = []
    for index, body in bodies:
        errors: list[FieldError] = []
        problem: FieldReadOnly | None = None
        try:
            given = read_body(context, resource, resource.create, body, errors, creating=True)
        except FieldReadOnly as refused:
            given, problem = {}, refused
        row = shape.fresh()
        client_id = isinstance(given.get("id"), UUID)
        record_id = given["id"] if client_id else uow.new_id()
        row.update(id=record_id, version=1, created_at=uow.now, updated_at=uow.now, created_by=actor, updated_by=actor)
        if resource.owner_defaults_to_caller and "owner_id" not in given:
            row["owner_id"] = context.principal.user_id
        draft = Draft(record_id, "create", None, row, names_given(resource, given), errors, problem)
        if not draft.failed:
            apply(shape, locale, draft, given)
        works.append(Work(index, draft, given, client_id=client_id))
    return works


def refuse_repeated(works: Sequence[Work]) -> None:
    """Marks every item but the first that names a record."""
    seen: set[UUID] = set()
    for work in works:
        if work.draft.id in seen and not work.failed:
            work.draft.problem = RepeatedItem(errors=[FieldError("repeated_item", pointer="/id")])
        seen.add(work.draft.id)


async def finish_new(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """References, rules, and what may not be missing."""
    drafts = [work.draft for work in works if not work.failed]
    if shape.custom:
        await custom.finish(context, shape.resource, drafts)
    await resolve(context, shape, drafts)
    drafts = [draft for draft in drafts if not draft.failed]
    if drafts:
        await shape.resource.rules.before_write(context, drafts)
        if shape.twins:
            await value_in_base(context, shape, drafts)
    for draft in drafts:
        for name in shape.not_null:
            if draft.new[name] is None and name != "display_name":
                draft.errors.append(FieldError("required", pointer=join_pointer(name)))


def complete(shape: Shape, locale: Locale, work: Work) -> dict[str, Any]:
    """A new record's stored columns, without nulls."""
    row = work.draft.new
    derived = derive(shape, locale.region, row)
    return {name: value for name, value in (*row.items(), *derived.items()) if value is not None}


async def apply_patches(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """Merges the bodies into the locked rows, and lets the rules see those that change something."""
    locale = locale_of(context)
    for work in works:
        apply(shape, locale, work.draft, work.sent)
    drafts = [work.draft for work in works if not work.failed]
    if shape.custom:
        custom.check_whole(shape.resource, drafts, creating=False)
    await resolve(context, shape, drafts)
    await run_rules(context, shape, works)


async def run_rules(context: Context, shape: Shape, works: Sequence[Work]) -> None:
    """The resource's `before_write` for the drafts that differ from what is stored, then what differs in the end."""
    changed = [
        work.draft
        for work in works
        if not work.failed and work.draft.old is not None and changed_columns(shape, work.draft.old, work.draft.new)
    ]
    if changed:
        await shape.resource.rules.before_write(context, changed)
        if shape.twins:
            await value_in_base(context, shape, changed)
    locale = locale_of(context)
    for work in works:
        draft = work.draft
        if draft.failed or draft.old is None:
            continue
        for name in shape.not_null:
            if draft.new[name] is None:
                draft.errors.append(FieldError("null_not_allowed", pointer=join_pointer(name)))
        if not draft.failed:
            settle(context, shape, locale, work)


def settle(context: Context, shape: Shape, locale: Locale, work: Work) -> None:
    """Notes which columns an update has to write: the changed ones, what follows from them, and the stamps."""
    draft = work.draft
    assert draft.old is not None
    changed = set(changed_columns(shape, draft.old, draft.new))
    if not changed:
        work.changed = frozenset()
        return
    draft.new["display_name"] = draft.old["display_name"]
    work.derived = derive(shape, locale.region, draft.new, changed)
    if draft.new["display_name"] != draft.old["display_name"]:
        changed.add("display_name")
    draft.new["updated_at"] = context.uow.now
    draft.new["updated_by"] = context.uow.actor.json()
    work.changed = frozenset(changed | set(work.derived) | {"version", "updated_at", "updated_by"})
