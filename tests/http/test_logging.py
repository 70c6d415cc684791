"""Log lines: JSON, one per request, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from fastapi import APIRouter
from starlette.requests import Request

from crm_api.core.clock import FixedClock
from crm_api.http.app import create_app
from crm_api.http.logging import AccessLog, configure_logging, redact
from tests.http.support import client_of, settings

pytestmark = pytest.mark.anyio

_CLOCK = FixedClock(datetime(2026, 11, 22, 3, 31, tzinfo=UTC))
_TOKEN = "crm_pat_4fT9wXzQ2mN7bV1cK8sL5dR3hJ6gY0aP"


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _router() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/things/{id}")
    async def get(id: str, request: Request) -> dict[str, int]:
        request.state.org_id = "o1"
        request.state.actor = "user:u1"
        return {"a": 1}

    @router.get("/boom")
    async def boom() -> None:
        raise RuntimeError(f"bad token {_TOKEN}")

    return router


async def test_one_line_per_request() -> None:
    sink = io.BytesIO()
    app = create_app(settings(), clock=_CLOCK, router=_router(), access_log=AccessLog(_CLOCK, sink))
    async with client_of(app) as client:
        await client.get("/v1/things/5?email=a@b.c", headers={"X-Request-Id": "r-1", "Authorization": f"Bearer {_TOKEN}"})
        await client.get(f"/v1/things/{_TOKEN}")
        await client.get("/healthz")
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert len(lines) == 2
    first = lines[0]
    assert first.pop("ms") >= 0
    assert first == {
        "at": "2026-11-22T03:31:00.000000Z",
        "level": "info",
        "event": "request",
        "request_id": "r-1",
        "method": "GET",
        "path": "/v1/things/5",
        "route": "/v1/things/{id}",
        "status": 200,
        "bytes": 7,
        "org_id": "o1",
        "actor": "user:u1",
        "client": "127.0.0.1",
    }
    assert _TOKEN.encode() not in sink.getvalue()
    assert b"a@b.c" not in sink.getvalue()


async def test_a_broken_output_fails_no_request() -> None:
    sink = io.BytesIO()
    sink.close()
    app = create_app(settings(), clock=_CLOCK, router=_router(), access_log=AccessLog(_CLOCK, sink))
    async with client_of(app) as client:
        assert (await client.get("/v1/things/5")).status_code == 200


@pytest.mark.usefixtures("restored_logging")
async def test_failures_are_logged_with_their_request_and_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_format="json"), _CLOCK)
    app = create_app(settings(), clock=_CLOCK, router=_router())
    async with client_of(app) as client:
        answer = await client.get("/v1/boom", headers={"X-Request-Id": "r-2"})
    assert answer.status_code == 500
    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "unhandled_exception" in text]
    assert line["request_id"] == "r-2"
    assert line["level"] == "error"
    assert line["at"] == "2026-11-22T03:31:00.000000Z"
    assert "RuntimeError: bad token [redacted]" in line["exception"]
    assert _TOKEN not in json.dumps(line)


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_both_kinds_of_loggers_are_redacted(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_format=log_format), _CLOCK)
    structlog.get_logger("a").info("made", password="hunter22", nested={"client_secret": "s3cret"}, items=[f"x {_TOKEN}"])
    logging.getLogger("uvicorn.error").warning("header was %s", f"Authorization: Bearer {_TOKEN}")
    logging.getLogger("uvicorn.access").info("not twice")
    structlog.get_logger("a").debug("too much detail")
    out = capsys.readouterr().out
    for secret in ("hunter22", "s3cret", _TOKEN, "not twice", "too much"):
        assert secret not in out
    assert "made" in out
    assert "header was" in out
    if log_format == "json":
        assert [json.loads(line)["level"] for line in out.splitlines()] == ["info", "warning"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"x {_TOKEN}, y", "x [redacted], y"),
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "[redacted]"),
        ("AUTHORIZATION: bearer abc.def", "AUTHORIZATION: [redacted]"),
        ("crm_app connects to crm_api.http", "crm_app connects to crm_api.http"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_who_somebody_is_stays_out() -> None:
    for text, hidden in (
        ("/v1/contacts/by/email/ada@acme.example", "ada"),
        ("/v1/contacts/by/email/Ada%40acme.example/links", "Ada"),
        ("/v1/leads/by/custom_fields.passport/P-4711", "4711"),
        ("UniqueViolationError: duplicate key\nDETAIL:  Key (org_id, email_key)=(1, ada) already exists.", "ada"),
        ("mail to ada.king+x@acme.example refused", "king"),
    ):
        assert hidden not in redact(text)
        assert "[redacted]" in redact(text)
    assert redact("/v1/contacts/by/email/ada@acme.example") == "/v1/contacts/by/email/[redacted]"
    for text in ("/v1/contacts/01976f6e-8a00-7000-8000-000000000001", "worker@host started", "standby/by"):
        assert redact(text) == text
