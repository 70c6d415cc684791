"""Sending mails that were asked for.

A mail is taken by moving on the moment at which it is due; if whoever took it dies, it becomes due again. It is removed when the
mail server has taken it over. Between these two there is one moment in which a crash sends it twice, with the same Message-ID.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog

from crm_api.core.clock import Clock
from crm_api.db.engine import Connection, Database
from crm_api.db.statement import Statement
from crm_api.flows.users.mails import Due, written
from crm_api.jobs.wake import woken
from crm_api.settings import Settings

FLOOR_S: Final = 1.0
"""How often it looks without being woken."""

LEASE_S: Final = 60
_TIMEOUT_S: Final = 20.0
_BATCH: Final = 20
_LONGEST_PAUSE_S: Final = 3_600
GIVEN_UP_AFTER_S: Final = {"reset": 1_800, "activate": 172_800}
"""By then nobody waits for it any more."""

_DUE: Final = Statement("SELECT id, attempt FROM mails WHERE due_at <= now() ORDER BY due_at LIMIT $1", ("limit",))
_TAKE: Final = Statement(
    "UPDATE mails SET attempt = attempt + 1, due_at = now() + make_interval(secs => $3) WHERE id = $1 AND attempt = $2 AND due_at <= now()"
    " RETURNING kind, recipient, recipient_key, user_id, org_id, language, attempt, created_at",
    ("id", "attempt", "seconds"),
)
_DONE: Final = Statement("DELETE FROM mails WHERE id = $1 AND attempt = $2", ("id", "attempt"))
_LATER: Final = Statement(
    "UPDATE mails SET due_at = now() + make_interval(secs => $3) WHERE id = $1 AND attempt = $2", ("id", "attempt", "seconds")
)
_KEEP: Final = Statement("UPDATE mails SET due_at = NULL, body = $3 WHERE id = $1 AND attempt = $2", ("id", "attempt", "body"))

_NAMES: Final = ("kind", "recipient", "recipient_key", "user_id", "org_id", "language", "attempt")

log = structlog.get_logger("crm_api.mail")

Send = Callable[[EmailMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, as CRM_SMTP_URL names it."""

    host: str
    port: int
    user: str | None
    password: str | None
    implicit_tls: bool
    starttls: Literal["offered", "required", "off"]

    @classmethod
    def of(cls, url: str) -> Server:
        """Raises ValueError for what is no such address."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be an smtp:// or smtps:// address")
        implicit = parts.scheme == "smtps"
        tls = parse_qs(parts.query).get("tls", ["offered"])[0]
        if tls not in ("offered", "required", "off"):
            raise ValueError("tls is required or off")
        named: Literal["offered", "required", "off"] = "required" if tls == "required" else "off" if tls == "off" else "offered"
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        return cls(parts.hostname, parts.port or (465 if implicit else 587), user, password, implicit, named)

    async def send(self, message: EmailMessage) -> None:
        """Hands a mail over. Raises SMTPException or OSError."""
        starttls = None if self.starttls == "offered" else self.starttls == "required"
        await aiosmtplib.send(
            message,
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.implicit_tls,
            start_tls=False if self.implicit_tls else starttls,
            timeout=_TIMEOUT_S,
        )


class Mailer:
    """Sends what is due until cancelled."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._base_url = settings.base_url
        self._sender = settings.mail_from
        self._send: Send | None = None if settings.smtp_url is None else Server.of(settings.smtp_url.get_secret_value()).send
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except Exception as error:
                log.warning("mails_not_looked_for", error=repr(error))
            await woken(self._woken, FLOOR_S)

    async def step(self) -> int:
        """Takes and sends a batch of due mails; tells how many were taken."""
        async with self._database.connection() as connection:
            waiting = await connection.fetch(_DUE, {"limit": _BATCH})
        taken = 0
        for row in waiting:
            async with self._database.connection() as connection:
                found = await connection.fetch_row(_TAKE, {"id": row["id"], "attempt": row["attempt"], "seconds": LEASE_S})
                if found is None:  # another worker has it
                    continue
                taken += 1
                age = (self._clock.now() - found["created_at"]).total_seconds()
                mail = Due(id=row["id"], age_s=age, **{name: found[name] for name in _NAMES})
                message = await written(connection, self._clock, mail, self._base_url, self._sender)
                if message is None:
                    await connection.fetch(_DONE, {"id": mail.id, "attempt": mail.attempt})
                    continue
                if self._send is None:
                    await _keep(connection, mail, message)
                    continue
            await self._deliver(self._send, mail, message)
        return taken

    async def _deliver(self, send: Send, mail: Due, message: EmailMessage) -> None:
        """Outside of any connection: mail servers take their time."""
        try:
            await send(message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            gives_up = _for_good(error) or mail.age_s > GIVEN_UP_AFTER_S[mail.kind]
            why = type(error).__name__  # servers repeat addresses in their answers
            log.warning("mail_not_sent", mail=str(mail.id), kind=mail.kind, attempt=mail.attempt, error=why, given_up=gives_up)
            async with self._database.connection() as connection:
                if gives_up:
                    await connection.fetch(_DONE, {"id": mail.id, "attempt": mail.attempt})
                else:
                    seconds = float(min(10 * 2**mail.attempt, _LONGEST_PAUSE_S))
                    await connection.fetch(_LATER, {"id": mail.id, "attempt": mail.attempt, "seconds": seconds})
            return
        async with self._database.connection() as connection:
            await connection.fetch(_DONE, {"id": mail.id, "attempt": mail.attempt})
        log.info("mail_sent", mail=str(mail.id), kind=mail.kind, attempt=mail.attempt)


def _for_good(error: Exception) -> bool:
    """Whether the server will never take the mail (RFC 5321 4.2.1: 5yz); 4yz is "not now"."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= 500 for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500


async def _keep(connection: Connection, mail: Due, message: EmailMessage) -> None:
    """Without a mail server: the text stays in the database, and on the terminal. Not in the log, which hides what is secret."""
    body = message.get_content()
    await connection.fetch(_KEEP, {"id": mail.id, "attempt": mail.attempt, "body": body})
    log.warning("mail_kept", mail=str(mail.id), kind=mail.kind, reason="CRM_SMTP_URL is not set")
    sys.stderr.write(f"--- mail to {mail.recipient}: {message['Subject']}\n{body}---\n")
    sys.stderr.flush()
