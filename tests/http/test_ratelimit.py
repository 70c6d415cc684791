"""Limits per credential, counted in a real Valkey, and what happens without one."""

import asyncio
import re
import signal
from time import perf_counter

import httpx
import pytest
from fastapi import APIRouter
from starlette.requests import Request

from crm_api.core.errors import RateLimited
from crm_api.http.ratelimit import RateLimiter
from crm_api.http.services import Services
from crm_api.http.valkey import Valkey, ValkeyDown, ValkeyError
from tests.http.support import ValkeyProcess, client_of, make_app, served

pytestmark = pytest.mark.anyio


class _Counters:
    def __init__(self) -> None:
        self.failed = 0
        self.limited = 0

    def rate_limit_failed(self) -> None:
        self.failed += 1

    def rate_limited(self) -> None:
        self.limited += 1


async def _until_up(valkey: Valkey, up: bool, patience: float = 5.0) -> None:
    async with asyncio.timeout(patience):
        while valkey.up is not up:
            await asyncio.sleep(0.01)


async def test_fifty_at_once_never_overspend(valkey_process: ValkeyProcess) -> None:
    counters = _Counters()
    connections = [Valkey(valkey_process.url) for _ in range(5)]  # as many processes
    for connection in connections:
        await connection.start()
    limiters = [RateLimiter(connection, (20, 60), counters) for connection in connections]
    states = await asyncio.gather(*(limiters[number % 5].check("token-1") for number in range(50)))
    assert sum(state.allowed for state in states) == 20
    assert sorted(state.remaining for state in states if state.allowed) == list(range(20))
    assert counters.limited == 30
    other = await limiters[0].check("token-2")
    assert other.allowed
    assert other.remaining == 19
    for connection in connections:
        await connection.close()


async def test_costs_and_the_end_of_a_window(valkey_process: ValkeyProcess) -> None:
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    limiter = RateLimiter(valkey, (10, 1))
    first = await limiter.check("a", 7)
    assert (first.allowed, first.remaining, first.reset_s) == (True, 3, 1)
    refused = await limiter.check("a", 4)
    assert (refused.allowed, refused.remaining) == (False, 3)  # what is refused is not charged
    with pytest.raises(RateLimited) as caught:
        refused.require()
    assert caught.value.headers["Retry-After"] == "1"
    assert (await limiter.check("a", 3)).remaining == 0
    await asyncio.sleep(1.05)
    assert (await limiter.check("a")).remaining == 9
    assert (await limiter.check("b", 50)).allowed  # dearer than the whole limit: once per window
    assert not (await limiter.check("b")).allowed
    await valkey.close()


async def test_headers() -> None:
    limiter = RateLimiter(None, (600, 60))
    assert limiter.untouched.headers() == [(b"ratelimit-policy", b'"default";q=600;w=60'), (b"ratelimit", b'"default";r=600;t=60')]
    off = RateLimiter(None, None)
    assert (await off.check("a")).headers() == []
    assert (await off.check("a")).allowed


async def test_scripts_flushed_from_the_server_are_sent_again(valkey_process: ValkeyProcess) -> None:
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    limiter = RateLimiter(valkey, (10, 60))
    await limiter.check("a")
    await valkey.call("SCRIPT", "FLUSH")
    assert (await limiter.check("a")).remaining == 8
    with pytest.raises(ValkeyError):
        await valkey.call("NOSUCHCOMMAND")
    assert await valkey.call("PING") == b"PONG"
    await valkey.close()


async def test_killed_in_the_middle_nothing_fails_and_it_comes_back(valkey_process: ValkeyProcess) -> None:
    counters = _Counters()
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    limiter = RateLimiter(valkey, (1000, 60), counters)
    assert (await limiter.check("a")).remaining == 999
    running = [asyncio.create_task(limiter.check("a")) for _ in range(50)]
    valkey_process.stop()
    assert all(state.allowed for state in await asyncio.gather(*running))
    await _until_up(valkey, False)
    began = perf_counter()
    for _ in range(1000):
        assert (await limiter.check("a")).allowed
    assert perf_counter() - began < 0.5  # no waiting, no connecting
    assert counters.failed >= 1000
    with pytest.raises(ValkeyDown):
        valkey.call("PING")
    valkey_process.start()
    await _until_up(valkey, True)
    assert (await limiter.check("a")).remaining == 999
    await valkey.close()


async def test_a_valkey_that_hangs_delays_only_the_first_requests(valkey_process: ValkeyProcess) -> None:
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    limiter = RateLimiter(valkey, (1000, 60))
    await limiter.check("a")
    valkey_process.signal(signal.SIGSTOP)
    began = perf_counter()
    assert (await limiter.check("a")).allowed
    assert perf_counter() - began < 1.0
    began = perf_counter()
    for _ in range(200):
        assert (await limiter.check("a")).allowed
    assert perf_counter() - began < 0.2
    await asyncio.sleep(0.6)
    assert not valkey.up  # it accepts connections, but that is not enough
    valkey_process.signal(signal.SIGCONT)
    await _until_up(valkey, True)
    assert (await limiter.check("a")).remaining < 1000
    await valkey.close()


async def test_starting_without_a_valkey(valkey_process: ValkeyProcess) -> None:
    valkey_process.stop()
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    assert not valkey.up
    assert (await RateLimiter(valkey, (10, 60)).check("a")).allowed
    valkey_process.start()
    await _until_up(valkey, True)
    await valkey.close()
    await valkey.close()


async def test_a_caller_that_is_cancelled_leaves_the_others_their_answers(valkey_process: ValkeyProcess) -> None:
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    calls = [asyncio.ensure_future(valkey.call("ECHO", str(number))) for number in range(10)]
    calls[4].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, bytes)] == [b"%d" % number for number in range(10) if number != 4]
    await valkey.close()


def _limited_router() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/limited")
    async def limited(request: Request) -> dict[str, bool]:
        services: Services = request.app.state.services
        request.state.rate = await services.limiter.check("credential")
        request.state.rate.require()
        return {"served": True}

    return router


async def test_over_http(valkey_process: ValkeyProcess) -> None:
    app = make_app(_limited_router(), redis_url=valkey_process.url, rate_limit="3/minute")
    async with served(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answers = [await client.get("/v1/limited") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [re.sub(r"t=\d+", "t", answer.headers["ratelimit"]) for answer in answers] == [
            f'"default";r={left};t' for left in (2, 1, 0, 0)
        ]
        last = answers[-1]
        assert last.json()["code"] == "rate_limited"
        assert 1 <= int(last.headers["retry-after"]) <= 60
        assert last.headers["ratelimit-policy"] == '"default";q=3;w=60'
        assert "crm_rate_limited_total 1.0" in (await client.get("/metrics")).text
        valkey_process.stop()
        assert [(await client.get("/v1/limited")).status_code for _ in range(5)] == [200] * 5
        metrics = (await client.get("/metrics")).text
        assert "crm_rate_limit_failures_total 5.0" in metrics
        assert "crm_valkey_up 0.0" in metrics


async def test_without_a_lifespan_limits_are_not_enforced() -> None:
    async with client_of(make_app(_limited_router(), redis_url="redis://127.0.0.1:1/0", rate_limit="1/minute")) as client:
        assert [(await client.get("/v1/limited")).status_code for _ in range(3)] == [200] * 3


async def test_who_waits_is_told_of_the_end(valkey_process: ValkeyProcess) -> None:
    valkey = Valkey(valkey_process.url)
    await valkey.start()
    waiting = valkey.call("PING")
    await valkey.close()
    assert isinstance(waiting.exception(), ValkeyDown)


async def test_another_event_loop_gets_no_answers(valkey_process: ValkeyProcess) -> None:
    """A future of a loop that is closed by the time of the answer would fail the connection of all others."""
    valkey = Valkey(valkey_process.url)
    await valkey.start()

    async def elsewhere() -> None:
        with pytest.raises(ValkeyDown):
            valkey.call("PING")

    await asyncio.to_thread(asyncio.run, elsewhere())
    assert await valkey.call("PING") == b"PONG"
    await valkey.close()
