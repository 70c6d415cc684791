"""The whole document, from an application's routes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from crm_api.http.openapi.access_kinds import access_schemas
from crm_api.http.openapi.board_kinds import board_schemas
from crm_api.http.openapi.events import event_schemas, system_schemas, system_webhooks, webhooks
from crm_api.http.openapi.filters import filter_parameters
from crm_api.http.openapi.operations import Builder
from crm_api.http.openapi.ordinary import describe_ordinary
from crm_api.http.openapi.parameters import HEADERS, SHARED
from crm_api.http.openapi.problems import problem_responses
from crm_api.http.openapi.samples import Schema
from crm_api.http.openapi.schemas import merge_schemas, record_schemas, without_defaults
from crm_api.http.openapi.stories import story_schemas
from crm_api.http.records.operation import Operation, operation_of
from crm_api.kernel.registry import Registry

SECURITY_SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token. Its scopes say what it may do: `<object>:read`, `<object>:write` (contains read), "
        "`<object>:delete`, "
        "`*:read`, `events:read`, `admin` (everything).",
    }
}
METHODS: Final = ("get", "put", "post", "delete", "patch")
INTRODUCTION: Final = """\
A CRM without a user interface: accounts, contacts, leads, deals, cases and all that happens around them, over HTTP.

**Start.** `crm-api up --demo` prints a token. Send it as `Authorization: Bearer <token>`; everything belongs to the token's organisation.

**Records.** Every object has the same routes: list, search, get, create, change (merge patch), delete, restore, batches. Names are
snake_case, ids are UUIDv7, money and decimals are strings, instants are UTC with six digits. Nothing is dropped silently: an unknown
parameter is 400, an unknown field 422, each with what would have been right.

**Lists.** `GET /v1/contacts?account.industry=saas&created_at[within]=P30D&sort=-created_at&expand=account&fields=display_name`.
Follow `page.next_cursor` until it is null: a record that matches throughout is given exactly once, whatever others write meanwhile.

**Writes.** An `Idempotency-Key` makes a retry safe, `If-Match` keeps you from overwriting what you haven't seen, `?dry_run=true` only
checks. `X-Outcome` says what was done.

**Errors** are `application/problem+json` (RFC 9457); `code` is for programs. All codes are in the schema `Problem`.

**Changes.** Each write makes one event. `GET /v1/events` gives them in one order without gaps, `GET /v1/events/stream` as they happen.

**Versions.** `/v1` stays. What breaks comes as a dated version, chosen by `CRM-Version`. New routes, fields, parameters, event types,
codes and enum values may come at any time: be ready to meet names you don't know.
"""
OTHER_TAGS: Final = {
    "account": "Who calls, and within which limits.",
    "tokens": "API tokens: secrets that programs send.",
    "oauth": "Apps that act for people, or as themselves: OAuth 2.1, the apps that are registered, and what they were allowed.",
    "links": "Edges of many-to-many relations, across all records.",
    "composite": "Many requests in one.",
    "events": "The journal of all changes, and the stream of those to come.",
    "jobs": "Work that goes on after the answer.",
    "configuration": "What an organisation is set up to be, as one document.",
    "meta": "The organisation's schema: its objects and fields, how they are changed, and descriptions of them for programs.",
    "sandboxes": "Copies of an organisation to try things out in, and the clock that can be moved there.",
    "audit": "Who did what: a log that nobody can change unnoticed.",
    "encryption": "The keys under which secrets are kept that must be readable again.",
    "privacy": "A person's data: bringing it together, erasing it, and addresses that must not come back.",
    "search": "Searching several objects at once.",
    "reports": "Figures over many records.",
    "Operation": "For whoever runs the service: probes, metrics, descriptions.",
}


def served(app: FastAPI) -> list[RouteContext]:
    """The routes that the document is about."""
    return [
        context
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute) and getattr(context, "include_in_schema", True)
    ]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the document is put together from: the paths, and who is behind those that are about records; all components, those
    that nothing refers to as well."""

    registry: Registry
    version: str
    builder: Builder
    paths: dict[str, dict[str, Schema]]
    operations: dict[tuple[str, str], Operation]
    webhooks: dict[str, Schema]
    filters: dict[str, dict[str, Schema]]
    schemas: dict[str, Schema]
    parameters: dict[str, Schema]


def describe(app: FastAPI) -> Parts:
    """Everything there is to say about an application's routes."""
    registry: Registry = app.state.services.engine.registry
    version: str = app.state.services.settings.api_version
    schemas = record_schemas(registry)
    merge_schemas(schemas, story_schemas())
    merge_schemas(schemas, board_schemas())
    merge_schemas(schemas, access_schemas())
    merge_schemas(schemas, event_schemas(registry, schemas))
    merge_schemas(schemas, system_schemas(schemas))
    parameters, filters = dict(SHARED), _filters(registry)
    builder = Builder(registry, schemas, {name: list(found) for name, found in filters.items()})
    for resource in registry:
        builder.add_answer_parameters(resource)
    paths: dict[str, dict[str, Schema]] = {}
    operations: dict[tuple[str, str], Operation] = {}
    ordinary = []
    for context in served(app):
        operation = operation_of(context.endpoint)
        if operation is None:
            ordinary.append(context)
        else:
            paths.setdefault(operation.path, {})[operation.method.lower()] = builder.describe(operation)
            operations[operation.path, operation.method.lower()] = operation
    more_paths, more_schemas = describe_ordinary(ordinary)
    for template, found in more_paths.items():
        paths.setdefault(template, {}).update(found)
    # What both know is better described here: a record's relations, what `fields` may leave out.
    schemas = {name: without_defaults(schema) for name, schema in {**more_schemas, **schemas}.items()}
    for own in filters.values():
        parameters |= own
    parameters |= builder.parameters
    return Parts(
        registry,
        version,
        builder,
        {template: _sorted(paths[template]) for template in paths},
        operations,
        webhooks(registry, schemas) | system_webhooks(registry, schemas),
        filters,
        schemas,
        {name: without_defaults(parameter) for name, parameter in parameters.items()},
    )


def render(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an application. The same routes give the same document, in the same order."""
    parts = describe(app)
    return _pruned(
        {
            **preamble(parts.version, tags_of(parts.registry, parts.paths)),
            "paths": parts.paths,
            "webhooks": parts.webhooks,
            "components": {
                "securitySchemes": SECURITY_SCHEMES,
                "parameters": parts.parameters,
                "headers": HEADERS,
                "examples": parts.builder.examples,
                "responses": problem_responses(),
                "schemas": parts.schemas,
            },
        }
    )


def preamble(version: str, tags: list[Schema]) -> dict[str, Any]:
    """What the document begins with."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CRM API",
            "version": version,
            "summary": "A headless CRM behind one HTTP API.",
            "description": INTRODUCTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that gave this document."}],
        "security": [{"bearer": []}],
        "tags": tags,
    }


def _sorted(operations: dict[str, Schema]) -> dict[str, Schema]:
    found: dict[str, Schema] = {method: operations[method] for method in METHODS if method in operations}
    for operation in found.values():
        finish(operation)
    return found


def finish(operation: Schema) -> Schema:
    """An operation with its own parameters as the document shows them; those it refers to are finished where they stand."""
    own = operation["parameters"]
    operation["parameters"] = [parameter if "$ref" in parameter else without_defaults(parameter) for parameter in own]
    return operation


def _filters(registry: Registry) -> dict[str, dict[str, Schema]]:
    """Each object's filters; one name stands for one parameter, so unequal ones get the object's name."""
    found = {resource.name: filter_parameters(resource) for resource in registry}
    variants: dict[str, list[Schema]] = {}
    for parameters in found.values():
        for name, parameter in parameters.items():
            if parameter not in variants.setdefault(name, []):
                variants[name].append(parameter)
    return {
        object_name: {
            (name if len(variants[name]) == 1 else name.replace("Filter.", f"Filter.{object_name}.", 1)): parameter
            for name, parameter in parameters.items()
        }
        for object_name, parameters in found.items()
    }


def tags_of(registry: Registry, paths: dict[str, dict[str, Schema]]) -> list[Schema]:
    """The tags that operations have, described."""
    used = Counter(tag for operations in paths.values() for operation in operations.values() for tag in operation.get("tags", ()))
    described = {resource.name: resource.description for resource in registry} | OTHER_TAGS
    return [{"name": name, "description": text} for name, text in described.items() if used[name]]


def _pruned(document: dict[str, Any]) -> dict[str, Any]:
    """Without components that nothing refers to."""
    components = document["components"]
    reached: set[str] = set()
    queue: list[Any] = [document["paths"], document["webhooks"]]
    while queue:
        node = queue.pop()
        if isinstance(node, list):
            queue.extend(node)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in reached:
                reached.add(reference)
                _, _, kind, name = reference.split("/")
                queue.append(components[kind][name])
            queue.extend(node.values())
    for kind in ("parameters", "headers", "examples", "responses", "schemas"):
        components[kind] = {name: value for name, value in components[kind].items() if f"#/components/{kind}/{name}" in reached}
    return document
