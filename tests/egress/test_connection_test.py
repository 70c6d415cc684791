"""`POST /v1/connections/{id}/test`: a connection tried out at real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Smtp
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from crm_api.core.egress.answers import UNREACHABLE
from tests.api import Api, Record
from tests.egress.support import OK, certificate, server

pytestmark = pytest.mark.anyio

SECRET = "s-very-secret-31f0"


async def made(api: Api, secret: dict[str, str], **body: Any) -> Record:
    record = await api.make("connections", **{"name": "Ours", "provider": "example", **body})
    await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json=secret)
    return record


async def try_out(api: Api, record: Record, **body: Any) -> Record:
    found: Record = await api.ok("POST", f"/v1/connections/{record['id']}/test", status=200, **({"json": body} if body else {}))
    return found


@pytest.mark.parametrize(
    ("body", "secret", "header"),
    [
        ({"type": "bearer"}, {"token": SECRET}, f"authorization: Bearer {SECRET}"),
        ({"type": "oauth2"}, {"access_token": SECRET}, f"authorization: Bearer {SECRET}"),
        ({"type": "api_key", "header_name": "X-Shop"}, {"api_key": SECRET}, f"x-shop: {SECRET}"),
        (
            {"type": "basic", "username": "ada"},
            {"password": SECRET},
            f"authorization: Basic {base64.b64encode(f'ada:{SECRET}'.encode()).decode()}",
        ),
    ],
)
async def test_each_type_signs_in(api: Api, body: dict[str, str], secret: dict[str, str], header: str) -> None:
    async with server() as receiver:
        record = await made(api, secret, base_url=receiver.url(path="/v2/"), **body)
        found = await try_out(api, record, path="/orders?limit=1")
        assert (found["ok"], found["status_code"], found["error"]) == (True, 200, None)
        assert found["timings"]["connect_ms"] > 0
        [(head, sent)] = receiver.requests
        lines = head.decode().split("\r\n")
        assert lines[0] == "GET /v2/orders?limit=1 HTTP/1.1"
        assert header.lower() in {line.lower() for line in lines}
        assert sent == b""
    after = await api.get(record)
    assert (after["status"], after["last_error"]) == ("working", None)
    assert after["tested_at"] is not None
    [entry] = (await api.ok("GET", "/v1/audit", params={"action": "connection.secret_revealed"}))["data"]
    assert (entry["record_id"], entry["details"]["purpose"]) == (record["id"], "connection.test")


async def test_what_goes_wrong_is_told_and_noted(api: Api) -> None:
    async def refuse(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(f"HTTP/1.1 401 {SECRET}\r\nContent-Length: {len(SECRET)}\r\n\r\n{SECRET}".encode())
        return True

    async with server(refuse) as receiver:
        record = await made(api, {"token": SECRET}, type="bearer", base_url=receiver.url(path="/v2?x=y"))
        found = await try_out(api, record)
        assert (found["ok"], found["status_code"], found["error"]) == (False, 401, "401 Unauthorized")
        assert receiver.requests[0][0].startswith(b"GET /v2?x=y HTTP/1.1\r\n")
        failing = await api.get(record)
        assert (failing["status"], failing["last_error"]) == ("failing", "401 Unauthorized")
        await try_out(api, record)
        assert (await api.get(record))["tested_at"] > failing["tested_at"]
    found = await try_out(api, record)  # nobody is there any more
    assert (found["ok"], found["status_code"], found["error"]) == (False, None, UNREACHABLE)
    assert {name for name, value in found["timings"].items() if value is not None} == {"total_ms"}
    moved = OK.replace(b"200 OK", b"302 Found\r\nLocation: http://169.254.169.254/")
    async with server(moved) as receiver:
        record = await made(api, {"token": SECRET}, name="Moved", type="bearer", base_url=receiver.url())
        found = await try_out(api, record)
        assert (found["status_code"], found["error"]) == (302, "302 Found (redirects are not followed)")
        assert len(receiver.requests) == 1


async def test_what_can_not_be_tried(api: Api, other_api: Api) -> None:
    record = await api.make("connections", name="Ours", provider="example", type="bearer", base_url="https://api.shop.example")
    path = f"/v1/connections/{record['id']}/test"
    await api.fails("POST", path, 409, "conflict")
    await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"token": SECRET})
    await other_api.fails("POST", path, 404, "not_found")
    await api.fails("POST", "/v1/connections/nonsense/test", 404, "not_found")
    reader = await api.with_scopes("connections:read")
    problem = await reader.fails("POST", path, 403, "insufficient_scope")
    assert problem["required_scopes"] == ["connections:write"]
    await reader.http.aclose()
    denied = (await api.ok("GET", "/v1/audit", params={"action": "access.denied"}))["data"]
    assert [entry["details"]["route"] for entry in denied] == ["/v1/connections/{id}/test"]
    for wrong in ("orders", "//evil.example/", "/a#b", "/a b", "/a\\b", "http://evil.example/"):
        if wrong.startswith("//"):  # a path, however it looks: it stays behind the base
            continue
        await api.fails("POST", path, 422, "validation_failed", json={"path": wrong})
    await api.fails("POST", path, 422, "validation_failed", json={"url": "https://evil.example"})
    await api.fails("POST", f"{path}?dry_run=true", 400, "unknown_parameter")
    answer = await api.http.post(path, headers={"authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    operations = [{"method": "POST", "path": path, "body": {}}]
    answer = await api.http.post("/v1/composite", json={"operations": operations})
    assert answer.status_code == 400, answer.text
    await api.change(record, is_active=False)
    await api.fails("POST", path, 409, "conflict")


async def test_a_path_leads_nowhere_else(api: Api) -> None:
    async with server() as receiver, server() as evil:
        record = await made(api, {"token": SECRET}, type="bearer", base_url=receiver.url().rstrip("/"))
        for path in (f"//127.0.0.1:{evil.port}/", f"/@127.0.0.1:{evil.port}/", f"/:80@127.0.0.1:{evil.port}"):
            assert (await try_out(api, record, path=path))["ok"]
        assert (len(receiver.requests), evil.connections) == (3, 0)


async def test_no_transaction_waits_for_the_other_side(api: Api) -> None:
    held: list[int] = []

    async def look(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        held.append(api.app.state.services.database.pool.in_use)
        writer.write(OK)
        return True

    async with server(look) as receiver:
        record = await made(api, {"token": SECRET}, type="bearer", base_url=receiver.url())
        assert (await try_out(api, record))["ok"]
    assert held == [0]


# --- addresses, as they are stored ---


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://10.0.0.1/", "address_not_allowed"),
        ("https://169.254.169.254/latest", "address_not_allowed"),
        ("https://[fd00:ec2::254]/", "address_not_allowed"),
        ("https://0x7f.1/", "ambiguous_host"),
        ("https://2130706433/", "invalid_url"),
        ("http://api.shop.example/", "https_required"),
        ("https://api.shop.example:22/", "port_not_allowed"),
        ("https://ada:pw@api.shop.example/", "credentials_in_url"),
        ("https://api.shop.example/#x", "fragment_in_url"),
    ],
)
async def test_addresses_are_checked_when_they_are_stored(api: Api, url: str, code: str) -> None:
    body = {"name": "Ours", "provider": "example", "type": "oauth2", "base_url": "https://api.shop.example"}
    for field in ("base_url", "token_url"):
        problem = await api.fails("POST", "/v1/connections", 422, "validation_failed", json={**body, field: url})
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(f"/{field}", code)]
        assert problem["errors"][0]["message"] != code
    record = await api.make("connections", **body)
    await api.fails("PATCH", f"/v1/connections/{record['id']}", 422, "validation_failed", json={"base_url": url})


async def test_mail_servers_are_checked_when_they_are_stored(api: Api) -> None:
    body = {"name": "Ours", "provider": "mail", "type": "smtp", "port": 587}
    for host, code in (("10.0.0.5", "address_not_allowed"), ("fd00::1", "address_not_allowed"), ("0x7f.1", "ambiguous_host")):
        problem = await api.fails("POST", "/v1/connections", 422, "validation_failed", json={**body, "host": host})
        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/host", code)]
    await api.make("connections", **body, host="127.0.0.1")


# --- mail servers ---


class _Sink:
    async def handle_DATA(self, server: Smtp, session: Session, envelope: Envelope) -> str:
        return "554 no mail is sent in a test"


def _authenticate(server: Smtp, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
    right = isinstance(login, LoginPassword) and (login.login, login.password) == (b"crm", SECRET.encode())
    return AuthResult(success=right, handled=False, message=None if right else f"535 5.7.8 Not {SECRET}")


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None, begins_with: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    controller = Controller(
        _Sink(),
        hostname="127.0.0.1",
        port=0,
        tls_context=tls,
        authenticator=_authenticate,
        auth_required=tls is not None,
        auth_require_tls=tls is not None,
    )
    # Its own way to start needs a port that is known before.
    listening = await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", 0, ssl=begins_with)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def test_signing_in_at_a_mail_server(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving, trusting = certificate(tmp_path, "localhost")
    dialer = api.app.state.services.egress.dialer
    monkeypatch.setattr(dialer, "_context", trusting)
    async with mail_server(serving) as port:
        record = await made(api, {"password": SECRET}, type="smtp", host="localhost", port=port, username="crm")
        found = await try_out(api, record)
        assert (found["ok"], found["error"]) == (True, None)
        problem = await api.fails("POST", f"/v1/connections/{record['id']}/test", 422, "validation_failed", json={"path": "/x"})
        assert problem["errors"][0]["code"] == "not_for_type"
        await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"password": "wrong"})
        found = await try_out(api, record)
        assert (found["ok"], found["status_code"]) == (False, 535)
        assert found["error"].startswith("535 5.7.8")
        monkeypatch.setattr(dialer, "_context", None)
        found = await try_out(api, record)
        assert found["ok"] is False
        assert "certificate" in found["error"].lower()


async def test_a_mail_server_that_begins_with_tls(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving, trusting = certificate(tmp_path, "localhost")
    monkeypatch.setattr(api.app.state.services.egress.dialer, "_context", trusting)
    async with mail_server(None, begins_with=serving) as port:
        monkeypatch.setattr("crm_api.flows.connection_test._SMTPS", port)
        record = await made(api, {"password": SECRET}, type="smtp", host="localhost", port=port, username="crm")
        found = await try_out(api, record)
        assert (found["ok"], found["error"]) == (True, None)
        anonymous = await made(api, {"password": SECRET}, name="Without a name", type="smtp", host="localhost", port=port)
        assert (await try_out(api, anonymous))["status_code"] == 250


async def test_no_password_without_tls(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where the operator said that the network may be reached anyhow."""
    async with mail_server(None) as port:
        record = await made(api, {"password": SECRET}, type="smtp", host="127.0.0.1", port=port, username="crm")
        assert (await try_out(api, record))["ok"]
        monkeypatch.setattr(type(api.app.state.services.egress.policy), "excepted", lambda *_: False)
        monkeypatch.setattr(type(api.app.state.services.egress.policy), "reaches", lambda *_: True)
        found = await try_out(api, record)
        assert (found["ok"], found["status_code"]) == (False, None)
        assert "STARTTLS" in found["error"]


async def test_what_is_no_mail_server(api: Api) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    record = await made(api, {"password": SECRET}, type="smtp", host="127.0.0.1", port=port, username="crm")
    found = await try_out(api, record)
    assert (found["ok"], found["status_code"], found["error"]) == (False, None, "The server does not speak SMTP.")
    listening.close()
    await listening.wait_closed()
    found = await try_out(api, record)
    assert (found["error"], found["timings"]["connect_ms"]) == (UNREACHABLE, None)
