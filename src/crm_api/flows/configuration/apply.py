"""Applying a configuration: all of it or nothing, through the services that everybody's changes go through.

What is done is found by comparing, so applying twice changes nothing the second time. Rules may change more than what they
were asked for (a new default ends the old one, stages make room), so the comparison is repeated until nothing is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import Conflict, FieldError, ValidationFailed, join_pointer
from crm_api.flows import organization_settings
from crm_api.flows.configuration import document as documents
from crm_api.flows.configuration import schema
from crm_api.flows.configuration.differences import Change, compare, items_of
from crm_api.flows.configuration.document import FORMAT, REF, SETTINGS, USER, Present
from crm_api.flows.configuration.names import FIELDS, OBJECTS, key_names
from crm_api.kernel.context import Context
from crm_api.kernel.locks import serialize
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes.types import Outcome, Patch, Target, WriteOptions

LOCK: Final = "configuration"
_ROUNDS: Final = 4
_ITEMS: Final = WriteOptions(atomic=False)
_METADATA: Final = (OBJECTS, FIELDS)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was different, and the context in which the new schema holds."""

    changes: list[Change]
    before: dict[str, Any]
    context: Context


def check(registry: Registry, document: Any) -> None:
    """Whether a document has the form of a configuration. Raises ValidationFailed naming every mistake."""
    errors: list[FieldError] = []
    if not isinstance(document, dict):
        raise ValidationFailed([FieldError("type", pointer="", params={"expected": "object"})])
    if document.get("format") != FORMAT:
        errors.append(FieldError("enum", pointer="/format", allowed=[FORMAT]))
    known = ["format", "settings", *_METADATA, *(resource.name for resource in documents.sections(registry))]
    for section, items in document.items():
        if section not in known:
            errors.append(FieldError("unknown_field", pointer=join_pointer(section), allowed=known))
        elif section == "settings":
            errors += _settings_errors(registry, items)
        elif section != "format":
            errors += _section_errors(registry, section, items)
    if errors:
        raise ValidationFailed(errors)


def _settings_errors(registry: Registry, settings: Any) -> list[FieldError]:
    if not isinstance(settings, dict):
        return [FieldError("type", pointer="/settings", params={"expected": "object"})]
    unknown = [
        FieldError("unknown_field", pointer=join_pointer("settings", name), allowed=list(SETTINGS))
        for name in settings
        if name not in SETTINGS
    ]
    if unknown:
        return unknown
    try:
        organization_settings.read_checked(registry, settings)
    except ValidationFailed as problem:
        return [error.under("/settings") for error in problem.errors]
    return []


def _section_errors(registry: Registry, section: str, items: Any) -> list[FieldError]:
    if not isinstance(items, list):
        return [FieldError("type", pointer=join_pointer(section), params={"expected": "array"})]
    errors = []
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            errors.append(FieldError("type", pointer=join_pointer(section, index), params={"expected": "object"}))
            continue
        if section in _METADATA:
            errors += [error.under(join_pointer(section, index)) for error in schema.mistakes(section, item)]
        for part in key_names(registry, section):
            if not isinstance(item.get(part), str):
                errors.append(FieldError("required", pointer=join_pointer(section, index, part)))
        for part, value in () if section in _METADATA else registry[section].configured.items():
            if item.get(part) != value:
                errors.append(FieldError("enum", pointer=join_pointer(section, index, part), allowed=[value]))
        for reference in documents.references(item):
            if not all(isinstance(value, str) for value in reference.values()):
                errors.append(FieldError("unresolved_reference", pointer=join_pointer(section, index)))
    return errors


async def apply(context: Context, target: Mapping[str, Any], *, prune: bool = False) -> Applied:
    """Makes the organisation's configuration that of the document; in the caller's transaction, which the caller ends.

    Items and fields that the document leaves out stay; with `prune` items of its sections that it leaves out go. Raises the
    first problem of an item with a pointer into the document, Conflict for what can't be made so.
    """
    check(context.whole, target)
    await serialize(context, LOCK)
    present = await documents.read(context)
    before, changes = present.document, compare(context.whole, present.document, target, prune=prune)
    if not changes:
        return Applied([], before, context)
    await _settings(context, changes)
    context = await schema.change(context, changes, target)
    for number in range(_ROUNDS):
        present = await documents.read(context)
        left = compare(context.whole, present.document, target, prune=prune)
        left = [change for change in left if change.section not in ("settings", *_METADATA)]
        if not left:
            return Applied(changes, before, context)
        await _Round(context, present, target, left, first=number == 0).run()
    errors = [FieldError("conflict", pointer=change.json()["path"]) for change in left[:20]]
    raise Conflict("The rules of the organisation don't let the configuration become so.", errors=errors)


async def _settings(context: Context, changes: Sequence[Change]) -> None:
    given = {str(change.field): change.new for change in changes if change.section == "settings"}
    if given:
        try:
            checked = organization_settings.read_checked(context.whole, given)
        except ValidationFailed as problem:
            raise problem.under("/settings") from None
        columns = {name: value for name, value in checked.items() if name in organization_settings.COLUMNS}
        settings = {name: value for name, value in checked.items() if name not in columns}
        await organization_settings.change(context, columns, settings)


class _Round:
    """One comparison's worth of writes to records."""

    def __init__(self, context: Context, present: Present, target: Mapping[str, Any], changes: Sequence[Change], *, first: bool) -> None:
        self._context = context
        self._present = present
        self._first = first
        self._writer = Writer()
        self._by_section: defaultdict[str, list[Change]] = defaultdict(list)
        for change in changes:
            self._by_section[change.section].append(change)
        self._places = {
            section: {name: index for index, name in enumerate(items_of(context.whole, target, section))} for section in self._by_section
        }

    async def run(self) -> None:
        """Makes what is missing and changes what differs, what is referred to first; then removes, in the opposite order."""
        ordered = [resource for resource in documents.sections(self._context.whole) if resource.name in self._by_section]
        for resource in ordered:
            await self._create(resource)
            await self._update(resource)
        for resource in reversed(ordered):
            await self._remove(resource)

    async def _create(self, resource: AnyResource) -> None:
        added = [change for change in self._by_section[resource.name] if change.op == "add"]
        if not added:
            return
        bodies = [self._inward(resource, change.name, change.new) for change in added]
        made = await self._writer.create(self._context, resource, bodies, options=_ITEMS)
        self._raise(resource, added, made)
        for change, outcome in zip(added, made, strict=True):
            assert outcome.id is not None
            self._present.ids.setdefault(resource.name, {})[change.name] = outcome.id

    async def _update(self, resource: AnyResource) -> None:
        bodies: dict[str, dict[str, Any]] = {}
        for change in self._by_section[resource.name]:
            # Ending a default is what a new default does; only in a second round it is told to end.
            if change.op == "change" and not (self._first and change.field == "is_default" and change.new is False):
                bodies.setdefault(change.name, {})[str(change.field)] = change.new
        if not bodies:
            return
        ids = self._present.ids[resource.name]
        patches = [Patch(ids[name], self._inward(resource, name, body)) for name, body in bodies.items()]
        outcomes = await self._writer.update(self._context, resource, patches, options=_ITEMS)
        self._raise(resource, [Change(resource.name, name, None, "change", None, None) for name in bodies], outcomes)

    async def _remove(self, resource: AnyResource) -> None:
        gone = [change for change in self._by_section[resource.name] if change.op == "remove"]
        if gone:
            targets = [Target(self._present.ids[resource.name][change.name]) for change in gone]
            self._raise(resource, gone, await self._writer.delete(self._context, resource, targets, options=_ITEMS))

    def _raise(self, resource: AnyResource, changes: Sequence[Change], outcomes: Sequence[Outcome]) -> None:
        """Raises the problem of the first item that failed, pointing into the document."""
        for change, outcome in zip(changes, outcomes, strict=True):
            if outcome.problem is not None:
                place = self._places[resource.name].get(change.name)
                at = join_pointer(resource.name, change.name if place is None else place)
                if not outcome.problem.errors:
                    outcome.problem.errors = [FieldError(outcome.problem.code, outcome.problem.title, pointer="")]
                raise outcome.problem.under(at)

    def _inward(self, resource: AnyResource, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body for the writer: names become ids."""
        found: dict[str, Any] = {}
        for key, value in body.items():
            field = resource.fields.get(key)
            target = None if field is None else field.spec.target
            if target in self._present.ids and isinstance(value, str):
                found[key] = self._id(resource, name, key, self._present.ids[target], value)
            else:
                found[key] = self._resolved(value, partial(self._id, resource, name, key))
        return found

    def _resolved(self, value: Any, id_of: Callable[[Mapping[str, UUID], str], str]) -> Any:
        if isinstance(value, dict):
            if set(value) == {REF}:
                section, name = documents.split_reference(value[REF])
                return id_of(self._present.ids.get(section, {}), name)
            if set(value) == {USER}:
                return id_of(self._present.users, value[USER])
            return {key: self._resolved(inner, id_of) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner, id_of) for inner in value]
        return value

    def _id(self, resource: AnyResource, name: str, key: str, ids: Mapping[str, UUID], wanted: str) -> str:
        found = ids.get(wanted)
        if found is None:
            pointer = join_pointer(resource.name, self._places[resource.name].get(name, 0), key)
            raise ValidationFailed([FieldError("unresolved_reference", pointer=pointer)])
        return str(found)
