"""Trying a connection out: one request, or one sign-in at a mail server, with its credentials.

It takes as long as the other side likes, up to a limit, so it runs outside of any transaction: `flows/connections.py` gives the
credentials in one before it, and notes the result in one after.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiosmtplib

from crm_api.core.egress import Egress, EgressFailed, Marks, Timings
from crm_api.core.egress.answers import UNREACHABLE
from crm_api.flows.connections import Credentials

TOTAL_S: Final = 15.0
_SMTPS: Final = 465
_EHLO: Final = "crm-api"
_MAX_REPLY: Final = 200


@dataclass(frozen=True, slots=True)
class Tested:
    """How it went. `status_code` is HTTP's, or that of SMTP's last reply (RFC 5321 4.2); `error` a short reason, None if it went well."""

    status_code: int | None
    error: str | None
    timings: Timings

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"ok": self.error is None, "status_code": self.status_code, "error": self.error, "timings": asdict(self.timings)}


async def tested(egress: Egress, used: Credentials, path: str | None) -> Tested:
    """Uses a connection once. For HTTP that is a GET of `base_url`, with `path` behind it if there is one; nothing of the answer but
    its status is kept."""
    return await (_smtp(egress, used) if used.type == "smtp" else _http(egress, used, path))


async def _http(egress: Egress, used: Credentials, path: str | None) -> Tested:
    headers = list(used.headers().items())
    if used.type == "basic":  # RFC 7617
        plain = f"{used.username}:{used.secret['password']}".encode()
        headers.append(("Authorization", f"Basic {base64.b64encode(plain).decode()}"))
    try:
        answer = await egress.request("GET", _address(used.base_url or "", path), headers, b"", keep=0, total_s=TOTAL_S)
    except EgressFailed as failed:
        return Tested(None, failed.text, failed.shown_timings)
    if 200 <= answer.status < 300:
        return Tested(answer.status, None, answer.timings)
    moved = " (redirects are not followed)" if 300 <= answer.status < 400 else ""
    return Tested(answer.status, f"{answer.status} {_phrase(answer.status)}".rstrip() + moved, answer.timings)


def _address(base_url: str, path: str | None) -> str:
    """The path behind that of the base; its query replaces the base's. Neither can lead to another host."""
    if path is None:
        return base_url
    parts = urlsplit(base_url)
    path, _, query = path.partition("?")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/" + path.lstrip("/"), query, ""))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


async def _smtp(egress: Egress, used: Credentials) -> Tested:
    """Connects, says EHLO, turns TLS on and signs in; no mail is sent. The password goes only over TLS, but for networks that are
    reached on purpose (CRM_EGRESS_ALLOW), where a server may offer none."""
    marks = Marks()
    client: aiosmtplib.SMTP | None = None
    host, port = used.host or "", used.port or _SMTPS
    code: int | None = None
    error: str | None = None
    try:
        async with asyncio.timeout(TOTAL_S):
            connected, address = await egress.socket(host, port, marks)
            client = aiosmtplib.SMTP(
                hostname=host,
                sock=connected,
                local_hostname=_EHLO,
                timeout=TOTAL_S,
                use_tls=port == _SMTPS,
                start_tls=None if port != _SMTPS and egress.policy.excepted(address) else port != _SMTPS,
                tls_context=egress.dialer.tls,
                username=used.username,
                password=used.secret["password"] if used.username is not None else None,
            )
            code = (await client.connect()).code
            if used.username is None:
                code = (await client.ehlo()).code
    except EgressFailed as failed:
        return Tested(None, failed.text, failed.shown_timings)
    except aiosmtplib.SMTPTimeoutError:
        error = "The server did not answer in time."
    except TimeoutError:
        connected_already = marks.connected is not None
        error = f"There was no whole answer within {TOTAL_S:g} s." if connected_already else UNREACHABLE
        return Tested(None, error, marks.timings() if connected_already else Timings(total_ms=TOTAL_S * 1000))
    except aiosmtplib.SMTPResponseException as refused:
        code, error = _refused(refused)
    except (aiosmtplib.SMTPException, OSError, ValueError) as failure:
        error = _failed(failure)
    finally:
        if client is not None:
            client.close()
    return Tested(code, error, marks.timings())


def _refused(refused: aiosmtplib.SMTPResponseException) -> tuple[int | None, str]:
    if not 400 <= refused.code < 600:
        return None, "The server does not speak SMTP."
    said = " ".join("".join(c if c.isprintable() else " " for c in refused.message).split())
    return refused.code, f"{refused.code} {said}"[:_MAX_REPLY]


def _failed(failure: Exception) -> str:
    if isinstance(failure, aiosmtplib.SMTPServerDisconnected | aiosmtplib.SMTPConnectError):
        return "The connection was closed."
    if isinstance(failure, OSError):
        return f"The TLS handshake failed: {getattr(failure, 'verify_message', None) or failure.strerror or type(failure).__name__}."
    return str(failure)[:_MAX_REPLY]
