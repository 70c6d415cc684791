"""What an organisation's setup says about fields that a caller may not know of: columns of views, conditions, layouts, templates.

Such values hold paths (`account.industry`, `custom_fields.tier`) and search trees of them. For callers from whom something is hidden they
are shown without the parts that name it, in answers, events and files alike. An object says in `paths_in` which of its fields hold
paths, and how. A path tells of what is hidden by its first step, seen from the object that the record is about, or by a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import Expression, name_of
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

Kind = Literal["path", "paths", "tree", "trees", "sections", "related", "entries", "filters", "template"]
_ABOUT: Final = "applies_to"


def masks_of(resource: AnyResource, known: Registry, whole: Registry) -> dict[str, Expression]:
    """The fields of an object that hold paths, as a caller may see them who knows of `known` only."""
    if not resource.paths_in:
        return {}
    words = {name: sorted({*known[name].hidden, *(whole.relations[name].keys() - known.relations[name].keys())}) for name in _names(known)}
    words = {name: found for name, found in words.items() if found}
    unseen = sorted(other.name for other in whole if other.name not in known)
    found: dict[str, Expression] = {}
    for name, kind in resource.paths_in.items():
        hiding = {"entries": bool(unseen), "filters": bool(unseen or words)}.get(kind, bool(words))
        if resource.field_named(name) is not None and hiding:
            found[name] = _expression(resource, name, kind, words, unseen)
    return found


def masked(resource: AnyResource, known: Registry, whole: Registry) -> AnyResource:
    """The object with these fields so."""
    found = masks_of(resource, known, whole)
    return replace(resource, masked=found, variant=(resource.variant, "masked", known.key)) if found else resource


def _names(known: Registry) -> list[str]:
    return [resource.name for resource in known]


# SQL is put together as text here, as it nests deeper than it branches; all that is put in are names of this product's own columns and
# quoted literals.


def _literal(value: Any) -> str:
    return "'" + orjson.dumps(value).decode().replace("'", "''") + "'::jsonb"


def _expression(resource: AnyResource, name: str, kind: str, words: Mapping[str, list[str]], unseen: list[str]) -> Expression:
    text_field = kind in ("path", "template")
    column_type: Any = sa.Text() if text_field else JSONB()

    def value(row: FromClause) -> ColumnElement[Any]:
        alias = name_of(row)
        about = f"{alias}.{_ABOUT}" if _ABOUT in row.c else "NULL"
        tells = _Tells(about, words)
        made: Callable[[str], str] = {
            "path": lambda x: f"CASE WHEN {tells.path(x)} THEN NULL ELSE {x} END",
            "paths": lambda x: _kept(x, lambda e: tells.path(f"{e} #>> '{{}}'")),
            "tree": lambda x: f"CASE WHEN {tells.anywhere(x)} THEN NULL ELSE {x} END",
            "trees": lambda x: _kept(x, tells.anywhere),
            "sections": lambda x: _sections(x, tells),
            "related": lambda x: _related(x, tells),
            "entries": lambda x: _entries(x, unseen),
            "filters": lambda x: _filters(x, words, unseen),
            "template": lambda x: f"CASE WHEN {tells.template(x)} THEN 'https://hidden.invalid/' ELSE {x} END",
        }[kind]
        return sa.literal_column("(" + made(f"{alias}.{name}") + ")", type_=column_type)

    return value


def _kept(value: str, told: Callable[[str], str], shown: str = "mk.v") -> str:
    """A list without the elements that tell of something hidden."""
    return (
        f"CASE WHEN jsonb_typeof({value}) = 'array' THEN (SELECT coalesce(jsonb_agg({shown} ORDER BY mk.n), '[]'::jsonb)"
        f" FROM jsonb_array_elements({value}) WITH ORDINALITY AS mk (v, n) WHERE NOT coalesce({told('mk.v')}, false)) ELSE {value} END"
    )


def _sections(value: str, tells: _Tells) -> str:
    cells = "jsonb_array_elements(mr.v) WITH ORDINALITY AS mc (v, n)"
    row = f"(SELECT coalesce(jsonb_agg(mc.v ORDER BY mc.n), '[]'::jsonb) FROM {cells} WHERE NOT coalesce({tells.anywhere('mc.v')}, false))"
    rows = (
        f"(SELECT coalesce(jsonb_agg(mq.cells ORDER BY mq.n) FILTER (WHERE mq.cells <> '[]'::jsonb), '[]'::jsonb)"
        f" FROM (SELECT mr.n, {row} AS cells FROM jsonb_array_elements(mk.v -> 'rows') WITH ORDINALITY AS mr (v, n)) mq)"
    )
    said = tells.anywhere("mk.v -> 'condition'")
    condition = f"CASE WHEN {said} THEN mk.v - 'condition' ELSE mk.v END"
    return _kept(value, lambda _: "false", f"({condition}) || jsonb_build_object('rows', {rows})")


def _related(value: str, tells: _Tells) -> str:
    inner = {name: _inner(f"mk.v -> '{name}'", tells) for name in ("columns", "sort")}
    lists = " || ".join(
        f"CASE WHEN mk.v ? '{name}' THEN jsonb_build_object('{name}', {left}) ELSE '{{}}'::jsonb END" for name, left in inner.items()
    )
    return _kept(value, lambda e: tells.path(f"{e} ->> 'relation'"), f"mk.v || {lists}")


def _inner(value: str, tells: _Tells) -> str:
    told = tells.far("mp.v #>> '{}'")
    return (
        f"(SELECT coalesce(jsonb_agg(mp.v ORDER BY mp.n), '[]'::jsonb) FROM jsonb_array_elements({value}) WITH ORDINALITY AS mp (v, n)"
        f" WHERE NOT {told})"
    )


def _entries(value: str, unseen: list[str]) -> str:
    hidden = _literal(unseen)

    def told(entry: str) -> str:
        return f"{hidden} ? ({entry} ->> 'object')"

    inner = (
        "(SELECT coalesce(jsonb_agg(mp.v ORDER BY mp.n), '[]'::jsonb) FROM jsonb_array_elements(mk.v -> 'entries') WITH ORDINALITY"
        f" AS mp (v, n) WHERE NOT coalesce({told('mp.v')}, false))"
    )
    shown = f"CASE WHEN mk.v ? 'entries' THEN mk.v || jsonb_build_object('entries', {inner}) ELSE mk.v END"
    return _kept(value, told, shown)


def _filters(value: str, words: Mapping[str, list[str]], unseen: list[str]) -> str:
    """Trees, each about an object that stands beside it."""

    def told(entry: str) -> str:
        about = f"({entry} ->> 'object')"
        named = _Tells(about, words).anywhere(f"{entry} -> 'filter'")
        return f"({_literal(unseen)} ? {about} OR {named})"

    return _kept(value, told)


class _Tells:
    """Conditions on texts and JSON: whether they name what is hidden. `about` is the column with the object that they are about."""

    def __init__(self, about: str, words: Mapping[str, list[str]]) -> None:
        self._near = f"coalesce({_literal(words)} -> {about}, '[]'::jsonb)"
        self._far = _literal(sorted({word for found in words.values() for word in found}))

    def path(self, text: str) -> str:
        """A path that starts at the object; a minus in front of it is that of an order."""
        path = f"ltrim({text}, '-')"
        return f"({self._near} ?| ARRAY[{path}, split_part({path}, '.', 1)] OR {self._later(path)})"

    def far(self, text: str) -> str:
        """A path that starts at some object."""
        path = f"ltrim({text}, '-')"
        return f"coalesce({self._far} ?| ARRAY[{path}, split_part({path}, '.', 1)] OR {self._later(path)}, false)"

    def _later(self, path: str) -> str:
        second = f"regexp_replace({path}, '^[^.]*[.]', '')"
        third = f"regexp_replace({path}, '^[^.]*[.][^.]*[.]', '')"
        steps = f"ARRAY[{second}, split_part({path}, '.', 2), {third}, split_part({path}, '.', 3)]"
        return f"(strpos({path}, '.') > 0 AND {self._far} ?| {steps})"

    def anywhere(self, value: str) -> str:
        """Any text inside a JSON value."""
        text = "ms.v #>> '{}'"
        texts = f"jsonb_path_query({value}, 'strict $.** ? (@.type() == \"string\")')"
        return f"EXISTS (SELECT FROM {texts} AS ms (v) WHERE {self.path(text)} OR {self.far(text)})"

    def template(self, text: str) -> str:
        """A place of an address's template."""
        return f"EXISTS (SELECT FROM regexp_matches({text}, '[{{]([^{{}}]*)[}}]', 'g') AS ms (v) WHERE {self.path('ms.v[1]')})"


__all__ = ["Kind", "masked", "masks_of"]
