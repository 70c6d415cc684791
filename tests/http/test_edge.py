"""The headers and limits that every request meets."""

import gzip
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crm_api.http.middleware import compression, cors
from crm_api.http.middleware.headers import accepts_json, merge_vary
from crm_api.http.ratelimit import RateState
from tests.http.support import client_of, make_app

pytestmark = pytest.mark.anyio


def _router() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/echo")
    async def echo(request: Request) -> dict[str, Any]:
        return {"request_id": request.state.request_id, "version": request.state.api_version}

    @router.post("/v1/length")
    async def length(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/v1/text/{size}")
    async def text(size: int) -> Response:
        return Response(b'"' + b"x" * (size - 2) + b'"', media_type="application/json")

    @router.get("/v1/pieces")
    async def pieces() -> StreamingResponse:
        async def lines() -> Any:
            for number in range(500):
                yield f'{{"number":{number}}}\n'

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    @router.get("/v1/stream")
    async def stream() -> StreamingResponse:
        async def events() -> Any:
            yield "data: " + "x" * 5000 + "\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    @router.get("/v1/own")
    async def own() -> Response:
        headers = {"Cache-Control": "public, max-age=60", "Vary": "Prefer, accept", "Content-Security-Policy": "sandbox"}
        return Response(b"{}", media_type="application/json", headers=headers)

    @router.get("/v1/pinned")
    async def pinned(request: Request) -> dict[str, str]:
        request.state.api_version = "2026-12-01"
        request.state.rate = RateState(True, 598, 41, b'"default";q=600;w=60')
        return {}

    @router.get("/v1/boom")
    async def boom() -> None:
        raise RuntimeError

    @router.post("/oauth/token")
    async def token() -> dict[str, str]:
        return {}

    @router.get("/oauth/authorize")
    async def authorize() -> dict[str, str]:
        return {}

    return router


async def _call(method: str, path: str, *, changes: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
    async with client_of(make_app(_router(), **(changes or {}))) as client:
        return await client.request(method, path, **more)


# --- request id and version ---


async def test_a_sane_request_id_is_kept_and_another_replaced() -> None:
    kept = await _call("GET", "/v1/echo", headers={"X-Request-Id": "a-1/" + "z" * 124})
    assert kept.headers["x-request-id"] == "a-1/" + "z" * 124 == kept.json()["request_id"]
    for strange in ["z" * 129, "two words", "tab\there", ""]:
        answer = await _call("GET", "/v1/echo", headers={"X-Request-Id": strange})
        assert len(answer.headers["x-request-id"]) == 36
        assert answer.headers["x-request-id"] == answer.json()["request_id"]


async def test_versions() -> None:
    versions = {"api_versions": ("2026-06-01", "2026-12-01")}
    newest = await _call("GET", "/v1/echo", changes=versions)
    assert newest.headers["crm-version"] == "2026-12-01" == newest.json()["version"]
    older = await _call("GET", "/v1/echo", changes=versions, headers={"CRM-Version": "2026-06-01"})
    assert older.headers["crm-version"] == "2026-06-01" == older.json()["version"]
    pinned = await _call("GET", "/v1/pinned", changes=versions, headers={"CRM-Version": "2026-06-01"})
    assert pinned.headers["crm-version"] == "2026-12-01"
    unknown = await _call("GET", "/v1/echo", changes=versions, headers={"CRM-Version": "2020-01-01"})
    assert unknown.status_code == 400
    assert unknown.json()["errors"][0]["header"] == "CRM-Version"
    assert unknown.json()["errors"][0]["allowed"] == ["2026-06-01", "2026-12-01"]


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/boom", "/v1/nothing", "/v1/own", "/v1/text/9000"])
async def test_every_answer_carries_the_contracts_headers(path: str) -> None:
    answer = await _call("GET", path)
    for name in ["x-request-id", "crm-version", "ratelimit", "ratelimit-policy", "vary", "cache-control", "access-control-allow-origin"]:
        assert len(answer.headers.get_list(name)) == 1, name
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "max-age=" in answer.headers["strict-transport-security"]
    assert {"Authorization", "Accept", "Accept-Language", "CRM-Version"} <= {name.strip() for name in answer.headers["vary"].split(",")} | (
        {"Accept"} if path == "/v1/own" else set()
    )


async def test_caching_headers() -> None:
    plain = await _call("GET", "/v1/echo")
    assert plain.headers["cache-control"] == "private, no-cache"
    assert plain.headers["vary"] == "Authorization, Accept, Accept-Language, CRM-Version"
    own = await _call("GET", "/v1/own")
    assert own.headers["cache-control"] == "public, max-age=60"
    assert own.headers["content-security-policy"] == "sandbox"
    assert own.headers["vary"] == "Prefer, accept, Authorization, Accept-Language, CRM-Version"


async def test_no_transport_security_is_promised_over_plain_http() -> None:
    answer = await _call("GET", "/v1/echo", changes={"base_url": "http://127.0.0.1:8000"})
    assert "strict-transport-security" not in answer.headers


async def test_rate_headers_come_from_the_state_of_the_request() -> None:
    counted = await _call("GET", "/v1/pinned")
    assert counted.headers["ratelimit"] == '"default";r=598;t=41'
    uncounted = await _call("GET", "/v1/nothing")
    assert uncounted.headers["ratelimit-policy"] == '"default";q=600;w=60'
    off = await _call("GET", "/v1/nothing", changes={"rate_limit": "off"})
    assert "ratelimit-policy" not in off.headers
    assert "ratelimit" not in off.headers
    assert "ratelimit" not in (await _call("GET", "/healthz")).headers


# --- browsers ---


@pytest.mark.parametrize(("path", "status"), [("/v1/echo", 200), ("/v1/nothing", 404), ("/v1/boom", 500), ("/.well-known/x", 404)])
async def test_other_origins_may_read_every_answer(path: str, status: int) -> None:
    answer = await _call("GET", path, headers={"Origin": "https://app.example"})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"etag", "location", "x-request-id", "ratelimit", "ratelimit-policy", "retry-after", "crm-version", "x-outcome"} <= exposed
    assert {"idempotency-replayed", "www-authenticate", "deprecation", "sunset", "link"} <= exposed
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/contacts/1", "/v1/nothing", "/oauth/token", "/oauth/revoke", "/oauth/par", "/openapi.json"])
async def test_preflight(path: str) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    answer = await _call("OPTIONS", path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert answer.headers["access-control-max-age"] == "7200"
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "crm-version",
        "time-zone",
        "prefer",
    } <= allowed
    assert {"x-request-id", "x-automation", "last-event-id", "accept-language"} <= allowed


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/login", "/oauth/consent", "/docs", "/healthz"])
async def test_pages_for_people_are_closed_to_other_origins(path: str) -> None:
    for method in ["GET", "OPTIONS"]:
        answer = await _call(method, path, headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_origins_can_be_narrowed() -> None:
    changes = {"cors_origins": ("https://app.example",)}
    good = await _call("GET", "/v1/echo", changes=changes, headers={"Origin": "https://app.example"})
    assert good.headers["access-control-allow-origin"] == "https://app.example"
    assert "Origin" in good.headers["vary"]
    bad = await _call("GET", "/v1/echo", changes=changes, headers={"Origin": "https://evil.example"})
    assert bad.status_code == 200
    assert "access-control-allow-origin" not in bad.headers
    assert "Origin" in bad.headers["vary"]
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    refused = await _call("OPTIONS", "/v1/echo", changes=changes, headers=preflight)
    assert refused.status_code == 204
    assert not [name for name in refused.headers if name.startswith("access-control-")]


def test_cors_headers_are_kept_per_origin_that_makes_a_difference() -> None:
    narrow = cors.Cors(["https://a.example"])
    assert narrow.known(b"https://x.example") is None
    assert narrow.known(b"https://a.example") == b"https://a.example"
    assert cors.Cors(["*"]).known(b"https://x.example") == b"*"


# --- limits ---


async def test_long_urls() -> None:
    changes = {"max_url_bytes": 600}
    fits = "/v1/echo?" + "a" * (600 - 9)
    assert (await _call("GET", fits, changes=changes)).status_code == 200
    answer = await _call("GET", fits + "a", changes=changes)
    assert answer.status_code == 414
    assert answer.json()["code"] == "uri_too_long"
    assert answer.json()["max"] == 600


async def test_large_bodies() -> None:
    changes = {"max_body_bytes": 2000}
    assert (await _call("POST", "/v1/length", changes=changes, content=b"x" * 2000)).json() == {"bytes": 2000}
    answer = await _call("POST", "/v1/length", changes=changes, content=b"x" * 2001)
    assert answer.status_code == 413
    assert answer.json()["max"] == 2000
    assert answer.headers["connection"] == "close"
    odd = await _call("POST", "/v1/length", changes=changes, headers={"Content-Length": "-5"})
    assert odd.status_code == 400


async def test_large_bodies_of_unknown_length() -> None:
    async def pieces() -> Any:
        for _ in range(10):
            yield b"x" * 300

    answer = await _call("POST", "/v1/length", changes={"max_body_bytes": 2000}, content=pieces())
    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"


# --- compression ---


async def test_answers_over_2_kb_are_compressed_on_request() -> None:
    big = await _call("GET", "/v1/text/5000", headers={"Accept-Encoding": "gzip"})
    assert big.headers["content-encoding"] == "gzip"
    assert int(big.headers["content-length"]) < 200
    assert len(big.json()) == 4998
    assert "Accept-Encoding" in big.headers["vary"]
    plain = await _call("GET", "/v1/text/5000", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["vary"]
    small = await _call("GET", "/v1/text/2047", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers
    huge = await _call("GET", "/v1/text/300000", headers={"Accept-Encoding": "gzip"})
    assert len(huge.json()) == 299_998


async def test_bodies_in_pieces_are_compressed_and_event_streams_are_not() -> None:
    pieces = await _call("GET", "/v1/pieces", headers={"Accept-Encoding": "gzip"})
    assert pieces.headers["content-encoding"] == "gzip"
    assert len(pieces.text.splitlines()) == 500
    stream = await _call("GET", "/v1/stream", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in stream.headers
    assert stream.text.startswith("data: ")


async def test_head_of_what_would_be_compressed() -> None:
    answer = await _call("HEAD", "/v1/text/5000", headers={"Accept-Encoding": "gzip"})
    assert answer.content == b""
    assert answer.headers["content-length"] == "5000"


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (b"gzip", "gzip"),
        (b"deflate, gzip;q=0.5", "gzip"),
        (b"GZIP", "gzip"),
        (b"gzip;q=0", None),
        (b"br", None),
        (b"identity", None),
        (b"identity;q=1, gzip;q=0.5", None),
        (b"", None),
        (b"gzip;q=x", None),
    ],
)
def test_choice_of_coding(header: bytes, coding: str | None) -> None:
    assert compression.choose(header) == coding


def test_the_best_coding_there_is_serves_any() -> None:
    assert compression.choose(b"*") == next(iter(compression.CODINGS))


async def test_compression_is_what_it_says() -> None:
    assert gzip.decompress(await compression.compress("gzip", b"abc" * 1000)) == b"abc" * 1000


# --- parts ---


@pytest.mark.parametrize(
    ("accept", "fits"),
    [
        (None, True),
        ("*/*", True),
        ("application/json", True),
        ("text/html, application/*;q=0.2", True),
        ("text/html", False),
        ("application/json;q=0, */*", False),
        ("application/json; charset=utf-8", True),
        ("application/json;q=none", False),
        ("text/csv, */*;q=0.1", True),
    ],
)
def test_accepting_json(accept: str | None, fits: bool) -> None:
    assert accepts_json(accept) is fits


def test_vary_keeps_what_is_there() -> None:
    assert merge_vary(b"*", b"Origin") == b"*"
    assert merge_vary(b"origin", b"Origin", b"Accept") == b"origin, Accept"
