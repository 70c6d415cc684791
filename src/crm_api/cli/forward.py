"""Events posted to a receiver on the developer's machine, byte for byte as a webhook endpoint would get them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from crm_api.cli.terminal import fail
from crm_api.core.clock import SystemClock
from crm_api.core.egress.client import USER_AGENT
from crm_api.core.webhook_signing import SigningKey, headers
from crm_api.flows.webhooks.payloads import body_of

TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
"""As long as real deliveries wait."""

SECRET_FILE: Final = "listen_secret"
"""Where the signing secret is kept in the data directory, so that it is the same each time."""

_READ: Final = 16_384
"""Bytes of an answer that are read before the connection is closed; what they are doesn't matter."""

_CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What came of one event: the receiver's status and how long it took, or why there is none."""

    status: int | None
    milliseconds: float
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether a delivery would count as made."""
        return self.status is not None and 200 <= self.status < 300


def signing_key(given: str | None, data_dir: Path) -> SigningKey:
    """The key that was given (`whsec_…`, or `whsk_…` for Ed25519); else that of the data directory, made at the first time; where there
    is no such directory, a fresh one."""
    try:
        if given is not None:
            return SigningKey.parse(given)
        file = data_dir / SECRET_FILE
        if file.exists():
            return SigningKey.parse(file.read_text().strip())
    except ValueError as error:
        fail(f"The secret doesn't hold: {error}.")
    key = SigningKey.new()
    if data_dir.is_dir():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(key.text)
    return key


def checked_url(url: str) -> str:
    """An address to forward to; `localhost:3000/hook` will do. Ends the program for what is none."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx.URL(whole)
    except httpx.InvalidURL as error:
        fail(f"--forward {url}: {error}")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        fail(f"--forward {url} is no http or https address.")
    return whole


class Forwarder:
    """Posts events, one after the other. No redirect is followed and no proxy used, as with real deliveries."""

    def __init__(self, http: httpx.AsyncClient, url: str, key: SigningKey, payload: str) -> None:
        self._http = http
        self._url = url
        self._key = key
        self._payload = payload

    async def post(self, event: dict[str, Any]) -> Forwarded:
        """Sends one event, signed at this moment. Never raises for what the receiver does."""
        body = body_of([orjson.dumps(event)], self._payload)
        signed = headers([self._key], event["id"], int(_CLOCK.now().timestamp()), body)
        told = {"content-type": "application/json", "user-agent": USER_AGENT, **dict(signed)}
        started = time.perf_counter()
        try:
            async with self._http.stream("POST", self._url, content=body, headers=told) as answer:
                read = 0
                async for part in answer.aiter_raw():
                    read += len(part)
                    if read > _READ:
                        break
                return Forwarded(answer.status_code, _since(started))
        except httpx.HTTPError as error:
            return Forwarded(None, _since(started), str(error) or type(error).__name__)


@asynccontextmanager
async def forwarder(url: str, key: SigningKey, payload: str, *, verify: bool) -> AsyncIterator[Forwarder]:
    """A forwarder to one address. Without `verify`, certificates may be anybody's."""
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False, verify=verify) as http:
        yield Forwarder(http, checked_url(url), key, payload)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
