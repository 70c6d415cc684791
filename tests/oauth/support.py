"""A browser with a person in front of it, an app, and what they say to each other: all over HTTP."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import httpx
import pytest

from crm_api.http.app import Application
from tests.api import Api

BASE = "http://testserver"
CALLBACK = "https://app.example/callback"
PASSWORD = "correct horse battery staple"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

OTHER_URIS = [
    CALLBACK[:-1],
    CALLBACK + "/",
    CALLBACK.replace("callback", "Callback"),
    CALLBACK.replace("app.", "APP."),
    CALLBACK.replace("example/", "example:443/"),
    CALLBACK.replace("callback", "x/../callback"),
    CALLBACK.replace("callback", "%63allback"),
    CALLBACK.replace("https://", "https://user@"),
    CALLBACK + "#part",
    CALLBACK + "?x=1",
    CALLBACK.replace("https", "http"),
    "https://app.example.evil.example/callback",
]
"""Addresses that are not CALLBACK."""


def compliance(spec: str, section: str, requirement: str) -> pytest.MarkDecorator:
    """Says which requirement a test shows; see matrix.py."""
    return pytest.mark.compliance(spec=spec, section=section, requirement=requirement)


@dataclass
class Form:
    """A form of a page: where it goes, and its fields as they are filled in."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """The forms and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(Form(given.get("action") or "", (given.get("method") or "get").lower()))
        name = given.get("name")
        if self.forms and name and tag in ("input", "button"):
            value = given.get("value") or ""
            if given.get("type") in ("radio", "submit") or tag == "button":
                self.forms[-1].choices.setdefault(name, []).append(value)
                if "checked" in given:
                    self.forms[-1].fields[name] = value
            else:
                self.forms[-1].fields[name] = value

    def handle_data(self, data: str) -> None:
        self.text += data


def pkce() -> tuple[str, str]:
    """A verifier and its challenge."""
    verifier = secrets.token_urlsafe(48)
    return verifier, urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def unauthenticated(app: Application, **more: Any) -> httpx.AsyncClient:
    """A client of this process without a token or cookies."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app, raise_app_exceptions=True), base_url=BASE, timeout=60, **more)


@dataclass
class Browser:
    """A person's browser."""

    http: httpx.AsyncClient
    email: str
    password: str = PASSWORD

    async def sign_in(self) -> None:
        """Through the page, as people do."""
        shown = await self.http.get("/login")
        answer = await self.submit(Page(shown.text).forms[0], email=self.email, password=self.password)
        assert answer.status_code == 303, answer.text

    async def submit(self, form: Form, **filled: str) -> httpx.Response:
        """Sends a form with these fields filled in."""
        return await self.http.post(form.action, data={**form.fields, **filled})

    async def follow(self, url: str) -> httpx.Response:
        """Goes to an address and signs in where that is asked for; the page or redirect that comes in the end."""
        answer = await self.http.get(url)
        while answer.status_code == 303 and answer.headers["location"].startswith("/"):
            answer = await self.http.get(answer.headers["location"])
            page = Page(answer.text)
            if page.forms and "password" in page.forms[0].fields:
                answer = await self.submit(page.forms[0], email=self.email, password=self.password)
        return answer

    async def decide(self, url: str, decision: str = "allow", **filled: str) -> httpx.Response:
        """Goes to an authorization request and answers it; the redirect to the app."""
        shown = await self.follow(url)
        assert shown.status_code == 200, (shown.status_code, shown.headers, shown.text)
        return await self.submit(Page(shown.text).forms[0], decision=decision, **filled)


def returned(answer: httpx.Response) -> dict[str, str]:
    """The parameters of a redirect to the app."""
    assert answer.status_code == 303, answer.text
    found = parse_qs(urlsplit(answer.headers["location"]).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), found
    return {name: values[0] for name, values in found.items()}


@dataclass
class App:
    """A registered app and how it speaks."""

    http: httpx.AsyncClient
    id: str
    secret: str | None
    redirect_uri: str = CALLBACK

    @property
    def basic(self) -> dict[str, str]:
        """Its `Authorization` header."""
        given = f"{quote(self.id, safe='')}:{quote(self.secret or '', safe='')}"
        return {"authorization": "Basic " + b64encode(given.encode()).decode()}

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        """A form, authenticated with what the app has."""
        if self.secret is None:
            return await self.http.post(path, data={"client_id": self.id, **fields})
        return await self.http.post(path, data=fields, headers=self.basic)

    async def token(self, **fields: Any) -> httpx.Response:
        """A request to the token endpoint."""
        return await self.post("/oauth/token", **fields)

    async def refresh(self, token: str, **more: Any) -> httpx.Response:
        """A refresh."""
        return await self.token(grant_type="refresh_token", refresh_token=token, **more)

    def url(self, challenge: str | None = None, /, **parameters: Any) -> str:
        """An authorization request; a parameter that is None is left out."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge or pkce()[1],
            "code_challenge_method": "S256",
            "state": "af0ifjsldkj",
            **parameters,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None}, doseq=True)

    async def code(self, browser: Browser, **parameters: Any) -> tuple[str, str]:
        """A code and its verifier."""
        verifier, challenge = pkce()
        found = returned(await browser.decide(self.url(challenge, **parameters)))
        return found["code"], verifier

    async def exchange(self, code: str, verifier: str, **more: Any) -> httpx.Response:
        """A code for tokens."""
        return await self.token(**{
            "grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": self.redirect_uri, **more
        })  # fmt: skip

    async def tokens(self, browser: Browser, **parameters: Any) -> dict[str, Any]:
        """The whole way."""
        answer = await self.exchange(*await self.code(browser, **parameters))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def works(self, token: str) -> int:
        """The status with which the API meets an access token."""
        return (await self.http.get("/v1/me", headers={"authorization": f"Bearer {token}"})).status_code


async def register(api: Api, http: httpx.AsyncClient, **body: Any) -> App:
    """Registers an app in the caller's organisation."""
    given = {"name": "Mail for CRM", "redirect_uris": [CALLBACK], "scopes": ["contacts:read", "deals:write"], **body}
    made = await api.ok("POST", "/v1/oauth_apps", json=given, status=201)
    uris = given["redirect_uris"]
    return App(http, made["client_id"], made["client_secret"], uris[0] if uris else CALLBACK)


def refused(answer: httpx.Response, error: str, status: int = 400) -> dict[str, Any]:
    """Asserts an error of RFC 6749, section 5.2."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    body: dict[str, Any] = answer.json()
    assert body["error"] == error, body
    assert set(body) == {"error", "error_description"}
    return body


def pairs(url: str) -> list[tuple[str, str]]:
    """The parameters of an address, in order."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)
