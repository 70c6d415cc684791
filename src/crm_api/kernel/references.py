"""What the values of a call point to, asked in one statement: records by id or by a unique value, keys of picklists.

Everything is looked up in the caller's organisation and among live records only, so the id of another tenant's record is as
unknown as one that never was. What a write refers to is locked against deletes as it is looked up (`FOR KEY SHARE`, which
only the `FOR UPDATE` of deletes and merges excludes): either the delete waits and then sees the new child, or the child's
write waits and then finds its parent gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import FieldError, InvalidValue, join_pointer
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.policy import Policy
from crm_api.kernel.resource import AnyResource, Draft
from crm_api.kernel.values import Locale, key_of, locale_of, normal_form
from crm_api.kernel.writes.shape import Shape
from crm_api.kernel.writes.statements import EXTERNAL_IDS, ORG

EXTERNAL = "external_ids."
Need = tuple[str, str]
"""An object, and how it is looked up: `id`, a unique field, `external_ids.<system>`, or `*` for all keys of a picklist."""


class Lookup:
    """Questions collected from any number of records, then answered together.

    With `hold` the records that are found can't be deleted before the transaction ends. With `reach` a record that the caller may not
    see is as unknown as one that isn't there.
    """

    def __init__(self, context: Context, *, hold: bool = False, reach: bool = False) -> None:
        self._context = context
        self._hold = hold
        self._policy = context.policy if reach else None
        self._asked: dict[Need, set[Any]] = {}
        self._found: dict[Need, dict[str, UUID]] = {}
        self._order: dict[str, list[str]] = {}

    def ask(self, object_name: str, by: str, value: Any) -> None:
        """Notes a question; `value` is an id, a key as `key_of` makes it, or an external id."""
        self._asked.setdefault((object_name, by), set()).add(value)

    async def run(self) -> None:
        """Answers all questions with one statement (none, if nothing was asked)."""
        if not self._asked:
            return
        needs = tuple(sorted(self._asked))
        registry, policy = self._context.whole, self._policy
        shape = tuple((registry[name].key, EXTERNAL if by.startswith(EXTERNAL) else by) for name, by in needs)
        key = ("lookup", self._hold, shape, None if policy is None else (policy.shape, registry.key))
        statement = self._context.statements.get(key, lambda: _statement(self._context, needs, self._hold, policy))
        values: dict[str, Any] = {"org_id": self._context.uow.org_id, **({} if policy is None else policy.values)}
        for index, need in enumerate(needs):
            if need[1] != "*":
                values[f"v{index}"] = list(self._asked[need])
            if need[1].startswith(EXTERNAL):
                values[f"o{index}"], values[f"s{index}"] = need[0], need[1].removeprefix(EXTERNAL)
            self._found[need] = {}
        for number, value, found in await self._context.uow.fetch(statement, values):
            need = needs[number]
            self._found[need][value] = found
            if need[1] == "*":
                self._order.setdefault(need[0], []).append(value)
        self._asked.clear()

    def id_of(self, object_name: str, by: str, value: Any) -> UUID | None:
        """The live record that was asked for, or None."""
        return self._found.get((object_name, by), {}).get(str(value))

    def keys(self, object_name: str) -> list[str]:
        """The live keys of a picklist's object, in order."""
        return self._order.get(object_name, [])


def _statement(context: Context, needs: Sequence[Need], hold: bool, policy: Policy | None) -> Statement:
    parts = [_part(context.whole[name], by, index, hold, policy) for index, (name, by) in enumerate(needs)]
    return compile_statement(sa.union_all(*parts) if len(parts) > 1 else parts[0])


def _part(resource: AnyResource, by: str, index: int, hold: bool, policy: Policy | None) -> sa.Select[Any]:
    number: sa.Label[int] = sa.literal_column(str(index)).label("number")
    table = resource.table
    live = [table.c.org_id == ORG, table.c.deleted_at.is_(None), *resource.scope(table)]
    if resource.name == "users" and hold:  # nobody can be given work who can't sign in; looking them up is something else
        live.append(table.c.status == sa.literal_column("'active'"))
    seen = None if policy is None or by == "*" else policy.predicate(resource, table)
    if seen is not None:
        live.append(seen)
    if by == "*":
        listed = (
            sa.select(table.c.key.label("value"), table.c.id.label("id")).where(*live).order_by(table.c.position, table.c.id).subquery()
        )
        return sa.select(number, listed.c.value, listed.c.id)
    hold = hold and "delete" in resource.verbs
    if by == "id":
        wanted_ids = sa.bindparam(f"v{index}", type_=ARRAY(PgUUID(as_uuid=True)))
        found = sa.select(sa.cast(table.c.id, sa.Text).label("value"), table.c.id).where(*live, table.c.id == sa.any_(wanted_ids))
        return _held(number, found, table, hold)
    wanted = sa.bindparam(f"v{index}", type_=ARRAY(sa.Text))
    if by.startswith(EXTERNAL):
        ids = EXTERNAL_IDS
        found = sa.select(ids.c.value, ids.c.record_id.label("id")).where(
            ids.c.org_id == ORG,
            ids.c.object == sa.bindparam(f"o{index}", type_=sa.Text),
            ids.c.system == sa.bindparam(f"s{index}", type_=sa.Text),
            ids.c.value == sa.any_(wanted),
        )
        if hold or seen is not None:
            found = found.where(*live, table.c.id == ids.c.record_id)
        return _held(number, found, table, hold)
    key = resource.all_fields[by].unique_key(table)
    found = sa.select(sa.cast(key, sa.Text).label("value"), table.c.id).where(*live, key == sa.any_(wanted))
    return _held(number, found, table, hold)


def _held(number: sa.Label[int], found: sa.Select[Any], table: sa.Table, hold: bool) -> sa.Select[Any]:
    """The numbered answer. A lock has to stand in a sub-select of its own: PostgreSQL allows none beside UNION."""
    if hold:
        found = found.with_for_update(read=True, key_share=True, of=table)
    rows = found.subquery()
    return sa.select(number, rows.c.value, rows.c.id)


def match_key(resource: AnyResource, by: str, value: str, locale: Locale) -> str:
    """The form in which a value of a unique field is compared. Raises InvalidValue if it can't be one."""
    if by.startswith(EXTERNAL):
        return value
    field = resource.all_fields[by]
    return str(key_of(field, normal_form(field, value, locale), locale.region))


def may_match(resource: AnyResource, by: str) -> bool:
    """Whether a record of this object can be named by this field."""
    return by in resource.unique_fields or (by.startswith(EXTERNAL) and len(by) > len(EXTERNAL))


async def resolve(context: Context, shape: Shape, drafts: Iterable[Draft]) -> None:
    """Turns `{"by", "value"}` into ids and checks that everything pointed to exists; mistakes go into the drafts."""
    lookup = Lookup(context, hold=True, reach=True)
    questions: list[tuple[Draft, Field, str, str, Any]] = []
    for draft in drafts:
        for field in shape.references:
            if field.name in draft.given:
                _ask_reference(context, lookup, questions, draft, field)
        for field in shape.picklists:
            value = draft.new[field.column]
            if field.name in draft.given and value is not None and (draft.old is None or draft.old[field.column] != value):
                assert field.spec.option_object is not None
                lookup.ask(field.spec.option_object, "*", value)
                questions.append((draft, field, field.spec.option_object, "*", value))
    await lookup.run()
    for draft, field, target, by, value in questions:
        pointer = join_pointer(*field.name.split("."))
        found = lookup.id_of(target, by, value)
        if by == "*":
            if found is None:
                draft.errors.append(FieldError("enum", pointer=pointer, allowed=lookup.keys(target)))
        elif found is None:
            draft.errors.append(FieldError("not_found_reference" if by == "id" else "unresolved_reference", pointer=pointer))
        else:
            field.put(draft.new, found)


def _ask_reference(
    context: Context, lookup: Lookup, questions: list[tuple[Draft, Field, str, str, Any]], draft: Draft, field: Field
) -> None:
    value = field.get(draft.new)
    target = field.spec.target
    if value is None or target is None or (draft.old is not None and field.get(draft.old) == value):
        return
    by, key = "id", value
    if isinstance(value, dict):
        resource = context.seen(context.whole[target])
        by = value["by"]
        if not may_match(resource, by):
            names = [*resource.unique_fields, f"{EXTERNAL}<system>"]
            draft.errors.append(FieldError("enum", pointer=join_pointer(*field.name.split("."), "by"), allowed=names))
            return
        try:
            key = match_key(resource, by, value["value"], locale_of(context))
        except InvalidValue:
            draft.errors.append(FieldError("unresolved_reference", pointer=join_pointer(*field.name.split("."))))
            return
    elif target == "users" and value == context.principal.user_id:
        return  # the request was authenticated as this member a moment ago
    elif target not in context.whole:
        return
    lookup.ask(target, by, key)
    questions.append((draft, field, target, by, key))
