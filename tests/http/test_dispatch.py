"""Which route a path leads to."""

from time import perf_counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from crm_api.http.dispatch import SegmentRouter
from tests.http.support import client_of, make_app

pytestmark = pytest.mark.anyio


def _router() -> APIRouter:
    """Two levels deep, as the API's routes are: objects included into one router."""
    router = APIRouter(prefix="/v1")
    contacts = APIRouter(prefix="/contacts", tags=["Contacts"])

    @contacts.get("")
    async def list_contacts() -> dict[str, str]:
        return {"route": "list"}

    @contacts.get("/{contact_id}")
    async def get_contact(contact_id: str) -> dict[str, str]:
        return {"route": "get", "id": contact_id}

    @contacts.delete("/{id}")
    async def delete_contact(id: str) -> dict[str, str]:
        return {"route": "delete", "id": id}

    @contacts.post("/search")
    async def search() -> dict[str, str]:
        return {"route": "search"}

    @contacts.get("/by/{field}/{value}")
    async def by(field: str, value: str) -> dict[str, str]:
        return {"field": field, "value": value}

    router.include_router(contacts)

    @router.get("/numbers/{number:int}")
    async def number(number: int) -> dict[str, Any]:
        return {"number": number}

    @router.get("/ids/{id:uuid}")
    async def identity(id: UUID) -> dict[str, Any]:
        return {"id": id}

    @router.patch("/ids/{other:uuid}")
    async def change(other: UUID) -> dict[str, Any]:
        return {"other": other}

    @router.get("/exports/{name}.{kind}")
    async def export(name: str, kind: str) -> dict[str, str]:
        return {"name": name, "kind": kind}

    @router.get("/trees/{rest:path}")
    async def tree(rest: str) -> dict[str, str]:
        return {"rest": rest}

    @router.get("/{object}/{id}/timeline")
    async def timeline(object: str, id: str) -> dict[str, str]:
        return {"object": object, "id": id}

    return router


async def _get(path: str, method: str = "GET", **more: Any) -> httpx.Response:
    async with client_of(make_app(_router())) as client:
        return await client.request(method, path, **more)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/contacts", {"route": "list"}),
        ("/v1/contacts/7", {"route": "get", "id": "7"}),
        ("/v1/contacts/search", None),
        ("/v1/contacts/by", {"route": "get", "id": "by"}),
        ("/v1/contacts/by/email/a@b.c", {"field": "email", "value": "a@b.c"}),
        ("/v1/contacts/by/url/a%2Fb", {"field": "url", "value": "a/b"}),
        ("/v1/contacts/by/url/a%252Fb", {"field": "url", "value": "a%2Fb"}),
        ("/v1/contacts/by/name/J%C3%BCrgen%20M", {"field": "name", "value": "Jürgen M"}),
        ("/v1/%63ontacts/7", {"route": "get", "id": "7"}),
        ("/v1/numbers/12", {"number": 12}),
        ("/v1/exports/all.csv", {"name": "all", "kind": "csv"}),
        ("/v1/trees/a/b%2Fc/d", {"rest": "a/b/c/d"}),
        ("/v1/contacts/7/timeline", {"object": "contacts", "id": "7"}),
        ("/v1/vessels/7/timeline", {"object": "vessels", "id": "7"}),
    ],
)
async def test_a_path_leads_to_its_route(path: str, expected: dict[str, Any] | None) -> None:
    answer = await _get(path)
    if expected is None:
        assert answer.status_code == 405  # a literal wins, even where only another method exists
    else:
        assert answer.status_code == 200
        assert answer.json() == expected


@pytest.mark.parametrize(
    "path",
    [
        *["/", "/v1", "/v1/", "/v2/contacts", "//v1/contacts"],
        *["/v1/contacts/", "/v1/contacts//", "/v1/contacts/by/x/", "/v1/contacts/%FF", "/v1/contacts/a%00b"],
        *["/v1/numbers/twelve", "/v1/ids/nonsense"],
    ],
)
async def test_everything_else_is_not_found(path: str) -> None:
    answer = await _get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"
    assert "location" not in answer.headers


async def test_wrong_methods_are_told_the_right_ones() -> None:
    answer = await _get("/v1/contacts/7", "PUT")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert answer.json()["code"] == "method_not_allowed"
    strange = await _get("/v1/contacts/7", "BREW")
    assert strange.status_code == 405


async def test_routes_of_one_shape_share_their_place_whatever_their_parameters_are_called() -> None:
    path = "/v1/ids/01a201a7-c391-760f-8760-dddf708ab5a5"
    assert (await _get(path)).json() == {"id": "01a201a7-c391-760f-8760-dddf708ab5a5"}
    assert (await _get(path, "PATCH")).json() == {"other": "01a201a7-c391-760f-8760-dddf708ab5a5"}
    assert (await _get("/v1/contacts/9", "DELETE")).json() == {"route": "delete", "id": "9"}


async def test_head_is_answered_by_get_without_a_body() -> None:
    answer = await _get("/v1/contacts/7", "HEAD")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(b'{"route":"get","id":"7"}'))
    assert (await _get("/v1/contacts/search", "HEAD")).status_code == 405


async def test_plain_options_lists_the_methods() -> None:
    answer = await _get("/v1/contacts", "OPTIONS")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_path_prefix_of_a_proxy_is_not_part_of_the_route() -> None:
    transport = httpx.ASGITransport(make_app(_router()), root_path="/crm")
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/crm/v1/contacts/by/url/a%2Fb")
    assert answer.json() == {"field": "url", "value": "a/b"}


async def test_the_description_still_sees_every_route() -> None:
    app = make_app(_router())
    paths = app.openapi()["paths"]
    assert set(paths["/v1/contacts/{contact_id}"]) == {"get"}
    assert "/v1/{object}/{id}/timeline" in paths
    assert paths["/v1/contacts"]["get"]["tags"] == ["Contacts"]
    assert any(context.path == "/v1/trees/{rest:path}" for context in iter_route_contexts(app.routes))


async def test_mounts_still_work_beside_the_tree() -> None:
    app = make_app(_router())
    app.router.routes.append(Mount("/files", PlainTextResponse("mounted")))
    async with client_of(app) as client:
        assert (await client.get("/files/any/thing")).text == "mounted"
        assert (await client.get("/v1/contacts")).json() == {"route": "list"}
        assert (await client.get("/nothing")).status_code == 404


async def test_a_route_added_later_is_found() -> None:
    app = make_app(_router())
    async with client_of(app) as client:
        assert (await client.get("/late")).status_code == 404
        app.add_api_route("/late", lambda: {"late": True})
        assert (await client.get("/late")).json() == {"late": True}


def test_finding_costs_the_same_for_the_first_and_the_last_of_400_routes() -> None:
    router = APIRouter(prefix="/v1")
    for number in range(400):
        router.add_api_route(f"/object{number}/{{id}}", lambda id: None, methods=["GET"])
    app = make_app(router)
    assert isinstance(app.router, SegmentRouter)
    tree = app.router

    def cost(path: str) -> float:
        scope = {"type": "http", "path": path, "raw_path": path.encode(), "root_path": ""}
        assert tree.find(scope) is not None
        best = 1.0
        for _ in range(5):
            began = perf_counter()
            for _ in range(500):
                tree.find(scope)
            best = min(best, (perf_counter() - began) / 500)
        return best

    first, last = cost("/v1/object0/x"), cost("/v1/object399/x")
    assert last < 3 * first + 5e-6
    assert last < 100e-6  # trying 400 routes in turn takes a millisecond and more
