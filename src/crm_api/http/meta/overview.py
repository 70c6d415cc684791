"""What a user interface asks first: the objects with everything about them, and what it needs of pipelines, views and layouts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.core.etag import body_etag
from crm_api.db.statement import Statement, compile_statement
from crm_api.flows.metadata.describe import custom_field, described_object, standard_field
from crm_api.http.meta.descriptions import descriptions_of, unchanged
from crm_api.kernel.context import Context
from crm_api.kernel.event_catalog import types_of
from crm_api.kernel.locks import ORG
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.projection import record_json
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.visible import Visible
from crm_api.models.columns import FieldType

INCLUDES: Final = ("fields", "relations", "pipelines", "views", "layouts")
ACTIONS: Final = ("read", "write", "delete", "export", "import")
VOCABULARIES: Final = ("lead_statuses", "lifecycle_stages", "contact_roles")
MAX_RECORDS: Final = 1_000
"""Records of one kind that come along: views and layouts beyond that are to be read page by page."""

_RECORDS: Final = {
    "fields": VOCABULARIES,
    "relations": (),
    "pipelines": ("pipelines", "stages"),
    "views": ("views",),
    "layouts": ("layouts",),
}
_ABOUT: Final = frozenset({"views", "layouts"})
"""Objects whose records are about one object, which they name in `applies_to`."""


class Overview:
    """Answers about one organisation's schema for one caller."""

    def __init__(self, context: Context, visible: Visible, api_version: str) -> None:
        self.context = context
        self.visible = visible
        self.api_version = api_version

    async def all(self, request: Request, include: str) -> Response:
        """All objects. Raises BadRequest for something that can't be included."""
        chosen = _chosen(include)
        allowed = tuple(self._permissions(resource) for resource in self.visible)
        key = ("overview", self.visible.key, chosen, tuple(tuple(one.values()) for one in allowed))
        entry = await descriptions_of(request).entry(key, lambda: orjson.dumps(self._objects(self.visible, chosen)))
        records = await self._records([name for word in chosen for name in _RECORDS[word]], None)
        members = self._head()
        members["objects"] = orjson.Fragment(entry.body)
        members |= self._placed(records, chosen)
        return _answer(request, members)

    async def one(self, request: Request, name: str) -> Response:
        """One object with all there is."""
        resource = self.visible[name]
        wanted = [*VOCABULARIES] if any(f.spec.option_object in VOCABULARIES for f in resource.all_fields.values()) else []
        has_pipeline = any(f.spec.target in ("stages", "pipelines") for f in resource.all_fields.values())
        records = await self._records([*wanted, *(_RECORDS["pipelines"] if has_pipeline else ()), *_ABOUT], name)
        members = self._head() | self._objects([resource], INCLUDES)[0]
        chosen = ("fields", *(("pipelines",) if has_pipeline else ()), "views", "layouts")
        members |= self._placed(records, chosen)
        used = {f.spec.option_object for f in resource.all_fields.values()}
        members["vocabularies"] = {key: value for key, value in members["vocabularies"].items() if key in used}
        return _answer(request, members)

    # --- objects ------------------------------------------------------------------------------------------------------

    def _head(self) -> dict[str, Any]:
        return {"schema_version": self.context.principal.organization.schema_version, "api_version": self.api_version}

    def _permissions(self, resource: AnyResource) -> dict[str, bool]:
        return {action: self.context.principal.may(resource.name, action) for action in ACTIONS}

    def _objects(self, resources: Iterable[AnyResource], chosen: Collection[str]) -> list[dict[str, Any]]:
        found = []
        for resource in resources:
            shown = described_object(resource, resource.made)
            shown["permissions"] = self._permissions(resource)
            shown["events"] = [kind.name for kind in types_of(resource)]
            if "fields" in chosen:
                shown["fields"] = self._fields(resource)
            if "relations" in chosen:
                shown["relations"] = [_relation(relation) for relation in self.visible.relations[resource.name].values()]
            found.append(shown)
        return found

    def _fields(self, resource: AnyResource) -> list[dict[str, Any]]:
        standard = [
            standard_field(self.context, resource, field)
            for field in resource.fields.values()
            if field.definition is None and field.type is not FieldType.CUSTOM_FIELDS
        ]
        made = resource.made is not None
        own = [custom_field(field.definition, made=made) for field in resource.custom.values() if field.definition is not None]
        return [*standard, *own]

    # --- records ------------------------------------------------------------------------------------------------------

    async def _records(self, names: Sequence[str], about: str | None) -> dict[str, list[orjson.Fragment]]:
        """The live records of these objects as far as the caller may see them, by one statement."""
        wanted = [name for name in dict.fromkeys(names) if name in self.visible]
        if not wanted:
            return {}
        resources = [self.visible[name] for name in wanted]
        policy = self.context.policy
        key = ("overview", tuple(resource.key for resource in resources), about is None, policy.shape)
        statement = self.context.statements.get(key, lambda: _statement(policy, resources, about is not None))
        values = {"org_id": self.context.uow.org_id, **self.context.policy.values, "about": about}
        row = await self.context.uow.fetch_row(statement, values)
        assert row is not None
        return {name: [orjson.Fragment(text) for text in row[name] or ()] for name in wanted}

    def _placed(self, records: dict[str, list[orjson.Fragment]], chosen: Collection[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "fields" in chosen:
            found["vocabularies"] = {name: records.get(name, []) for name in VOCABULARIES if name in self.visible}
        if "pipelines" in chosen:
            found["pipelines"], found["stages"] = records.get("pipelines", []), records.get("stages", [])
        for name in ("views", "layouts"):
            if name in chosen:
                found[name] = records.get(name, [])
        return found


def _chosen(include: str) -> tuple[str, ...]:
    words = [word for word in include.split(",") if word]
    wrong = [word for word in words if word not in INCLUDES]
    if wrong:
        raise BadRequest(errors=[InvalidValue("enum", allowed=list(INCLUDES)).at(parameter="include")])
    return tuple(word for word in INCLUDES if word in words)


def _relation(relation: Relation) -> dict[str, Any]:
    return {
        "name": relation.name,
        "kind": relation.kind,
        "target": relation.target,
        "field": None if relation.field is None else relation.field.name,
        "link": relation.link_name,
    }


def _statement(policy: Policy, resources: Sequence[AnyResource], about: bool) -> Statement:
    return compile_statement(sa.select(*(_column(policy, resource, about) for resource in resources)))


def _column(policy: Policy, resource: AnyResource, about: bool) -> sa.ColumnElement[Any]:
    """The records of one object as an array of JSON texts, in the order that people gave them."""
    row = resource.table.alias(f"_{resource.name}")
    conditions = [row.c.org_id == ORG, row.c.deleted_at.is_(None), *resource.scope(row)]
    seen = policy.predicate(resource, row)
    if seen is not None:
        conditions.append(seen)
    if about and resource.name in _ABOUT:
        conditions.append(row.c.applies_to == sa.bindparam("about", type_=sa.Text()))
    order = [row.c[name] for name in ("position", "name", "id") if name in row.c]
    inner = (
        sa.select(record_json(resource, row).label("_j"), sa.func.row_number().over(order_by=order).label("_n"))
        .where(*conditions)
        .order_by(*order)
        .limit(sa.literal_column(str(MAX_RECORDS)))
        .subquery(f"_in_{resource.name}")
    )
    return (
        sa.select(sa.func.array_agg(aggregate_order_by(inner.c["_j"], inner.c["_n"]), type_=ARRAY(sa.Text)))
        .scalar_subquery()
        .label(resource.name)
    )


def _answer(request: Request, members: dict[str, Any]) -> Response:
    body = orjson.dumps(members)
    etag = body_etag(body)
    if unchanged(request, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, headers={"ETag": etag}, media_type="application/json")


__all__ = ["INCLUDES", "Overview"]
