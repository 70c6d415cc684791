"""What a request to a receiver costs the process that sends it: our client, httpcore's pool, httpx. `python -m benchmarks.egress`.

The receiver is another process on the same machine and answers at once, so that only sending is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import httpcore
import httpx

from crm_api.core.egress import Egress, EgressPolicy

HEADERS: Final = [
    ("Content-Type", "application/json"),
    ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
    ("webhook-timestamp", "1614265330"),
    ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
]
BODY: Final = b'{"data":"%s"}' % (b"x" * 800)
ANSWER: Final = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
HOSTS: Final = 100

Send = Callable[[str], Awaitable[int]]


class _Receiver(asyncio.Protocol):
    def __init__(self) -> None:
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.unread += data
        while (end := self.unread.find(b"\r\n\r\n")) >= 0 and len(self.unread) >= end + 4 + len(BODY):
            self.unread = self.unread[end + 4 + len(BODY) :]
            self.transport.write(ANSWER)


def _receive(ports: multiprocessing.Queue[Sequence[int]]) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(_Receiver, "127.0.0.1", 0, backlog=1000) for _ in range(HOSTS)]
        ports.put([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(serve())


async def _drive(send: Send, requests: int, at_once: int, urls: Sequence[str]) -> None:
    numbers = iter(range(requests))

    async def work() -> None:
        for number in numbers:
            assert await send(urls[number % len(urls)]) == 200

    await asyncio.gather(*(work() for _ in range(at_once)))


async def _measure(name: str, send: Send, requests: int, at_once: int, urls: Sequence[str]) -> None:
    await _drive(send, at_once * 2, at_once, urls)
    cpu, wall = time.process_time(), time.perf_counter()
    await _drive(send, requests, at_once, urls)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"{name:10} {at_once:4} at once, {len(urls):4} hosts: {cpu / requests * 1e6:6.0f} µs of CPU, {requests / wall:6.0f}/s", flush=True
    )


async def _compare(ports: Sequence[int], requests: int) -> None:
    policy = EgressPolicy((ipaddress.ip_network("127.0.0.0/8"),))
    for at_once, hosts in ((20, 1), (100, 1), (100, HOSTS)):
        urls = [f"http://127.0.0.1:{port}/hook" for port in ports[:hosts]]
        async with Egress(policy) as egress:

            async def ours(url: str, egress: Egress = egress) -> int:
                return (await egress.request("POST", url, HEADERS, BODY)).status

            await _measure("ours", ours, requests, at_once, urls)
        async with httpcore.AsyncConnectionPool(max_connections=200, keepalive_expiry=4) as pool:

            async def core(url: str, pool: Any = pool) -> int:
                return int((await pool.request("POST", url, headers=HEADERS, content=BODY)).status)

            await _measure("httpcore", core, requests, at_once, urls)
        async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=200), timeout=15) as client:

            async def x(url: str, client: httpx.AsyncClient = client) -> int:
                return (await client.post(url, headers=HEADERS, content=BODY)).status_code

            await _measure("httpx", x, requests, at_once, urls)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    requests: int = parser.parse_args().requests
    ports: multiprocessing.Queue[Sequence[int]] = multiprocessing.Queue()
    receiver = multiprocessing.Process(target=_receive, args=(ports,), daemon=True)
    receiver.start()
    try:
        asyncio.run(_compare(ports.get(), requests))
    finally:
        receiver.terminate()


if __name__ == "__main__":
    main()
