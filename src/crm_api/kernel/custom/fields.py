"""From a definition to a `Field` of the kernel."""

from __future__ import annotations

from crm_api.kernel.custom.definitions import FOLDED, CustomField
from crm_api.kernel.fields import Expression, Field
from crm_api.models.columns import FieldSpec, FieldType

COLUMN = "custom_fields"


def field_of(definition: CustomField, *, top: bool, expression: Expression | None = None) -> Field:
    """The field. `top`: it belongs to a custom object, whose fields stand at the top of its records.

    A slot counts only once all records have theirs (`state`); what keeps values unique counts from the start.
    """
    kind = definition.value_type
    complete = definition.state == "active"
    slot = definition.slot if complete else None
    if slot is None and definition.unique and kind is not FieldType.INTEGER:
        slot = definition.unique_slot
    bounds = definition.properties
    numeric = kind in (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY)
    spec = FieldSpec(
        kind,
        writable="never" if definition.read_only else "always",
        folded=kind in FOLDED,
        target=definition.target,
        inverse=definition.properties.get("inverse"),
        options=tuple(option.key for option in definition.options),
        indexed=slot is not None,
        unique=definition.unique,
        max_length=definition.properties.get("max_length"),
        minimum=float(bounds["min"]) if numeric and bounds.get("min") is not None else None,
        maximum=float(bounds["max"]) if numeric and bounds.get("max") is not None else None,
        sensitivity=bounds.get("sensitivity", "none"),
        base_of=definition.base_of,
    )
    return Field(
        definition.api_name if top else f"{COLUMN}.{definition.api_name}",
        spec,
        COLUMN,
        f"{COLUMN}_key" if spec.folded else COLUMN,
        True,
        definition.api_name,
        slot,
        definition.unique_slot,
        expression,
        definition,
    )
