"""Mails: what they say, and that none is lost or sent twice, with a real mail server."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from crm_api.core.email import normalize_email
from crm_api.http.app import Application
from crm_api.jobs.mail import Mailer, Server
from crm_api.resources.users import mailing
from crm_api.settings import Settings
from tests.api import Api
from tests.users.support import Person, browser, link_in, read, send, services_of, sql

pytestmark = pytest.mark.anyio


class Mailbox:
    """A mail server's end: keeps what arrives, and answers as it is told."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.port = 0

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("greylisted") and self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 Message accepted for delivery"


def free_port() -> int:
    """A port that nobody listens on; the mail server's controller takes none of its own choice."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on a free port."""
    found = Mailbox()
    found.port = free_port()
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    yield found
    controller.stop()


@pytest.fixture
async def mail_settings(app: Application, mailbox: Mailbox) -> Settings:
    """Settings with that server; mails that other tests left are gone."""
    await sql(app, "DELETE FROM mails")
    url = SecretStr(f"smtp://127.0.0.1:{mailbox.port}")
    return services_of(app).settings.model_copy(update={"smtp_url": url, "mail_from": "Acme CRM <crm@acme.example>"})


def mailer(app: Application, settings: Settings) -> Mailer:
    services = services_of(app)
    return Mailer(services.database, services.clock, settings)


async def waiting(app: Application) -> list[tuple[str, int, bool]]:
    rows = await sql(app, "SELECT recipient, attempt, due_at <= now() AS due FROM mails ORDER BY id")
    return [(row["recipient"], row["attempt"], row["due"]) for row in rows]


def address(name: str) -> str:
    return f"{name}-{uuid4().hex[:10]}@corp.example"


async def test_what_a_mail_says(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    to = address("ines")
    await api.make("users", email=to, name="Ines")
    assert await mailer(app, mail_settings).step() == 1
    [message] = mailbox.messages
    assert mailbox.recipients == [[to]]
    assert (message["to"], message["from"]) == (to, "Acme CRM <crm@acme.example>")
    assert message["subject"] == "Your invitation to Test"
    assert message["auto-submitted"] == "auto-generated"
    assert message["message-id"].endswith("@acme.example>")
    assert message["date"]
    text = message.get_content()
    assert "http://127.0.0.1:8000/activate?token=crm_ml_" in text
    async with browser(app) as http:
        assert "Join Test" in read(await http.get(link_in(text))).text
    assert await waiting(app) == []


async def test_mails_about_passwords(app: Application, person: Person, mailbox: Mailbox, mail_settings: Settings) -> None:
    async with browser(app, "198.51.100.201") as http:
        http.headers["accept-language"] = "de-DE,de;q=0.9"
        await send(http, await http.get("/password/forgot"), email=person.email)
    await mailer(app, mail_settings).step()
    [message] = mailbox.messages
    assert message["subject"] == "Ein neues Passwort wählen"
    assert message["content-language"] == "de"
    assert "innerhalb von 30 Minuten" in message.get_content()


async def test_nothing_secret_waits_in_the_database(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    await api.make("users", email=address("waits"), name="Waits")
    [row] = await sql(app, "SELECT m::text AS t FROM mails m")
    assert "crm_ml_" not in row["t"]
    await mailer(app, mail_settings).step()
    [message] = mailbox.messages
    secret = link_in(message.get_content()).partition("token=")[2].strip()
    for table in ("mails", "mail_links", "users", "belongings"):
        rows = await sql(app, f"SELECT x::text AS t FROM {table} x")
        assert not [row for row in rows if secret in row["t"]]


async def test_names_can_not_write_headers(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    await api.ok("PATCH", "/v1/org", json={"name": "Evil Bcc: all@corp.example"})
    await sql(app, "UPDATE organizations SET name = $1 WHERE id = $2", "Evil\r\nBcc: all@corp.example", api.org_id)
    await api.make("users", email=address("headers"), name="Headers")
    await mailer(app, mail_settings).step()
    [message] = mailbox.messages
    assert message["bcc"] is None
    assert message["subject"] == "Your invitation to Evil Bcc: all@corp.example"


async def test_not_now_means_later(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    to = address("greylisted")
    await api.make("users", email=to, name="Later")
    mailbox.answers = ["451 4.7.1 Greylisted, try again", "451 4.3.0 Still busy"]
    assert await mailer(app, mail_settings).step() == 1
    assert await waiting(app) == [(to, 1, False)]
    await sql(app, "UPDATE mails SET due_at = now()")
    await mailer(app, mail_settings).step()
    assert await waiting(app) == [(to, 2, False)]
    await sql(app, "UPDATE mails SET due_at = now()")
    await mailer(app, mail_settings).step()
    assert await waiting(app) == []
    assert len(mailbox.messages) == 1


async def test_never_means_never(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    await api.make("users", email=address("refused"), name="Never")
    await mailer(app, mail_settings).step()
    assert await waiting(app) == []
    assert mailbox.messages == []


async def test_a_server_that_is_away_loses_nothing(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    to = address("away")
    await api.make("users", email=to, name="Away")
    away = mail_settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:1")})
    await mailer(app, away).step()
    assert await waiting(app) == [(to, 1, False)]
    await sql(app, "UPDATE mails SET due_at = now()")
    await mailer(app, mail_settings).step()
    assert len(mailbox.messages) == 1


async def test_nobody_waits_for_a_reset_of_yesterday(app: Application, person: Person, mailbox: Mailbox, mail_settings: Settings) -> None:
    services = services_of(app)
    async with services.database.connection() as connection:
        await mailing.ask(connection, services.clock, "reset", normalize_email(person.email), "en")
    await sql(app, "UPDATE mails SET created_at = created_at - interval '1 day'")
    mailbox.answers = ["451 4.3.0 Busy"]
    await mailer(app, mail_settings).step()
    assert await waiting(app) == []


async def test_many_workers_send_each_mail_once(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    wanted = sorted(address(f"many-{number}") for number in range(12))
    for to in wanted:
        await api.make("users", email=to, name="Many")
    workers = [mailer(app, mail_settings) for _ in range(5)]
    await asyncio.gather(*(worker.step() for worker in workers))
    assert sorted(to for [to] in mailbox.recipients) == wanted
    assert await waiting(app) == []


async def test_a_worker_that_dies_on_the_way_loses_nothing(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    to = address("dies")
    await api.make("users", email=to, name="Dies")
    dying = mailer(app, mail_settings)

    async def never(message: EmailMessage) -> None:
        raise KeyboardInterrupt  # neither done nor put off

    dying._send = never
    with pytest.raises(KeyboardInterrupt):
        await dying.step()
    assert await waiting(app) == [(to, 1, False)]  # held for a minute
    assert await mailer(app, mail_settings).step() == 0
    await sql(app, "UPDATE mails SET due_at = due_at - interval '61 seconds'")
    await mailer(app, mail_settings).step()
    assert len(mailbox.messages) == 1
    assert await waiting(app) == []


async def test_sent_twice_has_one_id(app: Application, api: Api, mailbox: Mailbox, mail_settings: Settings) -> None:
    """A crash between the server's yes and our note of it can't be told from one before the yes."""
    await api.make("users", email=address("twice"), name="Twice")
    [kept] = await sql(app, "SELECT * FROM mails")
    await mailer(app, mail_settings).step()
    columns = ", ".join(kept.keys())
    places = ", ".join(f"${number}" for number in range(1, len(kept) + 1))
    await sql(app, f"INSERT INTO mails ({columns}) VALUES ({places})", *kept.values())
    await mailer(app, mail_settings).step()
    assert len(mailbox.messages) == 2
    assert mailbox.messages[0]["message-id"] == mailbox.messages[1]["message-id"]


async def test_signs_in_at_the_server(app: Application) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word")

    found = Mailbox()
    port = free_port()
    controller = Controller(found, hostname="127.0.0.1", port=port, authenticator=authenticate, auth_required=True, auth_require_tls=False)
    controller.start()
    try:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "crm@acme.example", "ada@acme.example", "Hello"
        message.set_content("Hello")
        await Server.of(f"smtp://cr%40m:p%40ss%2Fword@127.0.0.1:{port}").send(message)
    finally:
        controller.stop()
    assert seen == [(b"cr@m", b"p@ss/word")]
    assert len(found.messages) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", Server("mail.example", 587, None, None, False, "offered")),
        ("smtp://mail.example:25?tls=off", Server("mail.example", 25, None, None, False, "off")),
        ("smtp://u:p@mail.example?tls=required", Server("mail.example", 587, "u", "p", False, "required")),
        ("smtps://u:p@mail.example", Server("mail.example", 465, "u", "p", True, "offered")),
    ],
)
def test_addresses_of_mail_servers(url: str, expected: Server) -> None:
    assert Server.of(url) == expected


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "smtp://mail.example?tls=maybe"])
def test_what_is_no_mail_server(url: str) -> None:
    with pytest.raises(ValueError, match=r"smtp|tls"):
        Server.of(url)


async def test_without_a_server_mails_are_kept_and_shown(app: Application, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    await sql(app, "DELETE FROM mails")
    to = address("kept")
    await api.make("users", email=to, name="Kept")
    await mailer(app, services_of(app).settings).step()
    [row] = await sql(app, "SELECT body, due_at FROM mails WHERE recipient = $1", to)
    assert row["due_at"] is None
    assert "/activate?token=crm_ml_" in row["body"]
    assert "/activate?token=crm_ml_" in capsys.readouterr().err


async def test_what_has_expired_is_forgotten(app: Application, person: Person) -> None:
    from crm_api.jobs.people import forget_expired
    from crm_api.jobs.sweeps import Jobs
    from tests.users.support import sign_in

    services = services_of(app)
    async with browser(app, "198.51.100.210") as http:
        await sign_in(http, person.email)
        await sign_in(http, person.email, "wrong wrong wrong")
    await sql(app, "UPDATE sessions SET used_at = used_at - interval '13 hours' WHERE user_id = $1", person.api.user_id)
    await sql(app, "UPDATE failed_attempts SET since = since - interval '25 hours'")
    await forget_expired(Jobs(services.database, services.clock))
    assert not await sql(app, "SELECT 1 FROM sessions WHERE user_id = $1", person.api.user_id)
    assert not await sql(app, "SELECT 1 FROM session_devices WHERE user_id = $1", person.api.user_id)
    assert not await sql(app, "SELECT 1 FROM failed_attempts")
