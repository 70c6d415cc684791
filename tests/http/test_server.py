"""What only a real server shows: clients that go away, time limits, answers that break off."""

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import StreamingResponse

from crm_api.embedded import DatabaseUrls
from crm_api.http.middleware import Edge
from crm_api.http.services import Services
from tests.http.support import make_app, served

pytestmark = pytest.mark.anyio


class _Seen:
    """What happened inside the routes."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.entered = asyncio.Event()
        self.left = asyncio.Event()


def _app(seen: _Seen, **changes: Any) -> FastAPI:
    router = APIRouter(prefix="/v1")

    async def linger(name: str, seconds: float = 20.0) -> None:
        seen.log.append(f"{name} began")
        seen.entered.set()
        try:
            await asyncio.sleep(seconds)
            seen.log.append(f"{name} ended")
        except asyncio.CancelledError:
            seen.log.append(f"{name} cancelled")
            raise
        finally:
            seen.left.set()

    @router.get("/slow")
    async def slow() -> None:
        await linger("get")

    @router.post("/slow")
    async def slow_write(request: Request) -> None:
        await request.body()
        await linger("post")

    @router.get("/soon")
    async def soon() -> dict[str, bool]:
        await asyncio.sleep(0.2)
        return {"done": True}

    @router.post("/late")
    async def late(request: Request) -> dict[str, int]:
        await asyncio.sleep(0.2)  # longer than it takes to begin watching the client
        return {"bytes": len(await request.body())}

    @router.get("/stubborn")
    async def stubborn() -> None:
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            raise RuntimeError("turned into something else") from None

    @router.get("/events/stream")
    async def stream() -> StreamingResponse:
        async def ticks() -> Any:
            seen.entered.set()
            try:
                for number in range(400):
                    yield f"data: {number}\n\n"
                    await asyncio.sleep(0.05)
            finally:
                seen.log.append("stream closed")
                seen.left.set()

        return StreamingResponse(ticks(), media_type="text/event-stream")

    @router.get("/breaks")
    async def breaks() -> StreamingResponse:
        async def parts() -> Any:
            yield b"first\n"
            raise RuntimeError("in the middle")

        return StreamingResponse(parts(), media_type="text/plain")

    @router.post("/length")
    async def length(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return make_app(router, **changes)


async def _hang_up(port: int, request: bytes, seen: _Seen) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.wait_for(seen.entered.wait(), 5)
    await asyncio.sleep(0.1)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_a_client_that_goes_away_ends_its_request() -> None:
    seen = _Seen()
    async with served(_app(seen)) as port:
        await _hang_up(port, b"GET /v1/slow HTTP/1.1\r\nHost: x\r\n\r\n", seen)
        await asyncio.wait_for(seen.left.wait(), 5)
        assert seen.log == ["get began", "get cancelled"]
        seen.entered.clear()
        seen.left.clear()
        await _hang_up(port, b"POST /v1/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", seen)
        await asyncio.wait_for(seen.left.wait(), 5)
        assert seen.log[2:] == ["post began", "post cancelled"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/v1/soon")).json() == {"done": True}
            metrics = (await client.get("/metrics")).text
    assert 'crm_http_requests_total{method="GET",route="/v1/slow",status="499"} 1.0' in metrics


async def test_its_query_is_cancelled_in_the_database_and_the_connection_is_fit_for_others(database_urls: DatabaseUrls) -> None:
    entered = asyncio.Event()
    router = APIRouter(prefix="/v1")

    @router.get("/sleep")
    async def sleep(request: Request) -> None:
        services: Services = request.app.state.services
        async with services.database.connection() as connection:
            entered.set()
            await connection.run("BEGIN; SELECT pg_sleep(30)")

    @router.get("/quick")
    async def quick(request: Request) -> dict[str, bool]:
        services: Services = request.app.state.services
        async with services.database.connection() as connection:
            others = await connection.driver.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(30%'"
                " AND state = 'active' AND pid <> pg_backend_pid()"
            )
            return {"sleeping": bool(others), "dirty": connection.driver.is_in_transaction()}

    seen = _Seen()
    seen.entered = entered
    app = make_app(router, database_url=database_urls.database_url, db_pool_size=1)
    async with served(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        await _hang_up(port, b"GET /v1/sleep HTTP/1.1\r\nHost: x\r\n\r\n", seen)
        assert (await client.get("/v1/quick")).json() == {"sleeping": False, "dirty": False}


async def test_a_client_that_stays_gets_its_answer() -> None:
    seen = _Seen()
    async with served(_app(seen)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answers = await asyncio.gather(*(client.get("/v1/soon") for _ in range(20)))
        assert {answer.status_code for answer in answers} == {200}
        late = await client.post("/v1/late")
        assert late.json() == {"bytes": 0}
        assert (await client.post("/v1/late", content=b"x" * 70_000)).json() == {"bytes": 70_000}


async def test_requests_have_a_time_limit() -> None:
    seen = _Seen()
    async with served(_app(seen, request_timeout_s=0.3)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/v1/slow", headers={"Origin": "https://app.example"})
        assert answer.status_code == 503
        assert answer.json()["code"] == "timeout"
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["access-control-allow-origin"] == "*"
        assert seen.log == ["get began", "get cancelled"]
        assert (await client.get("/v1/stubborn")).json()["code"] == "timeout"
        assert (await client.get("/v1/soon")).status_code == 200


async def test_a_stream_has_none_and_ends_with_its_client() -> None:
    seen = _Seen()
    async with served(_app(seen, request_timeout_s=0.3)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        async with client.stream("GET", "/v1/events/stream") as stream:
            began = asyncio.get_running_loop().time()
            async for line in stream.aiter_lines():
                if line and asyncio.get_running_loop().time() - began > 0.8:
                    break
        await asyncio.wait_for(seen.left.wait(), 5)
    assert seen.log == ["stream closed"]


async def test_head_does_not_run_a_stream() -> None:
    seen = _Seen()
    async with served(_app(seen)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.head("/v1/events/stream")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        await asyncio.wait_for(seen.left.wait(), 5)
        assert seen.log == ["stream closed"]
        assert (await client.get("/v1/soon")).status_code == 200


async def test_an_answer_that_breaks_off_is_seen_to_break_off() -> None:
    async with served(_app(_Seen())) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/v1/breaks")


async def test_a_chunked_body_beyond_the_limit_is_cut_off() -> None:
    async def pieces() -> Any:
        for _ in range(10_000):
            yield b"x" * 1000

    async with served(_app(_Seen(), max_body_bytes=5000)) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        try:
            answer = await client.post("/v1/length", content=pieces())
        except (httpx.WriteError, httpx.ReadError):
            return  # the server closed while we were still sending, which is as good
        assert answer.status_code == 413


async def test_nothing_is_left_in_flight() -> None:
    app = _app(_Seen(), request_timeout_s=0.2)
    async with served(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await client.get("/v1/slow")
        await client.get("/v1/nothing")
        edge = app.middleware_stack
        assert isinstance(edge, Edge)
        assert edge.in_flight == 0
