"""Custom fields on their way through a write: what a body gives, what defaults and numbers add, what is stored beside the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm_api.core.errors import FieldError, InvalidValue, join_pointer
from crm_api.core.text import fold
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import COMPUTED, FOLDED, CustomField
from crm_api.kernel.custom.values import check_dependency, check_value, folded, slot_value
from crm_api.kernel.fields import Field
from crm_api.kernel.locks import take_numbers
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.models import slots
from crm_api.models.columns import FieldType

COLUMN: Final = "custom_fields"


def pointer_to(resource: AnyResource, name: str) -> tuple[str, ...]:
    """Where a custom field stands in a body."""
    return (name,) if resource.made is not None else (COLUMN, name)


def gather(resource: AnyResource, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The body of a custom object's record, divided into its envelope and its own fields (None for a standard object)."""
    if resource.made is None:
        return dict(body), None
    own = {name: value for name, value in body.items() if name in resource.custom}
    return {name: value for name, value in body.items() if name not in own}, own


def given_names(resource: AnyResource, members: Mapping[str, Any]) -> set[str]:
    """The names of the custom fields that a body gives."""
    return set(members) if resource.made is not None else {f"{COLUMN}.{name}" for name in members}


def merge(resource: AnyResource, draft: Draft, given: Mapping[str, Any], *, currency: str, region: str) -> None:
    """Merges the given members into the draft's; mistakes go into `draft.errors`. Null clears a field."""
    stored: dict[str, Any] = dict(draft.new[COLUMN] or {})
    by_name = {f.member: f for f in resource.custom.values()}
    for name, raw in given.items():
        pointer = join_pointer(*pointer_to(resource, name))
        field = by_name.get(name)
        if field is None or field.definition is None:
            draft.errors.append(FieldError("unknown_field", pointer=pointer, allowed=sorted(str(key) for key in by_name)))
        elif field.definition.read_only:
            draft.errors.append(FieldError("read_only", pointer=pointer))
        elif raw is None:
            if field.definition.required:
                draft.errors.append(FieldError("null_not_allowed", pointer=pointer))
            stored.pop(name, None)
        else:
            try:
                stored[name] = check_value(field.definition, raw, stored.get(name), currency=currency, region=region)
            except InvalidValue as error:
                draft.errors.append(error.at(pointer=pointer))
    draft.new[COLUMN] = stored


async def finish(context: Context, resource: AnyResource, drafts: Sequence[Draft]) -> None:
    """What new records get without being told: defaults and numbers; then what may not be missing, and dependent choices."""
    definitions = [f.definition for f in resource.custom.values() if f.definition is not None]
    for draft in drafts:
        members = dict(draft.new[COLUMN])
        for definition in definitions:
            default = definition.properties.get("default")
            if default is not None and definition.api_name not in members and not _given_null(resource, draft, definition):
                members[definition.api_name] = default
        draft.new[COLUMN] = members
    for definition in definitions:
        if definition.type is FieldType.AUTONUMBER and drafts:
            await _number(context, definition, drafts)
    check_whole(resource, drafts, creating=True)


def _given_null(resource: AnyResource, draft: Draft, definition: CustomField) -> bool:
    return bool(given_names(resource, {definition.api_name: None}) & draft.given)


async def _number(context: Context, definition: CustomField, drafts: Sequence[Draft]) -> None:
    """Numbers without gaps: the counter's row is locked until the transaction ends, and a rollback gives the numbers back."""
    first = await take_numbers(context, f"field:{definition.id}", len(drafts))
    for number, draft in enumerate(drafts, first):
        draft.new[COLUMN] = {**draft.new[COLUMN], definition.api_name: number_text(definition, number)}


def number_text(definition: CustomField, number: int) -> str:
    """The n-th number of an autonumber, counted from 1, as records show it."""
    properties = definition.properties
    start, padding = int(properties.get("start", 1)), int(properties.get("padding", 0))
    return f"{properties.get('prefix', '')}{number + start - 1:0{padding}d}{properties.get('suffix', '')}"


def check_whole(resource: AnyResource, drafts: Sequence[Draft], *, creating: bool) -> None:
    """Rules that look at the whole record: required fields, dependent picklists."""
    for field in resource.custom.values():
        definition = field.definition
        if definition is None or definition.type in COMPUTED:
            continue
        for draft in drafts:
            members = draft.new[COLUMN]
            place = pointer_to(resource, definition.api_name)
            if creating and definition.required and members.get(definition.api_name) is None:
                draft.errors.append(FieldError("required", pointer=join_pointer(*place)))
            if definition.properties.get("depends_on") and (creating or draft.changed(COLUMN)):
                wrong = check_dependency(definition, members, place[:-1])
                if wrong is not None:
                    draft.errors.append(wrong)


def used_slots(resource: AnyResource) -> frozenset[str]:
    """The slots of the table that this organisation's fields use."""
    found: set[str] = set()
    for field in resource.custom.values():
        if field.definition is not None:
            found.update(name for name in (field.definition.slot, field.definition.unique_slot) if name is not None)
    return frozenset(found)


def derived(fields: Sequence[Field], row: Row, region: str) -> dict[str, Any]:
    """The columns that follow from the members: their folded twin and the slots, those of fields still being built too.

    Members that are no field of the caller's schema (archived ones, and those that came with a newer one than this request
    knows) keep a plain twin.
    """
    members = row[COLUMN] or {}
    known = {field.member for field in fields}
    twin: dict[str, str] = {name: fold(value) for name, value in members.items() if name not in known and isinstance(value, str)}
    found: dict[str, Any] = {}
    for field in fields:
        definition = field.definition
        if definition is None:
            continue
        value = members.get(definition.api_name)
        text = None
        if value is not None and definition.value_type in FOLDED:
            text = twin[definition.api_name] = folded(definition, value, region)
        for name in (definition.slot, definition.unique_slot):
            if name is not None:
                found[name] = text if text is not None or value is None else slot_value(slots.KIND_OF[name], definition, value, region)
    found[f"{COLUMN}_key"] = twin or None
    return found


def texts(fields: Sequence[Field], row: Row, region: str) -> list[str]:
    """The folded texts that `q` finds in custom fields."""
    members = row[COLUMN] or {}
    found = []
    for field in fields:
        definition = field.definition
        value = None if definition is None or not definition.searchable else members.get(definition.api_name)
        if definition is not None and value is not None:
            found.append(fold(value))
            if definition.value_type in (FieldType.EMAIL, FieldType.PHONE):
                found.append(folded(definition, value, region))
    return found
