"""Requests over real sockets: what goes out, what comes back, and how much of it."""

from __future__ import annotations

import asyncio
import gc
import gzip
import ipaddress
import socket
import ssl
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import uvloop

from crm_api.core.egress import Egress, EgressFailed, EgressPolicy, Limits, SystemResolver, Timings, Unresolved
from crm_api.core.egress.answers import UNREACHABLE
from tests.egress.support import LOOPBACK, OK, Names, certificate, server

pytestmark = pytest.mark.anyio


async def fails(egress: Egress, url: str, **more: Any) -> EgressFailed:
    with pytest.raises(EgressFailed) as failed:
        await egress.request("POST", url, [], b"{}", **more)
    assert egress.busy == 0
    return failed.value


# --- what goes out and comes back ---


async def test_a_request() -> None:
    head = b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nX-One: 1\r\nX-One: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with server(answer) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(path="/in?a=b"), [("Content-Type", "application/json")], b'{"a":1}')
        assert (found.status, found.body, found.truncated, found.address) == (201, b"abcde", False, "127.0.0.1")
        assert found.headers[:3] == (("content-type", "text/plain"), ("x-one", "1"), ("x-one", "2"))
        [(asked, body)] = receiver.requests
        lines = asked.decode().split("\r\n")
        assert lines[0] == "POST /in?a=b HTTP/1.1"
        assert {line.lower() for line in lines[1:] if line} == {
            f"host: 127.0.0.1:{receiver.port}",
            "accept-encoding: identity",
            "content-type: application/json",
            "content-length: 7",
            "user-agent: crm-api",
        }
        assert body == b'{"a":1}'
        timings = found.timings
        assert timings.dns_ms is timings.tls_ms is None
        assert timings.connect_ms is not None
        assert timings.wait_ms is not None
        assert timings.read_ms is not None
        assert timings.total_ms is not None
        assert timings.total_ms >= timings.connect_ms + timings.wait_ms + timings.read_ms - 0.01


async def test_names_are_asked_and_sent() -> None:
    names = Names(receiver_example=[["127.0.0.1"]])
    async with server() as receiver, Egress(LOOPBACK, resolver=names) as egress:
        found = await egress.request("GET", receiver.url("Receiver.Example."), [("User-Agent", "mine")], b"")
        assert found.timings.dns_ms is not None
        head = receiver.requests[0][0].decode()
        assert f"Host: receiver.example:{receiver.port}\r\n".lower() in head.lower()
        assert "user-agent: mine" in head.lower()
        assert "content-length" not in head.lower()


async def test_ipv6() -> None:
    async with server(host="::1") as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url("[::1]"), [], b"")
        assert found.address == "::1"
        assert f"host: [::1]:{receiver.port}" in receiver.requests[0][0].decode().lower()


async def test_the_next_address_is_tried() -> None:
    names = Names(receiver_example=[["127.0.0.9", "127.0.0.1"]])
    async with server() as receiver, Egress(LOOPBACK, resolver=names) as egress:
        assert (await egress.request("POST", receiver.url("receiver.example"), [], b"")).address == "127.0.0.1"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Accept-Encoding", "connection"])
async def test_framing_is_not_the_callers(name: str) -> None:
    async with Egress(LOOPBACK) as egress:
        with pytest.raises(ValueError, match="not the caller's"):
            await egress.request("POST", "https://shop.example/", [(name, "x")], b"")


@pytest.mark.parametrize("header", [("X-A", "a\r\nX-B: b"), ("X A", "a"), ("X-A", "a\x00"), ("X-Ä", "a")])
async def test_headers_can_not_break_out(header: tuple[str, str]) -> None:
    async with server() as receiver, Egress(LOOPBACK) as egress:
        with pytest.raises(EgressFailed) as failed:
            await egress.request("POST", receiver.url(), [header], b"")
        assert failed.value.kind == "protocol"
        assert receiver.requests == []


# --- where it may not go ---


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "http://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "https://user:pw@shop.example/",
        "https://inside.example/",
        "https://mixed.example/",
        "http://public.example/",
        "https://public.example:22/",
        "file:///etc/passwd",
    ],
)
async def test_nothing_is_dialled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []

    async def sock_connect(_: Any, *given: Any) -> None:
        dialled.append(given)

    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", sock_connect)
    names = Names(inside_example=[["10.0.0.1"]], mixed_example=[["8.8.8.8", "10.0.0.1"]], public_example=[["8.8.8.8"]])
    async with Egress(EgressPolicy(), resolver=names) as egress:
        failed = await fails(egress, url)
    assert failed.kind == "address_not_allowed"
    assert dialled == []


async def test_a_name_that_changes_its_mind() -> None:
    """DNS rebinding: what was fine when it was stored, and for the first connection, is judged again for the second."""
    names = Names(rebind_example=[["127.0.0.1"], ["10.0.0.1"]])
    async with server(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)) as receiver, Egress(LOOPBACK, resolver=names) as egress:
        assert (await egress.request("POST", receiver.url("rebind.example"), [], b"")).status == 200
        failed = await fails(egress, receiver.url("rebind.example"))
        assert failed.kind == "address_not_allowed"
        assert (len(receiver.requests), names.asked) == (1, ["rebind.example", "rebind.example"])


async def test_redirects_are_answers() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n"
    async with server(answer) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(), [], b"")
        assert (found.status, dict(found.headers)["location"]) == (302, "http://169.254.169.254/latest/meta-data/")
        assert len(receiver.requests) == 1


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server() as proxy, server() as receiver, Egress(LOOPBACK) as egress:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        await egress.request("POST", receiver.url(), [], b"")
        assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


async def test_blocked_refused_and_unknown_look_the_same() -> None:
    names = Names(inside_example=[["10.0.0.1"]], closed_example=[["127.0.0.1"]])
    async with server() as receiver:
        port = receiver.port
    async with Egress(LOOPBACK, resolver=names) as egress:
        found = [
            await fails(egress, f"{scheme}://{host}:{port}/")
            for scheme, host in (("https", "inside.example"), ("http", "closed.example"), ("https", "unknown.example"), ("https", "0x7f.1"))
        ]
    assert [failed.kind for failed in found] == ["address_not_allowed", "connect", "dns", "address_not_allowed"]
    assert {failed.text for failed in found} == {UNREACHABLE}
    assert {failed.shown_address for failed in found} == {None}
    assert {failed.shown_timings for failed in found} == {Timings(total_ms=failed.timings.total_ms) for failed in found}
    assert "10.0.0.1" in str(found[0])  # in our own log


# --- TLS ---


async def test_tls(tmp_path: Path) -> None:
    serving, trusting = certificate(tmp_path, "receiver.example")
    names = Names(receiver_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    async with server(tls=serving) as receiver:
        async with Egress(LOOPBACK, resolver=names, context=trusting) as egress:
            for _ in range(2):
                found = await egress.request("POST", receiver.url("receiver.example", scheme="https"), [], b"x" * 100_000)
                assert (found.status, found.body) == (200, b"ok")
            assert found.timings.tls_ms is None
            assert receiver.connections == 1
            failed = await fails(egress, receiver.url("other.example", scheme="https"))
            assert (failed.kind, failed.shown_address) == ("tls", "127.0.0.1")
            assert "mismatch" in failed.text
        async with Egress(LOOPBACK, resolver=names) as egress:
            failed = await fails(egress, receiver.url("receiver.example", scheme="https"))
            assert failed.kind == "tls"
            assert "self-signed certificate" in failed.text
        assert len(receiver.requests) == 2


async def test_what_is_no_tls() -> None:
    async with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as receiver, Egress(LOOPBACK) as egress:
        failed = await fails(egress, receiver.url(scheme="https"), total_s=0.5)
        assert failed.kind == "tls"
    async with Egress(LOOPBACK, limits=Limits(connect_s=0.2)) as egress:
        silent = await asyncio.start_server(lambda reader, writer: asyncio.sleep(5), "127.0.0.1", 0)
        failed = await fails(egress, f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}/")
        assert (failed.kind, failed.text) == ("tls", "The TLS handshake took too long.")
        silent.close()


async def test_nothing_said_before_tls_is_an_answer(tmp_path: Path) -> None:
    """Whoever sits between could else put an answer in front of the handshake."""
    serving, trusting = certificate(tmp_path, "localhost")

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onwards, towards = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, towards), pump(onwards, writer))

    async with server(tls=serving) as receiver, Egress(LOOPBACK, context=trusting) as egress:
        listening = await asyncio.start_server(between, "127.0.0.1", 0)
        failed = await fails(egress, f"https://localhost:{listening.sockets[0].getsockname()[1]}/", total_s=2)
        assert failed.kind == "tls"
        assert receiver.requests == []
        listening.close()


async def test_an_answer_that_ends_with_its_connection() -> None:
    async def whole(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        return False

    async def torn(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        reset = writer.get_extra_info("socket")
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    async with server(whole) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(), [], b"")
        assert (found.body, found.truncated, egress.idle) == (b"abc", False, 0)
    async with server(torn) as receiver, Egress(LOOPBACK) as egress:
        assert (await fails(egress, receiver.url())).kind == "closed"


# --- how long and how much ---


async def test_slow_servers_are_cut() -> None:
    async def drip(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(100):
            writer.write(b"X-%d: 1\r\n" % n)
            await writer.drain()
            await asyncio.sleep(0.02)
        return False

    async def drip_body(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
        return False

    for behaviour in (drip, drip_body):
        async with server(behaviour) as receiver, Egress(LOOPBACK) as egress:
            began = time.monotonic()
            failed = await fails(egress, receiver.url(), total_s=0.25)
            assert (failed.kind, failed.shown_address) == ("timeout", "127.0.0.1")
            assert 0.2 < time.monotonic() - began < 1
            assert failed.timings.total_ms is not None
            assert failed.timings.total_ms >= 240
            await asyncio.sleep(0.1)
            assert (receiver.open, egress.idle) == (0, 0)


async def test_slow_names_and_connections_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        async def resolve(self, host: str, limit_s: float) -> Any:
            await asyncio.sleep(limit_s)
            raise Unresolved("slow")

    async with Egress(LOOPBACK, resolver=Slow(), limits=Limits(dns_s=0.1)) as egress:
        assert (await fails(egress, "https://slow.example/")).kind == "dns"
        assert (await fails(egress, "https://slow.example/", total_s=0.05)).text == UNREACHABLE

    async def nobody(_: Any, *given: Any) -> None:
        await asyncio.sleep(10)

    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", nobody)
    async with Egress(LOOPBACK, resolver=Names(two_example=[["127.0.0.1", "127.0.0.2"]]), limits=Limits(connect_s=0.2)) as egress:
        began = time.monotonic()
        failed = await fails(egress, "http://two.example/")
        assert (failed.kind, failed.text) == ("connect", UNREACHABLE)
        assert "127.0.0.2" in failed.detail  # the first one did not take all the time
        assert time.monotonic() - began < 0.5


async def test_a_dead_name_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def slow(host: str) -> tuple[Any, ...]:
        asked.append(host)
        time.sleep(0.3)
        return (ipaddress.ip_address("127.0.0.1"),)

    monkeypatch.setattr("crm_api.core.egress.resolver._addresses", slow)
    resolver = SystemResolver(threads=1)
    found = await asyncio.gather(*(resolver.resolve("dead.example", 0.05) for _ in range(20)), return_exceptions=True)
    assert {type(error) for error in found} == {Unresolved}
    with pytest.raises(Unresolved):  # no thread is free for another
        await resolver.resolve("other.example", 0.05)
    assert await resolver.resolve("dead.example", 2) == (ipaddress.ip_address("127.0.0.1"),)
    await asyncio.sleep(0.05)
    assert asked == ["dead.example"]  # the other one is not looked up when nobody waits any more
    assert await resolver.resolve("other.example", 2) == (ipaddress.ip_address("127.0.0.1"),)


async def test_a_gigabyte_is_cut_with_flat_memory() -> None:
    sent = 0

    async def flood(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        part = b"x" * 1_048_576
        for _ in range(1024):
            writer.write(part)
            sent += len(part)
            await writer.drain()
        return True

    async with server(flood) as receiver, Egress(LOOPBACK) as egress:
        gc.collect()
        tracemalloc.start()
        try:
            found = await egress.request("POST", receiver.url(), [], b"")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (found.status, found.body, found.truncated) == (200, b"x" * 16_384, True)
        assert peak < 6_000_000  # the server's own parts are in it
        await asyncio.sleep(0.1)
        assert sent < 64_000_000
        assert (egress.idle, receiver.open) == (0, 0)


async def test_what_is_kept() -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789") as receiver, Egress(LOOPBACK) as egress:
        for keep, body, truncated in ((10, b"0123456789", False), (9, b"012345678", True), (0, b"", True), (11, b"0123456789", False)):
            found = await egress.request("POST", receiver.url(), [], b"", keep=keep)
            assert (found.body, found.truncated) == (body, truncated)


async def test_a_gzip_bomb_stays_packed() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    async with server(answer) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(), [], b"")
        assert found.body == bomb[:16_384]


async def test_heads_are_bounded() -> None:
    many = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 100) for n in range(200)) + b"\r\n"
    async with server(many) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(), [], b"")
        assert len(found.headers) == 50
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 500) for n in range(30)) + b"\r\n"
    async with server(long) as receiver, Egress(LOOPBACK) as egress:
        found = await egress.request("POST", receiver.url(), [], b"")
        assert sum(len(name) + len(value) for name, value in found.headers) <= 8192

    async def flood(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(10_000):
            writer.write(b"X-%d: %s\r\n" % (n, b"v" * 1000))
            await writer.drain()
        return False

    async def endless_line(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        for _ in range(1000):
            writer.write(b"H" * 10_000)
            await writer.drain()
        return False

    async def interim(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20)
        return True

    for behaviour in (flood, endless_line, interim):
        async with server(behaviour) as receiver, Egress(LOOPBACK) as egress:
            assert (await fails(egress, receiver.url(), total_s=5)).kind == "protocol"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "closed"),
        (b"", "closed"),
    ],
)
async def test_broken_answers(answer: bytes, kind: str) -> None:
    async def broken(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        return False

    async with server(broken) as receiver, Egress(LOOPBACK) as egress:
        failed = await fails(egress, receiver.url(), total_s=5)
        assert failed.kind == kind, failed
        assert failed.text != UNREACHABLE
        assert egress.idle == 0


# --- connections ---


async def test_connections_are_used_again() -> None:
    names = Names(receiver_example=[["127.0.0.1"]])
    async with server() as receiver, Egress(LOOPBACK, resolver=names) as egress:
        for _ in range(5):
            found = await egress.request("POST", receiver.url("receiver.example"), [], b"{}")
        assert (receiver.connections, egress.idle, names.asked) == (1, 1, ["receiver.example"])
        assert (found.timings.dns_ms, found.timings.connect_ms, found.address) == (None, None, "127.0.0.1")
        await egress.request("POST", receiver.url(), [], b"{}")  # another name is another origin
        assert receiver.connections == 2
        await asyncio.gather(*(egress.request("POST", receiver.url(), [], b"{}") for _ in range(10)))
        assert receiver.connections <= 11
    async with server() as receiver, Egress(LOOPBACK, keep_alive_s=0.1) as egress:
        await egress.request("POST", receiver.url(), [], b"{}")
        await asyncio.sleep(0.3)
        assert (egress.idle, receiver.open) == (0, 0)


async def test_no_more_connections_than_allowed() -> None:
    most = 0

    async def slow(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        nonlocal most
        most = max(most, receiver.open)
        await asyncio.sleep(0.02)
        writer.write(OK)
        return True

    async with server(slow) as receiver, Egress(LOOPBACK, max_connections=3) as egress:
        await asyncio.gather(*(egress.request("POST", receiver.url(), [], b"{}") for _ in range(12)))
        assert (most, egress.idle) == (3, 3)
        waiting = [asyncio.ensure_future(egress.request("POST", receiver.url(), [], b"{}", total_s=0.005)) for _ in range(4)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(failed, EgressFailed) and failed.kind == "timeout" for failed in found)


async def test_a_door_that_closed_meanwhile() -> None:
    """A server may end a connection as a request is on its way. What may be repeated is; what may not is told."""

    async def once(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        if len(receiver.requests) % 2 == 0:
            return False  # swallows each second request
        writer.write(OK)
        return True

    async with server(once) as receiver, Egress(LOOPBACK) as egress:
        await egress.request("POST", receiver.url(), [], b"1")
        assert (await fails(egress, receiver.url())).kind == "closed"
    async with server(once) as receiver, Egress(LOOPBACK) as egress:
        await egress.request("POST", receiver.url(), [], b"1")
        assert (await egress.request("POST", receiver.url(), [], b"2", repeatable=True)).status == 200
        assert [body for _, body in receiver.requests] == [b"1", b"2", b"2"]


async def test_nothing_leaks_after_failures() -> None:
    async def broken(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        kind = int(body)
        if kind % 4 == 0:
            return False
        if kind % 4 == 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            return False
        if kind % 4 == 2:
            writer.write(b"nonsense\r\n\r\n")
            return True
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        await asyncio.sleep(5)
        return False

    async with server(broken) as receiver, Egress(LOOPBACK, max_connections=10) as egress:

        async def one(n: int) -> None:
            with pytest.raises(EgressFailed):
                await egress.request("POST", receiver.url(), [], str(n).encode(), total_s=0.05)

        for first in range(0, 200, 10):
            await asyncio.gather(*(one(n) for n in range(first, first + 10)))
        cancelled = [asyncio.ensure_future(egress.request("POST", receiver.url(), [], b"3")) for _ in range(10)]
        await asyncio.sleep(0.05)
        for task in cancelled:
            task.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        assert (egress.busy, egress.idle) == (0, 0)
        async with server() as healthy:
            assert (await egress.request("POST", healthy.url(), [], b"", total_s=2)).status == 200


async def test_closing_ends_what_runs() -> None:
    async def never(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(5)
        return False

    async with server(never) as receiver:
        egress = Egress(LOOPBACK)
        running = asyncio.ensure_future(egress.request("POST", receiver.url(), [], b"", repeatable=True))
        while not receiver.requests:
            await asyncio.sleep(0.01)
        await egress.aclose()
        with pytest.raises(EgressFailed) as failed:
            await running
        assert failed.value.kind == "closed"
        assert (await fails(egress, receiver.url())).kind == "closed"


async def test_with_the_servers_own_event_loop(tmp_path: Path) -> None:
    """The API runs under uvloop, whose transports are made differently."""
    serving, trusting = certificate(tmp_path, "localhost")

    async def visit(plain: str, secure: str) -> list[Any]:
        found: list[Any] = []
        async with Egress(LOOPBACK, context=trusting) as egress:
            for url in (plain, plain, secure, secure):
                answer = await egress.request("POST", url, [], b"x" * 100_000)
                found.append((answer.status, answer.body, answer.timings.connect_ms is None, answer.timings.tls_ms is None))
        async with Egress(LOOPBACK) as egress:
            for url in (secure, "http://127.0.0.1:1/", "https://10.0.0.1/"):
                found.append((await fails(egress, url)).kind)
        return found

    async with server() as receiver, server(tls=serving) as secure:
        addresses = receiver.url("localhost"), secure.url("localhost", scheme="https")
        found = await asyncio.to_thread(lambda: uvloop.run(visit(*addresses)))
    assert found == [
        (200, b"ok", False, True),
        (200, b"ok", True, True),
        (200, b"ok", False, False),
        (200, b"ok", True, True),
        "tls",
        "connect",
        "address_not_allowed",
    ]


def test_certificates_are_checked() -> None:
    from crm_api.core.egress.dialer import trusted

    context = trusted("http/1.1")
    assert context is trusted("http/1.1")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
