"""Reading an organisation's configuration.

The document holds no ids and no times: what it names, it names by natural keys, so the same configuration gives the same bytes
in every organisation. Which objects belong to it and what names their records is declared on the resources
(`Resource.configuration`); metadata and settings stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.errors import TooExpensive
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement, compile_statement
from crm_api.flows import organization_settings
from crm_api.flows.configuration import schema
from crm_api.flows.configuration.names import name_of, numbered
from crm_api.kernel.catalog import load
from crm_api.kernel.context import Context
from crm_api.kernel.query.projection import record_json
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.schema import RecordCreate
from crm_api.models.columns import FieldType

FORMAT: Final = 1
MAX_ITEMS: Final = 10_000
"""Items of a configuration, all sections together."""

SETTINGS: Final = ("currency", "time_zone", "locale", "region", *organization_settings.SETTINGS)

REF: Final = "$config"
USER: Final = "$user"
_NOBODY: Final = UUID(int=0)
_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_USERS: Final = Statement("SELECT id, email FROM members WHERE org_id = $1 AND deleted_at IS NULL", ("org_id",))

Item = dict[str, Any]


@dataclass(slots=True)
class Present:
    """The configuration as it is: the document, and which record each natural key stands for."""

    document: dict[str, Any]
    ids: dict[str, dict[str, UUID]] = field(default_factory=dict)
    users: dict[str, UUID] = field(default_factory=dict)


def sections(registry: Registry) -> list[AnyResource]:
    """The resources that are configuration, those that others refer to first."""
    found = sorted((resource for resource in registry if resource.configuration), key=_names_anything)
    names = {resource.name for resource in found}
    ordered: list[AnyResource] = []
    while found:
        resource = next((r for r in found if not any(_target(r, name) in names - {r.name} for name in r.fields)), found[0])
        ordered.append(resource)
        found.remove(resource)
        names.discard(resource.name)
    return ordered


def _names_anything(resource: AnyResource) -> bool:
    """Whether its items have filters, settings and the like, which may name items of other sections wherever they stand."""
    return any(resource.fields[name].type in (FieldType.JSON, FieldType.ITEMS) for name in members(resource) if name in resource.fields)


def members(resource: AnyResource) -> tuple[str, ...]:
    """The fields of an item: what may be written of a record, without what every record has."""
    return tuple(name for name in resource.create.model_fields if name not in RecordCreate.model_fields)


async def read(context: Context, users: Mapping[UUID, str] | None = None) -> Present:
    """The organisation's configuration; `users` are the e-mail addresses that name its users, where they aren't its own.

    Raises TooExpensive for one of more than `MAX_ITEMS` items.
    """
    registry = context.whole
    rows: dict[str, list[dict[str, Any]]] = {}
    total = 0
    for resource in sections(registry):
        rows[resource.name] = await _rows(context, resource)
        total += len(rows[resource.name])
        if total > MAX_ITEMS:
            raise TooExpensive("configuration_items", MAX_ITEMS, total)
    users = await users_of(context) if users is None else users
    named: dict[UUID, tuple[str, str]] = {}
    present = Present({}, {}, {email: id_ for id_, email in users.items()})
    for resource in sections(registry):
        ids = present.ids.setdefault(resource.name, {})
        for row in rows[resource.name]:
            key = tuple(_named(named, row[part]) if _target(resource, part) else row[part] for part in resource.configuration)
            number = 1
            while (name := numbered(name_of(key), number)) in ids:
                number += 1
            ids[name] = parse(row["id"])
            named[parse(row["id"])] = (resource.name, name)
    objects, fields = await load(context.uow, context.uow.org_id)
    org = await organization_settings.read(context.uow)
    document: dict[str, Any] = {
        "format": FORMAT,
        "settings": {name: org[name] for name in SETTINGS},
        **schema.described(objects, fields),
    }
    for resource in sections(registry):
        items = {named[parse(row["id"])][1]: _item(resource, row, named, users) for row in rows[resource.name]}
        document[resource.name] = [items[name] for name in sorted(items)]
    present.document = document
    return present


async def users_of(context: Context) -> dict[UUID, str]:
    """The e-mail addresses of the organisation's users."""
    return {row["id"]: row["email"] for row in await context.uow.fetch(_USERS, {"org_id": context.uow.org_id})}


def encode(document: Mapping[str, Any]) -> bytes:
    """The document's bytes: equal for equal configurations."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def parse(text: str) -> UUID:
    """An id out of an answer of the database."""
    return UUID(text)


async def _rows(context: Context, resource: AnyResource) -> list[dict[str, Any]]:
    """The live records that are everybody's, oldest first: what only some people may see is theirs, not configuration."""

    def build() -> Statement:
        row = resource.table.alias("t")
        live = (row.c.org_id == _ORG, row.c.deleted_at.is_(None))
        chosen = sa.select(record_json(resource, row).label("json")).select_from(row).where(*live).order_by(row.c.id)
        return compile_statement(chosen.limit(sa.literal_column(str(MAX_ITEMS + 1))))

    statement = context.statements.get(("configuration", context.whole.key, resource.name), build)
    found = [orjson.loads(row["json"]) for row in await context.uow.fetch(statement, {"org_id": context.uow.org_id})]
    found = [row for row in found if all(row[name] == value for name, value in resource.configured.items())]
    if resource.private is None:
        return found
    seen = resource.private.seen
    return [row for row in found if row["owner_id"] is None or seen({**row, "owner_id": UUID(row["owner_id"])}, _NOBODY, None)]


def _target(resource: AnyResource, name: str) -> str | None:
    """The object that a field of a resource refers to."""
    found = resource.fields.get(name)
    return found.spec.target if found is not None and found.type is FieldType.REFERENCE else None


def _named(named: Mapping[UUID, tuple[str, str]], text: str | None) -> str | None:
    return None if text is None else named[parse(text)][1] if parse(text) in named else None


def _item(resource: AnyResource, row: Mapping[str, Any], named: Mapping[UUID, tuple[str, str]], users: Mapping[UUID, str]) -> Item:
    item: Item = {}
    for name in members(resource):
        target = _target(resource, name)
        if target == "users":
            item[name] = None if row[name] is None else {USER: users[parse(row[name])]} if parse(row[name]) in users else None
        elif target is not None:
            item[name] = _named(named, row[name])
        else:
            item[name] = _outward(row[name], named, users)
    return item


def _outward(value: Any, named: Mapping[UUID, tuple[str, str]], users: Mapping[UUID, str]) -> Any:
    """A value whose ids of configuration and users are replaced by names. Other ids are of data and stay as they are."""
    if isinstance(value, dict):
        return {key: _outward(inner, named, users) for key, inner in value.items()}
    if isinstance(value, list):
        return [_outward(inner, named, users) for inner in value]
    if isinstance(value, str) and len(value) == 36 and (id_ := parse_uuid(value)) is not None:
        if id_ in named:
            section, name = named[id_]
            return {REF: f"{section}:{name}"}
        if id_ in users:
            return {USER: users[id_]}
    return value


def references(value: Any) -> Iterator[dict[str, str]]:
    """The named references inside a value."""
    if isinstance(value, dict):
        if set(value) in ({REF}, {USER}):
            yield value
            return
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def split_reference(text: str) -> tuple[str, str]:
    """`views:deals/Big` → section and name."""
    section, _, name = text.partition(":")
    return section, name
