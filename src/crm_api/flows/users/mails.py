"""Mails: asked for in a transaction, written and sent later by a worker. See `jobs/mail.py`.

The links in them are made when they are sent, so nothing secret waits in the database. Asking for a mail to an address that
nobody has costs the same as for one that somebody has: who it is for is found out by the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import Clock
from crm_api.core.email import normalize_email
from crm_api.core.errors import InvalidValue
from crm_api.core.messages import DEFAULT_LANGUAGE
from crm_api.db.engine import Connection
from crm_api.db.statement import Statement
from crm_api.flows.users import links
from crm_api.flows.users.attempts import ASKED, MAILS, TooManyAttempts, place_of
from crm_api.flows.users.people import People
from crm_api.resources.users import belongings
from crm_api.resources.users.mailing import Kind, ask

_FIND: Final = Statement("SELECT id FROM users WHERE email_key = $1", ("key",))
_INVITED: Final = Statement(
    "SELECT o.name FROM belongings b JOIN organizations o ON o.id = b.org_id"
    " WHERE b.user_id = $1 AND b.org_id = $2 AND b.status = 'invited'",
    ("user_id", "org_id"),
)

_PATHS: Final[Mapping[Kind, str]] = {"reset": "/password/reset", "activate": "/activate"}
_SUBJECTS: Final[Mapping[str, Mapping[Kind, str]]] = {
    "en": {"reset": "Choose another password", "activate": "Your invitation to {organization}"},
    "de": {"reset": "Ein neues Passwort wählen", "activate": "Deine Einladung zu {organization}"},
}
_TEXTS: Final[Mapping[str, Mapping[Kind, str]]] = {
    "en": {
        "reset": "Somebody, perhaps you, has asked for another password for {email}.\n\nChoose it here within 30 minutes:\n\n{link}\n\n"
        "The link works once. If it was not you, nothing has to be done: your password stays as it is.\n",
        "activate": "You have been invited to {organization}.\n\nAccept the invitation here within seven days:\n\n{link}\n\n"
        "The link works once.\n",
    },
    "de": {
        "reset": "Jemand, vielleicht du, hat ein neues Passwort für {email} verlangt.\n\n"
        "Wähle es hier innerhalb von 30 Minuten:\n\n{link}\n\n"
        "Der Link gilt einmal. Wenn du es nicht warst, ist nichts zu tun: dein Passwort bleibt, wie es ist.\n",
        "activate": "Du bist zu {organization} eingeladen.\n\nNimm die Einladung hier innerhalb von sieben Tagen an:\n\n{link}\n\n"
        "Der Link gilt einmal.\n",
    },
}


@dataclass(frozen=True, slots=True)
class Due:
    """A mail that a worker has taken."""

    id: UUID
    kind: Kind
    recipient: str
    recipient_key: str
    user_id: UUID | None
    org_id: UUID | None
    language: str
    attempt: int
    age_s: float


async def ask_reset(people: People, email: str, address: str, language: str) -> None:
    """Asks for a mail by which the owner of an address can choose another password.

    Says nothing about whether there is one; what is no address, and more than three mails an hour, are passed over in silence.
    Raises TooManyAttempts for a caller who has asked too often, whatever the addresses.
    """
    async with people.database.connection() as connection:
        await people.attempts.reserve(connection, ASKED, place_of(address))
        try:
            to = normalize_email(email)
            await people.attempts.reserve(connection, MAILS, to.key)
        except (InvalidValue, TooManyAttempts):
            return
        await ask(connection, people.clock, "reset", to, language)


async def written(connection: Connection, clock: Clock, mail: Due, base_url: str, sender: str) -> EmailMessage | None:
    """The mail with its link; None where there is no one, or no longer a reason, to send it to."""
    organization = ""
    user_id = mail.user_id
    if mail.kind == "reset":
        row: Any = await connection.fetch_row(_FIND, {"key": mail.recipient_key})
        if row is None or not await belongings.active(connection, row["id"]):
            return None
        user_id = row["id"]
    else:
        row = await connection.fetch_row(_INVITED, {"user_id": user_id, "org_id": mail.org_id})
        if row is None:
            return None
        organization = row["name"]
    assert user_id is not None
    secret = await links.make(connection, clock, mail.kind, user_id, mail.org_id)
    link = f"{base_url}{_PATHS[mail.kind]}?token={secret}"
    language = mail.language if mail.language in _TEXTS else DEFAULT_LANGUAGE
    words = {"email": mail.recipient, "organization": " ".join(organization.split()), "link": link}
    message = EmailMessage()
    message["Subject"] = _SUBJECTS[language][mail.kind].format_map(words)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Date"] = format_datetime(clock.now())
    # The same however often it is sent, so that a mailbox that got it twice can tell.
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office notes, please
    message.set_content(_TEXTS[language][mail.kind].format_map(words))
    message["Content-Language"] = language
    return message
