"""List, search, get, and the lists that hang on a record."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.http.records.answers import document, json_response, page_answer, page_body, record_answer
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.saved import view_of_body, view_of_query
from crm_api.http.routing import charge, reads
from crm_api.kernel.aggregate import aggregate
from crm_api.kernel.changes import page_of_changes
from crm_api.kernel.explain import explain
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.lookup import find_by
from crm_api.kernel.query.request import ReadRequest, search_request
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource


async def _page(call: Call, resource: AnyResource, request: ReadRequest) -> Response:
    call.policy.require_read(request.objects)
    reader = call.engine.reader
    labels = call.labels() if request.plan.labels else None
    if request.text is not None:
        await charge(call.request, 1)  # a full-text search counts twice
    if request.since is None:
        return page_answer(call, await reader.page(call.context, resource, request, labels=labels))
    await call.context.uow.writable()  # giving journal numbers writes
    return page_answer(call, await page_of_changes(call.context, reader, resource, request, labels=labels))


async def _explained(call: Call, resource: AnyResource, request: ReadRequest) -> Response:
    """The page with the plan beside it."""
    call.policy.require_read(request.objects)
    reader = call.engine.reader
    labels = call.labels() if request.plan.labels else None
    page = page_body(call.context.principal, await reader.page(call.context, resource, request, labels=labels))
    return json_response(page[:-1] + b',"plan":' + orjson.dumps(await explain(call.context, reader, resource, request)) + b"}")


def list_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}."""

    @raw
    async def list_records(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        view = await view_of_query(call, resource)
        saved = None if view is None else view.query
        asked = call.engine.reader.list_request(call.context, resource, call.query, call.locale(), events_seq=call.events_seq, saved=saved)
        return await _page(call, resource, asked)

    return list_records


def search_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/search."""

    @reads
    @raw
    async def search_records(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("as_of",))
        body = await call.json()
        if "as_of" in given and isinstance(body, dict):
            body = {**body, "as_of": given["as_of"]}
        view = await view_of_body(call, resource, body)
        asked = search_request(call.context.registry, resource, body, call.locale(), saved=None if view is None else view.query)
        if asked.explain:
            return await _explained(call, resource, asked)
        return await _page(call, resource, asked)

    return search_records


def get_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}."""

    @raw
    async def get_record(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        options = call.answer_options(resource, as_of=True)
        record = await call.engine.reader.one(
            call.context,
            resource,
            call.path_id(),
            fields=options.fields,
            expand=options.expand,
            values=options.values,
            as_of=options.as_of,
            labels=options.labels,
            abilities=options.abilities,
        )
        return record_answer(call, resource, record)

    return get_record


def get_by_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/by/{unique_field}/{value}."""

    @raw
    async def get_record_by(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        options = call.answer_options(resource)
        field, value = request.path_params["unique_field"], request.path_params["value"]
        found = await find_by(call.context, resource, field, value)
        record = await call.engine.reader.one(
            call.context,
            resource,
            found,
            fields=options.fields,
            expand=options.expand,
            values=options.values,
            labels=options.labels,
            abilities=options.abilities,
        )
        return record_answer(call, resource, record)

    return get_record_by


def related_endpoint(resource: AnyResource, relation: Relation) -> Endpoint:
    """GET /v1/{object}/{id}/{relation}."""

    @raw
    async def list_related(request: Request) -> Response:
        call = Call.of(request)
        registry = call.context.registry
        target = registry.get(relation.target)
        if target is None or relation.name not in registry.relations.get(resource.name, ()):
            raise NotFound()
        call.policy.require_read((resource.name, target.name))
        parent = (resource, relation, call.path_id())
        view = await view_of_query(call, target)
        saved = None if view is None else view.query
        asked = call.engine.reader.list_request(
            call.context, target, call.query, call.locale(), parent=parent, events_seq=call.events_seq, saved=saved
        )
        return await _page(call, target, asked)

    return list_related


def aggregate_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/aggregate."""

    @reads
    @raw
    async def aggregate_records(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        call.refuse_parameters()
        groups, head = await aggregate(call.context, resource, await call.json(), call.locale())
        page = {"events_cursor": encode_events_cursor(call.context.principal.org_id, head)}
        return document({"data": groups, "page": page})

    return aggregate_records
