"""Logs as lines of JSON on standard output, and the one line per request.

structlog's records and the standard library's (uvicorn, SQLAlchemy, arq) take the same form. Every line passes the
redaction, so that a token that slipped into a message does not get into the log, nor somebody's address. Bodies and query strings
are logged nowhere.
"""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final, Protocol

import orjson
import structlog
from starlette.types import Scope
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, WrappedLogger

from crm_api.core.clock import Clock, format_timestamp
from crm_api.http.dispatch import TEMPLATE_KEY
from crm_api.http.state import ACTOR, ORG_ID, REQUEST_ID
from crm_api.settings import Settings

_TOKEN: Final = re.compile(r"crm_[a-z]{2,4}_[A-Za-z0-9_\-]{16,}|whsec_[A-Za-z0-9+/=_\-]+|(?i:bearer) +[A-Za-z0-9._~+/=\-]+")
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+?^_`{|}~-]+(?:@|%40)[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
# What PostgreSQL says of a row that it refused, with its values; and the value in a path by a unique field.
_VALUES: Final = re.compile(r"(DETAIL: ).*|(/by/[^/\s]+/)[^/?\s\"']+")
_SECRET_NAMES: Final = frozenset(
    ("authorization", "token", "access_token", "refresh_token", "password", "secret", "client_secret", "cookie", "code_verifier")
)
REDACTED: Final = "[redacted]"
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...
    def flush(self) -> object: ...


def redact(text: str) -> str:
    """The text without tokens, signing secrets and bearer credentials, and without what tells who somebody is."""
    text = _TOKEN.sub(REDACTED, text)
    if "@" in text or "%40" in text:
        text = _EMAIL.sub(REDACTED, text)
    if "/by/" in text or "DETAIL: " in text:
        text = _VALUES.sub(lambda found: f"{found[1] or found[2]}{REDACTED}", text)
    return text


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if name.lower() in _SECRET_NAMES:
        return REDACTED
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, MutableMapping):
        return {key: _clean(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean("", inner) for inner in value]
    return value


def _stamp(clock: Clock) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["at"] = format_timestamp(clock.now())
        return event

    return stamp


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode("utf-8", "replace")


def _console() -> structlog.dev.ConsoleRenderer:
    # Plain tracebacks: the coloured ones print local variables, and with them people's data.
    return structlog.dev.ConsoleRenderer(timestamp_key="at", exception_formatter=structlog.dev.plain_traceback)


def configure_logging(settings: Settings, clock: Clock) -> None:
    """Sets up structlog and the standard library's logging for this process. Call once, from an entry point."""
    level = _LEVELS[settings.log_level]
    shared: list[Any] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp(clock),
        structlog.processors.StackInfoRenderer(),
    ]
    console = settings.log_format == "console"
    renderer: list[Any] = [] if console else [structlog.processors.format_exc_info]
    renderer.append(_redact_event)
    renderer.append(_console() if console else _to_json)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = name != "uvicorn.access"  # the access log below says more, and cheaper
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class AccessLog:
    """Writes one line per request, without the detour through the logging machinery (which costs ten times as much).

    Probes are left out: they would be most of the log. The query string is left out: filters hold personal data.
    """

    _QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})

    def __init__(self, clock: Clock, sink: _Sink | None = None) -> None:
        self._clock = clock
        self._sink: _Sink = sink or sys.stdout.buffer

    def write(self, scope: Scope, status: int, seconds: float, sent: int) -> None:
        """One finished request; `status` 499 means that the client went away before the answer."""
        path: str = scope["path"]
        if path in self._QUIET:
            return
        state = scope["state"]
        client = scope.get("client")
        line = orjson.dumps(
            {
                "at": format_timestamp(self._clock.now()),
                "level": "info" if status < 500 else "error",
                "event": "request",
                "request_id": state.get(REQUEST_ID),
                "method": scope["method"],
                "path": redact(path),
                "route": scope.get(TEMPLATE_KEY),
                "status": status,
                "ms": round(seconds * 1000, 2),
                "bytes": sent,
                "org_id": state.get(ORG_ID),
                "actor": state.get(ACTOR),
                "client": client[0] if client else None,
            },
            default=str,
            option=orjson.OPT_APPEND_NEWLINE,
        )
        try:
            self._sink.write(line)
            self._sink.flush()
        except (OSError, ValueError):
            pass  # a closed or full standard output must not fail requests
