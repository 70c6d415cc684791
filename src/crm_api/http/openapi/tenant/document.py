"""The document of one organisation, for callers of one shape: pieces of everybody's, and what is its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from crm_api.http.openapi.document import METHODS, SECURITY_SCHEMES, finish, preamble
from crm_api.http.openapi.events import told_in, webhooks
from crm_api.http.openapi.filters import filter_parameters
from crm_api.http.openapi.operations import Builder
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import stem, uncompleted, without_defaults
from crm_api.http.openapi.tenant.base import KINDS, NOTHING, Base, Piece, piece
from crm_api.http.openapi.tenant.hidden import cut_document, hidden_names
from crm_api.http.openapi.tenant.names import prepared, unique_id
from crm_api.http.openapi.tenant.objects import add_object
from crm_api.http.openapi.tenant.template import Filled, Template, fits
from crm_api.http.records.operation import Operation
from crm_api.http.records.routes import routes_of
from crm_api.kernel.event_catalog import types_of
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.visible import Visible


def compile_document(base: Base, template: Template, visible: Visible) -> bytes:
    """The OpenAPI document as JSON."""
    compilation = _Compilation(base, template, visible)
    found = orjson.dumps(compilation.document())
    if compilation.hidden or any(map(hidden_names, visible)):
        return orjson.dumps(cut_document(orjson.loads(found), visible, frozenset(compilation.hidden)))
    return found


class _Compilation:
    """One document on its way. `changed` are the objects that have to be described anew."""

    def __init__(self, base: Base, template: Template, visible: Visible) -> None:
        self.base = base
        self.template = template
        self.registry = visible.with_resources(prepared(visible, base.schemas))
        self.hidden = {r.name for r in base.parts.registry if r.name not in visible}
        self.changed = [r for r in self.registry if r.made is not None or not _same(base.parts.registry, self.registry, r)]
        self.names = {resource.name for resource in self.changed}
        self.schemas = dict(base.schemas)
        self.ids = set(base.operation_ids)
        self.filters: dict[str, Schema] = {}
        self.examples: dict[str, Piece] = {}
        self.builder = Builder(self.registry, self.schemas, {})

    def document(self) -> dict[str, Any]:
        base = self.base
        for resource in self.changed:
            add_object(self.schemas, base, self.registry, resource)
        for name in self.hidden:  # something visible may still show such a record, but not what hangs on it
            stem_ = stem(base.parts.registry[name])
            self.schemas[f"{stem_}Read"] = uncompleted(base.schemas[f"{stem_}Read"], base.parts.registry.relations[name])
        self._parameters()
        made = [resource for resource in self.changed if resource.made is not None]
        filled = [self.template.fill(self.builder, resource) for resource in made if fits(resource)]
        operations = self._operations(filled)
        told = {kind.name for resource in self.registry for kind in types_of(resource)}.union(told_in(self.registry))
        hooks = {name: hook for name, hook in base.webhooks.items() if name in told}
        for own in filled:
            hooks.update(own.webhooks())
            self.examples.update(own.examples())
        rest = [resource for resource in made if not fits(resource)]
        hooks |= {name: piece(hook) for name, hook in webhooks(rest, self.schemas).items()}
        components = self._components([*operations.values(), *hooks.values()])
        tags = [tag for tag in base.tags if tag["name"] not in self.hidden]
        tags += [{"name": resource.name, "description": resource.description} for resource in made]
        paths: dict[str, dict[str, orjson.Fragment]] = {}
        for (path, method), found in operations.items():
            paths.setdefault(path, {})[method] = found.body
        return {
            **preamble(base.parts.version, tags),
            "paths": {path: {method: found[method] for method in METHODS if method in found} for path, found in paths.items()},
            "webhooks": {name: hook.body for name, hook in hooks.items()},
            "components": {"securitySchemes": SECURITY_SCHEMES, **components},
        }

    def _parameters(self) -> None:
        """Filters, `fields` and `expand` of the changed objects; those of the others are the ones of all organisations."""
        base = self.base
        for resource in self.registry:
            if resource.name not in self.names:
                self.builder.filters[resource.name] = base.parts.builder.filters[resource.name]
                self.builder.show(resource.name, _names(base.parts.builder.shown(resource)))
                continue
            self.builder.add_answer_parameters(resource)
            self.builder.filters[resource.name] = [*self._filters(resource)]
            if resource.made is not None:
                self.builder.list_parameters(resource)  # keeps the order's parameter

    def _filters(self, resource: AnyResource) -> Iterator[str]:
        if resource.made is None:
            yield from self.base.parts.builder.filters[resource.name]
        else:
            yield from self.base.envelope
        own = filter_parameters(resource, resource.custom.values())
        self.filters |= own
        yield from own

    def _operations(self, filled: Iterable[Filled]) -> dict[tuple[str, str], Piece]:
        found: dict[tuple[str, str], Piece] = {}
        described = self.base.parts.operations
        for place, known in self.base.operations.items():
            operation = described.get(place)
            if self._is_hidden(place[0], operation):
                continue
            if operation is not None and self._is_changed(operation):
                operation = replace(operation, resource=self.registry[operation.resource.name])
                known = piece(finish(self.builder.describe(operation)))
            found[place] = known
        for own_ones in filled:
            found.update(own_ones.operations())
        for resource in self.changed:
            for route in routes_of(self.registry, resource):
                operation = route.operation
                place = (operation.path, operation.method.lower())
                if place not in found and not self._is_hidden(operation.path, operation):
                    own = finish(self.builder.describe(operation))
                    own["operationId"] = unique_id(own["operationId"], self.ids)
                    found[place] = piece(own)
        return found

    def _is_hidden(self, path: str, operation: Operation | None) -> bool:
        if not self.hidden:
            return False
        segments = path.split("/")
        ends = {segments[2] if len(segments) > 2 else ""}
        if operation is not None:
            ends.add(operation.resource.name)
            ends.update(() if operation.relation is None else (operation.relation.source, operation.relation.target))
        return not ends.isdisjoint(self.hidden)

    def _is_changed(self, operation: Operation) -> bool:
        return operation.resource.name in self.names or (operation.relation is not None and operation.relation.target in self.names)

    def _components(self, roots: Iterable[Piece]) -> dict[str, dict[str, orjson.Fragment]]:
        """The components that the paths lead to."""
        own: dict[str, dict[str, Piece]] = {
            "parameters": {name: piece(without_defaults(p)) for name, p in self.builder.parameters.items()}
            | {name: Piece(orjson.Fragment(orjson.dumps(parameter)), NOTHING) for name, parameter in self.filters.items()},
            "examples": {name: piece(example) for name, example in self.builder.examples.items()} | self.examples,
            "schemas": {
                name: piece(schema) for name, schema in self.schemas.items() if self.base.schemas.get(name) is not schema
            },
        }  # fmt: skip
        known = {kind: {**self.base.components[kind], **own.get(kind, {})} for kind in KINDS}
        waiting: list[Piece] = [*roots]
        reached: set[bytes] = set()
        while waiting:
            for name in waiting.pop().refers_to - reached:
                reached.add(name)
                kind, _, component = name.decode().partition("/")
                waiting.append(known[kind][component])
        return {kind: {name: p.body for name, p in known[kind].items() if f"{kind}/{name}".encode() in reached} for kind in KINDS}


def _names(references: Iterable[Schema]) -> list[str]:
    return [reference["$ref"].rpartition("/")[2] for reference in references]


def _same(standard: Registry, visible: Registry, resource: AnyResource) -> bool:
    """Whether an object is what all organisations have."""
    known = standard[resource.name]
    return not resource.custom and resource.fields == known.fields and _relations(standard, known) == _relations(visible, resource)


def _relations(registry: Registry, resource: AnyResource) -> tuple[list[str], list[str]]:
    return sorted(registry.relations[resource.name]), sorted(registry.edges[resource.name])


__all__ = ["compile_document"]
