"""Definitions of custom fields and objects, as they are stored, as values that the kernel can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from uuid import UUID, uuid5

from crm_api.kernel.custom.patterns import Pattern, compile_pattern
from crm_api.models import slots
from crm_api.models.columns import FieldType

STORED_TYPES: Final = frozenset(
    {
        FieldType.TEXT,
        FieldType.LONG_TEXT,
        FieldType.INTEGER,
        FieldType.NUMBER,
        FieldType.DECIMAL,
        FieldType.CURRENCY,
        FieldType.BOOLEAN,
        FieldType.DATE,
        FieldType.DATETIME,
        FieldType.EMAIL,
        FieldType.PHONE,
        FieldType.URL,
        FieldType.PICKLIST,
        FieldType.MULTI_PICKLIST,
        FieldType.AUTONUMBER,
        FieldType.REFERENCE,
        FieldType.FORMULA,
        FieldType.ROLLUP,
        FieldType.JSON,
    }
)
"""The types that a custom field may have."""

COMPUTED: Final = frozenset({FieldType.FORMULA, FieldType.ROLLUP})
FOLDED: Final = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.AUTONUMBER})
"""Types that are compared by a folded twin."""

SEARCHABLE: Final = FOLDED
"""Types whose values `q` finds, unless the field says `searchable: false`."""

SLOT_KINDS: Final[Mapping[FieldType, slots.SlotKind]] = {
    **dict.fromkeys(
        (FieldType.TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.PICKLIST, FieldType.AUTONUMBER), slots.TEXT
    ),
    **dict.fromkeys((FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY), slots.NUMBER),
    FieldType.DATE: slots.DATE,
    FieldType.DATETIME: slots.TIME,
    FieldType.REFERENCE: slots.REFERENCE,
}
"""The slots that an index on a field of each type takes; the other types can't be indexed."""

UNIQUE_TYPES: Final = frozenset({FieldType.TEXT, FieldType.EMAIL, FieldType.PHONE, FieldType.URL, FieldType.INTEGER, FieldType.AUTONUMBER})


def base_name(amount: str) -> str:
    """What the twin of an amount in the organisation's currency is called."""
    return f"{amount}_base"


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a picklist: what is stored, what is shown, and whether it can still be chosen."""

    key: str
    label: str
    active: bool = True
    color: str | None = None


@dataclass(frozen=True, eq=False)
class CustomField:
    """A custom field's definition. `returns` is the type of a computed field's result."""

    id: UUID
    object: str
    api_name: str
    label: str
    type: FieldType
    properties: Mapping[str, Any] = field(default_factory=dict)
    slot: str | None = None
    unique_slot: str | None = None
    state: str = "active"
    position: int = 0
    version: int = 1
    archived: bool = False

    @property
    def value_type(self) -> FieldType:
        """The kind of the values that readers see."""
        return FieldType(self.properties["returns"]) if self.type in COMPUTED else self.type

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """A picklist's choices in order, inactive ones too."""
        return tuple(
            Option(option["key"], option["label"], option.get("active", True), option.get("color"))
            for option in self.properties.get("options", ())
        )

    @cached_property
    def pattern(self) -> Pattern | None:
        """What a text has to match, whole."""
        text = self.properties.get("pattern")
        return None if text is None else compile_pattern(text)

    @property
    def required(self) -> bool:
        """Whether a record must have a value."""
        return bool(self.properties.get("required", False))

    @property
    def unique(self) -> bool:
        """Whether no two live records may have the same value."""
        return self.unique_slot is not None

    @property
    def matchable(self) -> bool:
        """Whether records can be found by it: it is unique, and the values of all records are known to be so."""
        return self.unique and not self.properties.get("checking", False)

    @property
    def standard(self) -> bool:
        """Whether this only says something of a standard field."""
        return bool(self.properties.get("standard", False))

    @property
    def read_only(self) -> bool:
        """Whether callers can't write it."""
        return self.type in COMPUTED or self.type is FieldType.AUTONUMBER or bool(self.properties.get("read_only", False))

    @property
    def searchable(self) -> bool:
        """Whether `q` finds its values."""
        return self.value_type in SEARCHABLE and bool(self.properties.get("searchable", True))

    @property
    def target(self) -> str | None:
        """The object that a reference points to."""
        target: str | None = self.properties.get("target")
        return target

    @property
    def base_of(self) -> str | None:
        """The amount whose worth in the organisation's currency this is; nobody defines such a field, it comes with the amount."""
        found: str | None = self.properties.get("base_of")
        return found

    @cached_property
    def twin(self) -> CustomField | None:
        """The field that says what an amount is worth in the organisation's currency: `price_base` of `price`."""
        if self.type is not FieldType.CURRENCY or self.base_of is not None:
            return None
        properties: dict[str, Any] = {
            "base_of": self.api_name,
            "read_only": True,
            "sensitivity": self.properties.get("sensitivity", "none"),
            "help": f"`{self.api_name}` in the organisation's currency; null without a rate.",
        }
        return CustomField(
            uuid5(self.id, "base"),
            self.object,
            base_name(self.api_name),
            f"{self.label} (base currency)",
            FieldType.CURRENCY,
            properties,
            position=self.position,
            version=self.version,
            archived=self.archived,
        )

    @property
    def members(self) -> tuple[str, ...]:
        """The members of `custom_fields` that hold its values: its own, and that of its twin."""
        return (self.api_name,) if self.twin is None else (self.api_name, self.twin.api_name)

    @property
    def multiple(self) -> bool:
        """Whether a reference points to any number of records; it is then a many-to-many relation, not a value."""
        return bool(self.properties.get("multiple", False))


@dataclass(frozen=True, eq=False)
class CustomObject:
    """An object that an organisation made."""

    id: UUID
    api_name: str
    singular: str
    label: str
    plural_label: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    archived: bool = False
