"""Objects and fields of a configuration: how they are told, and how they become so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from crm_api.core.errors import Conflict, FieldError, Problem, ValidationFailed, join_pointer
from crm_api.flows.configuration.differences import Change, items_of
from crm_api.flows.configuration.names import FIELDS, OBJECTS
from crm_api.flows.metadata import changes as metadata
from crm_api.flows.metadata.describe import label_of
from crm_api.flows.metadata.fields import archive_field, create_field, describe_standard, restore_field, update_field
from crm_api.flows.metadata.objects import archive_object, create_object, restore_object, update_object
from crm_api.flows.metadata.properties import TAKES
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import COMPUTED, STORED_TYPES, CustomField, CustomObject

_OF_OBJECT: Final = ("description", "display_field")
_OF_STANDARD: Final = ("help", "sensitivity")
_TYPES: Final = sorted(kind.value for kind in STORED_TYPES)

Item = dict[str, Any]


def described(objects: Sequence[CustomObject], fields: Sequence[CustomField]) -> dict[str, list[Item]]:
    """Both sections, in the order of names. What is archived is no part of a configuration."""
    there = [_object(found) for found in objects if not found.archived]
    own = [_standard(found) if found.standard else _field(found) for found in fields if not found.archived and not _usual(found)]
    return {
        OBJECTS: sorted(there, key=lambda item: str(item["api_name"])),
        FIELDS: sorted(own, key=lambda item: (str(item["object"]), str(item["api_name"]))),
    }


def _object(found: CustomObject) -> Item:
    properties = {name: found.properties.get(name) for name in _OF_OBJECT}
    names = {"api_name": found.api_name, "singular": found.singular, "label": found.label, "plural_label": found.plural_label}
    return {**names, **properties}


def _field(found: CustomField) -> Item:
    return {
        "object": found.object,
        "api_name": found.api_name,
        "label": found.label,
        "type": found.type.value,
        "indexed": found.slot is not None,
        "unique": found.unique_slot is not None,
        "properties": {name: found.properties[name] for name in TAKES[found.type] if name in found.properties},
    }


def _usual(found: CustomField) -> bool:
    """Whether a definition says nothing of a standard field any more."""
    return found.standard and found.label == label_of(found.api_name) and not any(name in found.properties for name in _OF_STANDARD)


def _standard(found: CustomField) -> Item:
    properties = {name: found.properties[name] for name in _OF_STANDARD if name in found.properties}
    return {"object": found.object, "api_name": found.api_name, "standard": True, "label": found.label, "properties": properties}


_MEMBERS: Final[Mapping[str, Mapping[str, type]]] = {
    OBJECTS: {"api_name": str, "singular": str, "label": str, "plural_label": str, "description": str, "display_field": str},
    FIELDS: {
        "object": str,
        "api_name": str,
        "label": str,
        "type": str,
        "indexed": bool,
        "unique": bool,
        "standard": bool,
        "properties": dict,
    },
}
_MAY_BE_NULL: Final = (*_OF_OBJECT,)
_JSON_TYPES: Final = {str: "string", bool: "boolean", dict: "object"}


def mistakes(section: str, item: Item) -> list[FieldError]:
    """What is wrong with the form of an item."""
    members = _MEMBERS[section]
    errors = []
    for name, value in item.items():
        expected = members.get(name)
        if expected is None:
            errors.append(FieldError("unknown_field", pointer=join_pointer(name), allowed=list(members)))
        elif not isinstance(value, expected) and not (value is None and name in _MAY_BE_NULL):
            errors.append(FieldError("type", pointer=join_pointer(name), params={"expected": _JSON_TYPES[expected]}))
    if section == FIELDS and isinstance(item.get("type"), str) and item["type"] not in _TYPES:
        errors.append(FieldError("enum", pointer="/type", allowed=list(_TYPES)))
    return errors


async def change(context: Context, changes: Sequence[Change], target: Mapping[str, Any]) -> Context:
    """Makes the differences in objects and fields so; the context in which they hold. Raises the first problem of an item."""
    wanted = [found for found in changes if found.section in (OBJECTS, FIELDS)]
    if not wanted:
        return context
    return replace(context, registry=await _Changes(context, wanted, target, await metadata.begin(context)).run(), unnarrowed=None)


class _Changes:
    def __init__(self, context: Context, changes: Sequence[Change], target: Mapping[str, Any], schema: metadata.Schema) -> None:
        self._context = context
        self._schema = schema
        self._items = {section: items_of(context.whole, target, section) for section in (OBJECTS, FIELDS)}
        self._names: dict[str, dict[str, list[Change]]] = {OBJECTS: {}, FIELDS: {}}
        for found in changes:
            self._names[found.section].setdefault(found.name, []).append(found)

    async def run(self) -> Any:
        """Objects come first and go last."""
        for name, found in self._names[OBJECTS].items():
            if found[0].op != "remove":
                await self._guarded(OBJECTS, name, self._put_object(self._items[OBJECTS][name]))
        await self._put_fields()
        for name, found in self._names[FIELDS].items():
            if found[0].op == "remove":
                await self._guarded(FIELDS, name, self._remove_field(found[0].old))
        for name, found in self._names[OBJECTS].items():
            if found[0].op == "remove":
                made = self._schema.object(found[0].old["api_name"])
                if made is not None:
                    await self._guarded(OBJECTS, name, archive_object(self._schema, made))
        return self._schema.registry()

    async def _guarded(self, section: str, name: str, work: Any) -> None:
        try:
            await work
        except Problem as problem:
            places = {key: index for index, key in enumerate(self._items[section])}
            if not problem.errors:
                problem.errors = [FieldError(problem.code, problem.title, pointer="")]
            raise problem.under(join_pointer(section, places.get(name, name))) from None

    async def _put_object(self, item: Item) -> None:
        schema, made = self._schema, self._schema.object(item["api_name"])
        if made is None:
            properties = {name: item[name] for name in _OF_OBJECT if item.get(name) is not None and name != "display_field"}
            names = {name: item.get(name) for name in ("api_name", "singular", "label", "plural_label")}
            missing = [FieldError("required", pointer=join_pointer(name)) for name, value in names.items() if not isinstance(value, str)]
            if missing:
                raise ValidationFailed(missing)
            await create_object(schema, {**names, "properties": properties})
            return
        if item.get("singular", made.singular) != made.singular:
            raise Conflict("It can't be changed.", errors=[FieldError("immutable", pointer="/singular")])
        if made.archived:
            await restore_object(schema, made)
            made = next(found for found in schema.objects if found.api_name == item["api_name"])
        await update_object(schema, made, {name: item[name] for name in ("label", "plural_label", "description") if name in item})

    async def _put_fields(self) -> None:
        """Fields in an order in which each finds what it is made of: those that fail are tried again behind the others."""
        waiting = [name for name, found in self._names[FIELDS].items() if found[0].op != "remove"]
        items = self._items[FIELDS]
        waiting.sort(key=lambda name: items[name].get("type") in {kind.value for kind in COMPUTED})
        while waiting:
            failed: list[tuple[str, ValidationFailed]] = []
            for name in waiting:
                try:
                    await self._put_field(items[name])
                except ValidationFailed as problem:
                    failed.append((name, problem))
            if len(failed) == len(waiting):
                first, why = failed[0]
                raise why.under(join_pointer(FIELDS, list(items).index(first)))
            waiting = [name for name, _ in failed]
        for name in self._names[OBJECTS]:
            item = self._items[OBJECTS].get(name)
            made = None if item is None else self._schema.object(item["api_name"])
            if item is not None and made is not None and "display_field" in item:
                await self._guarded(OBJECTS, name, update_object(self._schema, made, {"display_field": item["display_field"]}))

    async def _put_field(self, item: Item) -> None:
        schema, found = self._schema, self._schema.field(item["object"], item["api_name"])
        properties: dict[str, Any] = item.get("properties", {})
        if item.get("standard"):
            registry = schema.registry()
            if item["object"] not in registry:
                raise ValidationFailed([FieldError("enum", pointer="/object", allowed=[resource.name for resource in registry])])
            given = {"label": item.get("label"), **dict.fromkeys(_OF_STANDARD), **properties}
            await describe_standard(schema, registry[item["object"]], item["api_name"], given)
            return
        if found is None:
            missing = [
                FieldError("required", pointer=join_pointer(name)) for name in ("label", "type") if not isinstance(item.get(name), str)
            ]
            if missing:
                raise ValidationFailed(missing)
            if item["object"] not in schema.registry():
                raise ValidationFailed([FieldError("enum", pointer="/object", allowed=[r.name for r in schema.registry()])])
            body = {"indexed": False, "unique": False, **item, "properties": properties}
            await create_field(schema, item["object"], body)
            return
        if item.get("type", found.type.value) != found.type.value:
            raise Conflict("It can't be changed.", errors=[FieldError("immutable", pointer="/type")])
        if found.archived:
            found = await restore_field(schema, found)
        gone: dict[str, Any] = {name: None for name in TAKES[found.type] if name in found.properties and name not in properties}
        flags: dict[str, Any] = {name: item[name] for name in ("label", "indexed", "unique") if name in item}
        if "properties" not in item:
            gone = {}
        await update_field(schema, found, {**gone, **properties, **flags})

    async def _remove_field(self, old: Item) -> None:
        schema = self._schema
        if old.get("standard"):
            given = {"label": None, **dict.fromkeys(_OF_STANDARD)}
            await describe_standard(schema, schema.registry()[old["object"]], old["api_name"], given)
            return
        found = schema.field(old["object"], old["api_name"])
        if found is not None:
            # Views and layouts of the same document are brought in line afterwards, so what uses it now doesn't count.
            await archive_field(schema, found, force=True)
