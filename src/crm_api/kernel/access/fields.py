"""What hiding a field hides with it: everything from which its value could be read off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Expression
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

ENVELOPE: Final = frozenset(
    {"id", "version", "display_name", "created_at", "updated_at", "deleted_at", "created_by", "updated_by", "owner_id", "custom_fields"}
)
"""What every record shows to whoever may read it."""


def hideable(resource: AnyResource) -> list[str]:
    """The fields of an object that may be hidden: all but the envelope, and those that no record can do without."""
    needed = {f.name for f in resource.fields.values() if f.member is None and not f.nullable and f.column in resource.table.c}
    optional = {f.name for f in resource.fields.values() if f.member is None and resource.table.c[f.column].server_default is not None}
    return [name for name in resource.all_fields if name not in ENVELOPE and name not in needed - optional]


def with_followers(registry: Registry, hidden: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Hidden fields by object, with their other spellings (the list of an address, the twin of an amount) and what is worked out
    of them: formulas and roll-ups, also those of related objects, follow what they are made of."""
    found = {name: set(fields) for name, fields in hidden.items() if name in registry}
    for name, fields in found.items():
        resource = registry[name]
        fields |= {derived for derived, inputs in resource.derived.items() if fields.intersection(inputs)}
        for field in resource.all_fields.values():
            amount = field.spec.base_of
            if amount is not None and field.name == f"custom_fields.{field.member}":
                amount = f"custom_fields.{amount}"
            if amount in fields or (field.name.removesuffix("s") in fields and field.type is FieldType.ITEMS):
                fields.add(field.name)
            if field.type is FieldType.ITEMS and field.name in fields and field.name.removesuffix("s") in resource.fields:
                fields.add(field.name.removesuffix("s"))
    computed = registry.computations.all if registry.computations is not None else {}
    names = {(r.name, f.member): f.name for r in registry for f in r.custom.values()}
    grown = True
    while grown:
        grown = False
        for key, one in computed.items():
            own = names.get(key)
            if own is None or own in found.get(key[0], ()):
                continue
            if any(d.field in found.get(d.object, ()) for d in one.dependencies):
                found.setdefault(key[0], set()).add(own)
                grown = True
    return {name: frozenset(fields) for name, fields in found.items() if fields}


TEXTS: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.RICH_TEXT})
SHOWN_OF_BODY: Final = 80
"""Characters of a body that a record may be named by."""


def masked_name(resource: AnyResource, hidden: Iterable[str]) -> Expression | None:
    """The display name, empty where it shows a hidden value; None where no hidden field can show in it."""
    fields = [resource.all_fields[name] for name in hidden if name in resource.all_fields and resource.all_fields[name].type in TEXTS]
    if resource.made is None:
        named = _named_by(resource)
        fields = [f for f in fields if f.name in named]
    if not fields:
        return None
    size: ColumnElement[int] = sa.literal_column(str(SHOWN_OF_BODY))

    def value(row: FromClause) -> ColumnElement[Any]:
        shown = []
        for field in fields:
            text = field.value(row)
            if field.type is FieldType.RICH_TEXT:
                text = text.op("->>", return_type=sa.Text())(sa.literal_column("'content'"))
            start = sa.func.nullif(sa.func.left(text, size), sa.literal_column("''"))
            shown.append(sa.func.coalesce(sa.func.strpos(row.c.display_name, start) > sa.literal_column("0"), sa.false()))
        return sa.case((sa.or_(*shown), sa.literal_column("''")), else_=row.c.display_name)

    return value


def _named_by(resource: AnyResource) -> frozenset[str]:
    """The fields that an object's display names are made of, found by watching the declaration look at an empty record."""
    seen: set[str] = set()

    class Watched(dict[str, Any]):
        def __getitem__(self, name: str) -> None:
            seen.add(name)

        def get(self, name: str, default: Any = None) -> None:
            seen.add(name)

    with suppress(TypeError, AttributeError):
        resource.display(Watched())
    return frozenset(seen)
