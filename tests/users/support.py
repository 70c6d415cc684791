"""A browser without scripts: it keeps cookies, reads forms, and sends them as people would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from crm_api.db.statement import Statement
from crm_api.flows.organizations import create_token, create_user
from crm_api.flows.users import totp
from crm_api.http.app import Application
from crm_api.http.services import Services
from crm_api.jobs.mail import Mailer
from crm_api.settings import Settings
from tests.api import Api, Record, client

PASSWORD = "otters wear stapled hats"
OTHER = "a quiet mammoth at dawn"
COOKIE = "crm_session"


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, and their API client."""

    api: Api
    email: str


@asynccontextmanager
async def browser(app: Application, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """A browser at some network address."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@dataclass
class Form:
    """A page's form: where it goes, its fields with what stands in them, and the attributes of each field."""

    method: str = ""
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, dict[str, str | None]] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.labels: set[str] = set()
        self.scripts = 0
        self.inline = 0
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.scripts += tag == "script"
        self.inline += tag == "style" or "style" in given or any(name.startswith("on") for name in given)
        if tag == "form":
            self.forms.append(Form(given.get("method") or "get", given.get("action") or ""))
        elif tag == "input" and self.forms:
            name = given.get("name") or ""
            self.forms[-1].fields[name] = given.get("value") or ""
            self.forms[-1].attributes[name] = given
        elif tag == "label":
            self.labels.add(given.get("for") or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass
class Page:
    """What a page holds."""

    forms: list[Form]
    labels: set[str]
    text: str
    scripts: int
    inline: int

    @property
    def form(self) -> Form:
        """Its only form."""
        assert len(self.forms) == 1, self.text
        return self.forms[0]


def read(answer: httpx.Response) -> Page:
    """The page in an answer."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
    parser = _Page()
    parser.feed(answer.text)
    return Page(parser.forms, parser.labels, " ".join(" ".join(parser.text).split()), parser.scripts, parser.inline)


async def send(http: httpx.AsyncClient, answer: httpx.Response, **values: str) -> httpx.Response:
    """Fills in the form of a page and sends it."""
    form = read(answer).form
    return await http.post(form.action, data={**form.fields, **values})


async def sign_in(http: httpx.AsyncClient, email: str, password: str = PASSWORD, path: str = "/login") -> httpx.Response:
    """Opens the page and sends address and password."""
    return await send(http, await http.get(path), email=email, password=password)


def services_of(app: Application) -> Services:
    """The parts of the application."""
    found: Services = app.state.services
    return found


async def sql(app: Application, text: str, *values: Any) -> list[asyncpg.Record]:
    """Rows of tables that belong to no organisation."""
    names = tuple(f"v{number}" for number in range(len(values)))
    async with services_of(app).database.connection() as connection:
        return await connection.fetch(Statement(text, names), dict(zip(names, values, strict=True)))


async def mailed(app: Application, email: str, settings: Settings | None = None) -> list[str]:
    """The texts of the mails to an address, once everything that is due was sent; there is no mail server, so they are kept."""
    services = services_of(app)
    mailer = Mailer(services.database, services.clock, settings or services.settings)
    while await mailer.step():
        pass
    rows = await sql(app, "SELECT body FROM mails WHERE recipient = $1 AND due_at IS NULL ORDER BY created_at, id", email)
    return [row["body"] for row in rows]


def link_in(text: str) -> str:
    """The path of the link in a mail."""
    found = re.search(r"https?://[^/\s]+(/\S+)", text)
    assert found is not None, text
    return found[1]


def code_for(secret: str, at: datetime, steps: int = 0) -> str:
    """What an authenticator app shows."""
    import base64

    bare = secret.replace(" ", "")
    return totp.code_of(base64.b32decode(bare + "=" * (-len(bare) % 8)), totp.step_at(at) + steps)


def address(name: str) -> str:
    return f"{name}-{uuid4().hex[:12]}@corp.example"


@asynccontextmanager
async def member(app: Application, api: Api, profile: str = "standard", *scopes: str) -> AsyncIterator[Api]:
    """The client of another member."""
    database = services_of(app).database
    user_id = await create_user(database, org_id=api.org_id, email=address("member"), name="Mia Member", password=PASSWORD, profile=profile)
    token = await create_token(database, org_id=api.org_id, user_id=user_id, name="own", scopes=scopes or ["admin"])
    async with client(app, token["token"]) as http:
        yield Api(http, app, api.org_id, user_id, token["token"])


async def profile_named(api: Api, key: str) -> Record:
    found = [one for one in await api.all("/v1/profiles") if one["key"] == key]
    return found[0]
