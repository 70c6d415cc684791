"""Every failure has the contract's one shape."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
import pytest
from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from crm_api.core.errors import Conflict, FieldError, InsufficientScope, RateLimited, TokenExpired, TokenMissing, ValidationFailed
from crm_api.db.engine import Busy
from crm_api.http.problems import problem_body, render_problem, to_problem
from tests.http.support import BASE, client_of, make_app

pytestmark = pytest.mark.anyio


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=5)
    count: int = Field(default=1, ge=1, le=9)
    kind: Literal["big", "small"] = "big"
    at: datetime | None = None
    tags: list[str] = Field(default_factory=list, max_length=2)


class _Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, le=200)


def _router() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/items")
    async def create(item: _Item) -> None: ...

    @router.get("/items")
    async def list_items(filters: Annotated[_Filters, Query()], time_zone: Annotated[int, Header()] = 1) -> None: ...

    @router.get("/items/{number}")
    async def get(number: int) -> None: ...

    @router.get("/fails/{how}")
    async def fail(how: str) -> None:
        raise {
            "conflict": Conflict("Two records refer to it.", extra={"count": 2}),
            "scope": InsufficientScope(["contacts:read", "admin"]),
            "missing": TokenMissing(),
            "expired": TokenExpired(),
            "teapot": HTTPException(418, "short and stout"),
            "busy": Busy(),
            "bug": RuntimeError("SELECT secret FROM vault"),
            "group": ExceptionGroup("one", [Conflict()]),
        }[how]

    return router


async def _call(method: str, path: str, **more: Any) -> Any:
    async with client_of(make_app(_router())) as client:
        return await client.request(method, path, **more)


async def test_a_problem_has_all_the_members() -> None:
    answer = await _call("GET", "/v1/fails/conflict", headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": f"{BASE}/problems/conflict",
        "title": "The state of the record does not allow this",
        "status": 409,
        "code": "conflict",
        "detail": "Two records refer to it.",
        "instance": "abc-1",
        "count": 2,
    }


async def test_title_and_message_follow_the_language_and_codes_do_not() -> None:
    answer = await _call("POST", "/v1/items", json={"name": "x"}, headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})
    body = answer.json()
    assert answer.headers["content-language"] == "de"
    assert body["code"] == "validation_failed"
    assert body["title"] != "The input is not valid"
    assert body["errors"][0]["code"] == "min_length"
    assert body["errors"][0]["params"] == {"min_length": 2}


async def test_an_exception_shows_nothing_of_itself() -> None:
    answer = await _call("GET", "/v1/fails/bug")
    assert answer.status_code == 500
    body = answer.json()
    assert body["code"] == "internal_error"
    assert body["instance"] == answer.headers["x-request-id"]
    assert "SELECT" not in answer.text
    assert "RuntimeError" not in answer.text


@pytest.mark.parametrize(
    ("how", "status", "code"), [("busy", 503, "unavailable"), ("teapot", 400, "bad_request"), ("group", 409, "conflict")]
)
async def test_exceptions_of_others_find_their_problem(how: str, status: int, code: str) -> None:
    answer = await _call("GET", f"/v1/fails/{how}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_challenges() -> None:
    metadata = f'resource_metadata="{BASE}/.well-known/oauth-protected-resource"'
    missing = await _call("GET", "/v1/fails/missing")
    assert missing.status_code == 401
    assert missing.headers["www-authenticate"] == f"Bearer {metadata}"  # RFC 6750 3.1: no error code without a token
    expired = await _call("GET", "/v1/fails/expired")
    assert 'error="invalid_token"' in expired.headers["www-authenticate"]
    assert metadata in expired.headers["www-authenticate"]
    scope = await _call("GET", "/v1/fails/scope")
    assert scope.status_code == 403
    assert scope.json()["required_scopes"] == ["contacts:read", "admin"]
    assert 'scope="contacts:read admin"' in scope.headers["www-authenticate"]
    assert metadata in scope.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "required"),
        ({"name": None}, "/name", "null_not_allowed"),
        ({"name": 5}, "/name", "type"),
        ({"name": "toolong"}, "/name", "max_length"),
        ({"name": "abc", "count": 0}, "/count", "min"),
        ({"name": "abc", "count": 10}, "/count", "max"),
        ({"name": "abc", "count": "many"}, "/count", "type"),
        ({"name": "abc", "kind": "huge"}, "/kind", "enum"),
        ({"name": "abc", "at": "tomorrow"}, "/at", "invalid_timestamp"),
        ({"name": "abc", "tags": ["a", 1]}, "/tags/1", "type"),
        ({"name": "abc", "tags": ["a", "b", "c"]}, "/tags", "too_many_items"),
        ({"name": "abc", "a/b~c": 1}, "/a~1b~0c", "unknown_field"),
        ([], "", "type"),
    ],
)
async def test_mistakes_in_a_body_are_422_with_their_place(body: Any, pointer: str, code: str) -> None:
    answer = await _call("POST", "/v1/items", json=body)
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_allowed_values_are_listed() -> None:
    answer = await _call("POST", "/v1/items", json={"name": "abc", "kind": "huge"})
    assert answer.json()["errors"][0]["allowed"] == ["big", "small"]


@pytest.mark.parametrize("body", [b"{", b'{"name": "\xff"}', b"{]"])
async def test_what_is_no_json_is_400(body: bytes) -> None:
    answer = await _call("POST", "/v1/items", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == ""


async def test_mistakes_outside_the_body_are_400() -> None:
    too_many = await _call("GET", "/v1/items?limit=500")
    assert too_many.status_code == 400
    assert too_many.json()["errors"] == [
        {"parameter": "limit", "code": "max", "message": "The value must be at most 200.", "params": {"max": 200}}
    ]
    unknown = await _call("GET", "/v1/items?limti=5")
    assert unknown.status_code == 400
    assert unknown.json()["code"] == "unknown_parameter"
    assert unknown.json()["errors"][0]["parameter"] == "limti"
    header = await _call("GET", "/v1/items", headers={"Time-Zone": "here"})
    assert header.status_code == 400
    assert header.json()["errors"][0]["header"] == "time-zone"


async def test_a_path_value_that_cannot_be_one_is_404() -> None:
    assert (await _call("GET", "/v1/items/x")).status_code == 404


def test_rendering_is_a_pure_function_that_batches_share() -> None:
    problem = ValidationFailed([FieldError("required", pointer="/email")]).under("/items/1")
    status, headers, body = render_problem(problem, "r1", BASE, "en")
    assert status == 422
    assert (b"content-length", str(len(body)).encode()) in headers
    assert orjson.loads(body) == problem_body(problem, request_id="r1", base_url=BASE)
    assert orjson.loads(body)["errors"][0]["pointer"] == "/items/1/email"
    _, headers, _ = render_problem(RateLimited(7))
    assert (b"retry-after", b"7") in headers


def test_a_header_value_cannot_smuggle_text_that_is_not_latin() -> None:
    problem = Conflict(headers={"X-Name": "名前"})
    _, headers, _ = render_problem(problem)
    assert (b"x-name", b"??") in headers


def test_what_is_our_own_fault_has_no_problem() -> None:
    assert to_problem(RuntimeError()) is None
    assert to_problem(HTTPException(500)) is None


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_page_behind_a_type(language: str) -> None:
    answer = await _call("GET", "/problems/version_conflict", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.json()["status"] == 412
    assert answer.json()["retryable"] is False
    page = await _call("GET", "/problems/version_conflict", headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "412 version_conflict" in page.text
    everything = await _call("GET", "/problems")
    assert {"duplicate", "rate_limited"} <= {entry["code"] for entry in everything.json()["data"]}
    assert (await _call("GET", "/problems/none")).status_code == 404
    assert (await _call("GET", "/problems", headers={"Accept": "text/html"})).text.count("<li>") == len(everything.json()["data"])
