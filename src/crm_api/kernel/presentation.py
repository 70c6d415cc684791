"""What the resources about presentation check alike: the object that they are about, its fields, relations and filters; and which
one of several holds for a caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from crm_api.core.errors import FieldError, Forbidden, InvalidValue, join_pointer
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.query.parse import QueryParser
from crm_api.kernel.query.shape import parse_fields, parse_sort
from crm_api.kernel.query.values import Locale
from crm_api.kernel.references import Lookup
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.writer import Writer

_HANDED_OVER: Final = "presentation.default"


def locale_of(context: Context) -> Locale:
    """The caller's."""
    preferences = preferences_of(context.principal)
    return Locale(context.uow.now, preferences.zone, context.principal.organization.region, preferences.fiscal, preferences.week_start)


def target_of(context: Context, draft: Draft, name: str = "applies_to") -> AnyResource | None:
    """The object that a draft is about; None, with the mistake noted, if there is no such object."""
    found = context.registry.get(draft.new[name]) if draft.new[name] is not None else None
    if found is None and draft.new[name] is not None and draft.changed(name):
        draft.fail(name, "enum", allowed=[resource.name for resource in context.registry])
    return found


class Checks:
    """Checks names of one object's fields where they stand in a body; mistakes are collected in `errors`."""

    def __init__(self, context: Context, resource: AnyResource) -> None:
        self._parser = QueryParser(context.registry, locale_of(context), "body")
        self._registry = context.registry
        self._resource = resource

    @property
    def errors(self) -> list[FieldError]:
        """All mistakes so far."""
        return [*self._parser.unknown, *self._parser.errors]

    def wrong(self, code: str, *at: str | int, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        """Notes a mistake."""
        self._parser.wrong(InvalidValue(code, allowed=allowed, **params), _place(at))

    def tree(self, raw: Any, *at: str | int) -> None:
        """A search tree."""
        self._parser.tree(raw, self._resource, _place(at))

    def paths(self, names: Sequence[Any], *at: str | int) -> None:
        """Fields, also of records reached over relations to one record."""
        parse_fields(self._parser, names, self._resource, _place(at), by_index=True)

    def path(self, name: str, *at: str | int) -> None:
        """One such field."""
        parse_fields(self._parser, [name], self._resource, _place(at))

    def sort(self, names: Sequence[Any], *at: str | int) -> None:
        """Keys of an order."""
        parse_sort(self._parser, names, self._resource, _place(at), by_index=True)

    def field(self, name: str, allowed: Callable[[str], bool], *at: str | int) -> None:
        """One of the object's own fields, of those that `allowed` takes."""
        names = [found for found in self._resource.all_fields if allowed(found)]
        if name not in names:
            self.wrong("enum", *at, allowed=names)

    def relation(self, name: str, *at: str | int) -> Relation | None:
        """A relation to many records."""
        relations = self._registry.relations[self._resource.name]
        found = relations.get(name)
        if found is None or found.kind == "to_one":
            self.wrong("unknown_relation", *at, allowed=[n for n, relation in relations.items() if relation.kind != "to_one"])
            return None
        return found


async def refuse_masked(context: Context, resource: AnyResource, record_id: UUID, shown: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raises Forbidden if the caller was not shown all of these fields of a record, whose use would tell what is hidden."""
    if not resource.masked:
        return
    table = resource.table

    def build() -> Statement:
        columns = [table.c[name] for name in names]
        return compile_statement(sa.select(*columns).where(table.c.org_id == ORG, table.c.id == sa.bindparam("id", type_=sa.Uuid())))

    statement = context.statements.get(("unmasked", table, tuple(names)), build)
    row = await context.uow.fetch_row(statement, {"org_id": context.uow.org_id, "id": record_id})
    for name in names if row is not None else ():
        stored = row[name] if row is not None else None
        if isinstance(table.c[name].type, JSONB) and stored is not None:
            stored = orjson.loads(stored)
        if stored != shown[name]:
            raise Forbidden("It uses fields that your profile does not show.")


def _place(at: Iterable[str | int]) -> dict[str, str]:
    return {"pointer": join_pointer(*at)}


async def check_users(context: Context, drafts: Sequence[Draft], name: str) -> None:
    """Sees to it that `{"type": "user", "id"}` entries name users."""
    changed = [draft for draft in drafts if draft.changed(name) and draft.new[name]]
    await check_ids(
        context, "users", [(draft, (name, i, "id"), entry["id"]) for draft in changed for i, entry in enumerate(draft.new[name])]
    )


async def check_ids(context: Context, object_name: str, ids: Sequence[tuple[Draft, tuple[str | int, ...], str]]) -> None:
    """Sees to it that ids inside stored structures are those of live records: (draft, where it stands, id)."""
    if not ids:
        return
    lookup = Lookup(context)
    for _, _, text in ids:
        lookup.ask(object_name, "id", UUID(text))
    await lookup.run()
    for draft, at, text in ids:
        if lookup.id_of(object_name, "id", UUID(text)) is None:
            draft.errors.append(FieldError("not_found_reference", pointer=join_pointer(*at)))


async def hand_over_default(context: Context, object_name: str, drafts: Sequence[Draft], scope: tuple[str, ...] = ()) -> None:
    """A new default ends the old one among those that agree in `scope`. There need not be any."""
    handed: set[UUID] = context.uow.state.get(_HANDED_OVER, set())
    claims = [draft for draft in drafts if draft.new["is_default"] and draft.changed("is_default") and draft.id not in handed]
    claims = [draft for draft in claims if not draft.failed]
    if not claims:
        return
    await serialize(context, f"{object_name}.default")
    last: dict[tuple[Any, ...], Draft] = {tuple(draft.new[name] for name in scope): draft for draft in claims}
    for draft in claims:
        if draft is not last[tuple(draft.new[name] for name in scope)]:
            draft.new["is_default"] = False
    table = context.whole[object_name].table
    statement = context.statements.get(("defaults", table, scope), partial(_defaults, table, scope))
    mine = {draft.id: draft for draft in drafts}
    ended: dict[UUID, dict[str, Any]] = {}
    for row in await context.uow.fetch(statement, {"org_id": context.uow.org_id}):
        new = last.get(tuple(row[name] for name in scope))
        if new is None or row["id"] == new.id:
            continue
        if row["id"] in mine:
            mine[row["id"]].new["is_default"] = False
        else:
            ended[row["id"]] = {"is_default": False}
    if ended:
        context.uow.state[_HANDED_OVER] = {*handed, *ended}
        await Writer().update_rows(context, context.whole[object_name], ended)


def _defaults(table: sa.Table, scope: tuple[str, ...]) -> Statement:
    columns = [table.c.id, *(table.c[name] for name in scope)]
    return compile_statement(sa.select(*columns).where(table.c.org_id == ORG, table.c.deleted_at.is_(None), table.c.is_default))


def effective(rows: Iterable[Mapping[str, Any]], profile: str | None) -> Mapping[str, Any] | None:
    """The one that holds: the profile's own, else the default, else none. Of several the first in the order given."""
    default = None
    for row in rows:
        if profile is not None and row["profile_id"] == profile:
            return row
        if row["is_default"] and default is None:
            default = row
    return default


def refuse_unless(draft: Draft, name: str, condition: bool, other: str) -> None:
    """Refuses a value that means nothing here."""
    value = draft.new[name]
    if value not in (None, [], {}) and not condition and (draft.changed(name) or draft.old is None):
        draft.fail(name, "invalid_combination", other=other)


__all__ = [
    "Checks", "Row", "check_ids", "check_users", "effective", "hand_over_default", "locale_of", "refuse_masked", "refuse_unless",
    "target_of",
]  # fmt: skip
