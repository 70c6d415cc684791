"""The declaration of an object: a typed value from which the kernel makes the whole record contract.

A resource says what is special about it and nothing else. What the kernel can read off the model (fields, references,
uniqueness, indexes) is not said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel

from crm_api.core.errors import FieldError, Problem
from crm_api.kernel.fields import Expression, Field, fields_of
from crm_api.models.base import RecordMixin
from crm_api.models.columns import FieldType

if TYPE_CHECKING:
    from crm_api.kernel.context import Context
    from crm_api.kernel.custom.definitions import CustomField, CustomObject

ModelT = TypeVar("ModelT", bound=RecordMixin)
CreateT = TypeVar("CreateT", bound=BaseModel)
UpdateT = TypeVar("UpdateT", bound=BaseModel)
ReadT = TypeVar("ReadT", bound=BaseModel)

Verb = Literal["list", "get", "create", "update", "delete", "restore", "purge", "merge"]
ALL_VERBS: frozenset[Verb] = frozenset({"list", "get", "create", "update", "delete", "restore", "purge", "merge"})

Row = dict[str, Any]
"""A record's columns (without `org_id` and derived ones) as Python values."""


@dataclass(slots=True)
class Draft:
    """One record on its way through a write, before it reaches the database.

    `old` is the stored row (None on create), `new` the row to be stored, which rules may change. `given` names the fields
    that the caller sent. A mistake goes into `errors` (or `problem` for one that is not about a field); the record is then
    not written. `operation` is what the caller asked for.
    """

    id: UUID
    operation: Literal["create", "update", "delete", "restore", "purge"]
    old: Row | None
    new: Row
    given: frozenset[str] = frozenset()
    errors: list[FieldError] = field(default_factory=list)
    problem: Problem | None = None

    @property
    def failed(self) -> bool:
        """Whether the record will not be written."""
        return bool(self.errors) or self.problem is not None

    def changed(self, name: str) -> bool:
        """Whether a column's value differs from the stored one."""
        return self.old is None or self.old.get(name) != self.new.get(name)

    def fail(self, name: str, code: str, *, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        """Notes a mistake in a field of the body."""
        self.errors.append(FieldError(code, pointer=f"/{name.replace('.', '/')}", params=params or None, allowed=allowed))


class Rules:
    """What is special about an object's writes. Each hook gets all records of a call, so that a batch stays a few statements.

    `delete_parameters` are query parameters of DELETE that the object has beside everybody's; `before_delete` finds them as
    text in `Uow.state`.
    """

    delete_parameters: ClassVar[tuple[str, ...]] = ()

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Fills in, derives and checks, before anything is stored (creates, updates, restores)."""

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks, and moves out of the way, before records are deleted or purged."""

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Writes what follows from the stored records, in the same transaction (creates, updates, deletes, restores)."""


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """A many-to-many relation kept in `links`; declared on the `source`'s resource.

    `name` is the relation's name on the source, `inverse` on the target. `attributes` is the Pydantic model of the edge.
    `primary_field` is the source's reference field that mirrors the primary edge (`contacts.account_id`). Edges of a `managed`
    one come and go by operations of their own, not under `…/links/`.
    """

    name: str
    target: str
    inverse: str
    attributes: type[BaseModel]
    primary_field: str | None = None
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Private:
    """Records that only some people or apps may see: a condition on a row, the caller's id and that of the app which acts for them (null
    if none does), and the same for a row in Python."""

    condition: Callable[[sa.FromClause, sa.ColumnElement[UUID], sa.ColumnElement[UUID]], sa.ColumnElement[bool]]
    seen: Callable[[Row, UUID, UUID | None], bool]


@dataclass(frozen=True)
class Resource(Generic[ModelT, CreateT, UpdateT, ReadT]):
    """An object of the API.

    `name` is plural (paths, scopes, `object`), `singular` stands in event types. `create`, `update` and `read` are its schemas.
    `display` makes the record's display name from its row. `search` names the fields found by `q`; `searchable` says that the
    search across objects looks at it too. `default_sort` is the order of lists that ask for none, `composite_sorts` are those
    of several fields that have an index. `parent` is the object in whose paths it stands too (`/v1/cases/{id}/comments`).
    `owner_defaults_to_caller` says who owns what is made without an owner. `timeline` gives its records a timeline.
    Records of an object with `configuration` are part of what an organisation is set up to be, not its data; these fields name
    them from one organisation to another. `configured` are values of fields by which some of its records belong to it, others not.
    `private` says who sees which of its records; where it is left out, whoever may read the object sees all of them.

    `custom` are the fields that an organisation added, by the names that callers use: `custom_fields.tier`, or `tier` where
    the organisation made the object itself (`made`); its records then have no `custom_fields` but all fields at the top.
    Values of `archived` ones may still be stored and are not shown.
    `overrides` is what it says of standard fields: other labels, help, sensitivity.
    `variant` tells an organisation's form of an object from the standard one in caches.

    `sharing`: whether the owner of a record decides who reaches it, the record of `parent` that it hangs on, or nothing (`none`: what
    organisations are set up to be). A change of an object that `governs_access` changes what people may do; if it names
    `access_fields`, a change of those.
    `derived` are fields with those that their values are worked out of. `hidden` and `read_only` are fields that a caller
    may not see, or not write; `shown_of` is then the object with all of them. `paths_in` are fields whose values name fields of the
    object that a record is about, see `kernel/access/masks.py`; `masked` is what a caller sees of them instead.
    `shown_once` are secrets that the answer which makes a record shows beside it (`kernel/once.py`), each with its description.
    """

    name: str
    singular: str
    model: type[ModelT]
    create: type[CreateT]
    update: type[UpdateT]
    read: type[ReadT]
    display: Callable[[Row], str]
    description: str
    example: Mapping[str, Any]
    search: tuple[str, ...] = ()
    links: tuple[ManyToMany, ...] = ()
    rules: Rules = field(default_factory=Rules)
    verbs: frozenset[Verb] = ALL_VERBS
    default_sort: tuple[str, ...] = ("-created_at",)
    composite_sorts: tuple[tuple[str, ...], ...] = ()
    parent: str | None = None
    owner_defaults_to_caller: bool = True
    timeline: bool = False
    searchable: bool = False
    configuration: tuple[str, ...] = ()
    configured: Mapping[str, Any] = field(default_factory=dict)
    private: Private | None = None
    custom: Mapping[str, Field] = field(default_factory=dict)
    archived: tuple[str, ...] = ()
    made: CustomObject | None = None
    overrides: Mapping[str, CustomField] = field(default_factory=dict)
    variant: Hashable = None
    sharing: Literal["owner", "parent", "none"] = "owner"
    governs_access: bool = False
    access_fields: tuple[str, ...] = ()
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    masked_name: Expression | None = None
    shown_of: AnyResource | None = None
    paths_in: Mapping[str, str] = field(default_factory=dict)
    masked: Mapping[str, Expression] = field(default_factory=dict)
    shown_once: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> AnyResource:
        """The object with all its fields, of which this may be what a caller sees."""
        return self if self.shown_of is None else self.shown_of

    @property
    def untold(self) -> frozenset[str]:
        """The fields of which no old or new value is told to the caller."""
        return self.hidden | self.masked.keys() if self.masked else self.hidden

    @cached_property
    def key(self) -> Hashable:
        """What tells this form of the object from all others, for caches of what is made from it."""
        return self.name if self.variant is None else (self.name, self.variant)

    @cached_property
    def texts(self) -> dict[Hashable, str]:
        """SQL that was made from this form of the object and costs much to make, by what it is for."""
        return {}

    @cached_property
    def table(self) -> sa.Table:
        """The table of its records."""
        table = self.model.__table__  # type: ignore[attr-defined]  # every model is a mapped class; the mixin is not
        assert isinstance(table, sa.Table)
        return table

    @cached_property
    def fields(self) -> dict[str, Field]:
        """Its fields by name, in the order of the answer; of a standard object without the custom ones."""
        own = {name: f for name, f in fields_of(self.table).items() if name not in self.hidden}
        if self.masked_name is not None:
            own["display_name"] = replace(own["display_name"], expression=self.masked_name)
        own |= {name: replace(own[name], expression=found) for name, found in self.masked.items()}
        if self.made is None:
            return own
        envelope = {name: f for name, f in own.items() if f.type is not FieldType.CUSTOM_FIELDS}
        return {**envelope, **self.custom}

    @cached_property
    def all_fields(self) -> dict[str, Field]:
        """Its fields by the names that callers use, custom ones too."""
        return {**self.fields, **self.custom}

    def field_named(self, name: str) -> Field | None:
        """The field that a caller calls so, or None."""
        return self.fields.get(name) or self.custom.get(name)

    def put(self, row: Row, address: str, value: Any) -> None:
        """Sets a value in a row by its field's address: a column, or `custom_fields.<member>`."""
        column, _, member = address.partition(".")
        if not member:
            row[column] = value
            return
        next(f for f in self.custom.values() if f.member == member).put(row, value)

    def scope(self, row: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """What makes a row one of this object's, beside its organisation: custom objects share a table."""
        if self.made is None:
            return []
        return [row.c.object == sa.literal_column(f"'{self.name}'")]

    @cached_property
    def references(self) -> dict[str, Field]:
        """Its to-one relations: relation name → reference field."""
        return {f.relation: f for f in self.all_fields.values() if f.type is FieldType.REFERENCE and f.relation is not None}

    @cached_property
    def unique_fields(self) -> tuple[str, ...]:
        """The fields by which a record may be found and upserted."""
        return tuple(name for name, f in self.all_fields.items() if f.spec.unique and (f.definition is None or f.definition.matchable))

    @cached_property
    def has_search(self) -> bool:
        """Whether `q` and trigram search are kept for its records."""
        return "search" in self.table.c


AnyResource = Resource[Any, Any, Any, Any]
