"""Routes under /v1/meta that describe the organisation's schema to programs: OpenAPI, JSON Schema, TypeScript, differences."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.flows.metadata import differences
from crm_api.http.meta.changelog import CHANGELOG
from crm_api.http.meta.described import Changelog, SchemaDifference, SchemaObjectRead, SchemaRead
from crm_api.http.meta.descriptions import descriptions_of
from crm_api.http.meta.jsonschema import VERBS, json_schema
from crm_api.http.meta.overview import Overview
from crm_api.http.meta.typescript import typescript
from crm_api.http.openapi.tenant.document import compile_document
from crm_api.http.routing import JOINED, KernelRoute, other_media
from crm_api.http.services import services_of
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.visible import Visible, visible

router = APIRouter(route_class=KernelRoute, prefix="/v1/meta", tags=["meta"])
BESIDE: Final = ("openapi.json", "types.ts", "diff", "changelog", "objects", "navigation", "themes", "widgets", "links")
"""What else `/v1/meta/…` is; no object has such a name."""

ObjectName = Annotated[str, Path(description="The object's name.", examples=["deals"], json_schema_extra={"not": {"enum": list(BESIDE)}})]
TYPESCRIPT: Final = "text/x-typescript"
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It is still what `If-None-Match` names."}}


async def _ended(context: Context, request: Request) -> None:
    """Ends the transaction before something is made that takes a while: nothing more is read, and nothing was written."""
    if request.scope.get(JOINED) is None:
        await context.uow.commit()


def _visible(context: Context) -> Visible:
    return visible(context.policy, context.registry)


@router.get("", name="get_meta", response_model=SchemaRead, responses=UNCHANGED, summary="Describe everything for a user interface")
async def get_meta(
    context: ContextDep,
    request: Request,
    include: Annotated[
        str,
        Query(
            description="What comes with the objects, separated by commas: `fields`, `relations`, `pipelines`, `views`, `layouts`. "
            "Vocabularies come with `fields`.",
            examples=["fields,relations,pipelines"],
        ),
    ] = "",
) -> Response:
    """The first call of a user interface: all objects that the caller may read, with labels and what the caller may do with them.

    `include` brings along fields with their rules and choices, relations, pipelines with stages, saved views and layouts. Ask
    again with `If-None-Match`, or when `schema.updated` comes by: an answer 304 costs next to nothing.
    """
    return await Overview(context, _visible(context), services_of(request).settings.api_version).all(request, include)


@router.get("/openapi.json", name="get_meta_openapi", responses=UNCHANGED, summary="Get the organisation's own OpenAPI document")
async def get_meta_openapi(context: ContextDep, request: Request) -> Response:
    """The OpenAPI 3.1 document of this organisation: the API with its own fields and objects in it.

    Objects of its own have all their operations; fields that it has added are typed members, filters with literal names and, if
    they are references, relations. Objects that the caller may not read are absent. Made anew when the schema changes; ask with
    `If-None-Match`. Generators of clients take it as they take `/openapi.json`.
    """
    kept, seen = descriptions_of(request), _visible(context)
    await _ended(context, request)
    base, template = await kept.base(request)
    return await kept.answer(request, await kept.entry(("openapi", seen.key), lambda: compile_document(base, template, seen)))


@router.get("/types.ts", name="get_meta_types", responses=UNCHANGED, summary="Get TypeScript types of the organisation's objects")
@other_media
async def get_meta_types(context: ContextDep, request: Request) -> Response:
    """A TypeScript module with the types of all objects that the caller may read: records, bodies of creates and changes, events.

    Choices are unions of literals, references are relations, fields of one's own are typed. Compiles under `tsc --strict` and
    needs nothing else. The same schema gives the same text, so it can be committed.
    """
    kept, seen = descriptions_of(request), _visible(context)
    await _ended(context, request)
    base, _ = await kept.base(request)
    version = context.principal.organization.schema_version
    found = await kept.entry(("types", seen.key, version), lambda: typescript(base, seen, version).encode(), TYPESCRIPT)
    return await kept.answer(request, found)


@router.get("/diff", name="get_meta_diff", response_model=SchemaDifference, summary="Compare two versions of the organisation's schema")
async def get_meta_diff(
    context: ContextDep,
    from_: Annotated[int, Query(alias="from", ge=1, description="The earlier version.", examples=[3])],
    to: Annotated[int | None, Query(ge=1, description="The later version; the present one if left out.", examples=[7])] = None,
) -> dict[str, Any]:
    """What became different in the organisation's own objects and fields from one version of the schema to another.

    Versions are those of `schema.updated` events and of `GET /v1/me`; the last 200 are kept, older ones are 404. Objects that the
    caller may not read are left out.
    """
    return await differences.between(context, from_, to)


@router.get("/changelog", name="get_meta_changelog", response_model=Changelog, summary="List the dated versions of the API")
async def get_meta_changelog(context: ContextDep, request: Request) -> dict[str, Any]:
    """The dated versions of the API, the newest first, with what each changed. Choose one with the header `CRM-Version`."""
    return {"current": services_of(request).settings.api_version, "data": CHANGELOG}


@router.get("/{object}", name="get_meta_object", response_model=SchemaObjectRead, responses=UNCHANGED, summary="Describe one object")
async def get_meta_object(context: ContextDep, request: Request, object: ObjectName) -> Response:
    """All there is to know of one object: labels, fields with rules and choices, relations, event types, pipelines, views, layouts."""
    seen = _visible(context)
    if object not in seen:
        raise NotFound()
    return await Overview(context, seen, services_of(request).settings.api_version).one(request, object)


@router.get("/{object}/schema.json", name="get_meta_schema", responses=UNCHANGED, summary="Get the JSON Schema of an object's records")
async def get_meta_schema(
    context: ContextDep,
    request: Request,
    object: str,
    for_: Annotated[
        Literal["read", "create", "update"],
        Query(alias="for", description="Records as they are read, bodies of creates, or of changes.", examples=["create"]),
    ] = "read",
) -> Response:
    """A JSON Schema (2020-12) of the object's records with the organisation's own fields, complete in itself.

    Validators and form generators take it as it is. 404 for an object that can't be created or changed.
    """
    seen = _visible(context)
    if object not in seen or VERBS[for_] not in {*seen[object].verbs, "get"}:
        raise NotFound()
    kept = descriptions_of(request)
    await _ended(context, request)
    base, _ = await kept.base(request)
    return await kept.answer(request, await kept.entry(("schema", seen.key, object, for_), lambda: json_schema(base, seen, object, for_)))
