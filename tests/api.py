"""A client of the whole application, in an organisation of its own: what tests over HTTP talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx

from crm_api.flows.organizations import create_organization
from crm_api.http.app import Application
from tests.event_validation import EventChecker
from tests.openapi_validation import Checker

Record = dict[str, Any]


@dataclass
class Api:
    """One caller. `http` sends raw requests; the methods assert success and return what came back."""

    http: httpx.AsyncClient
    app: Application
    org_id: UUID
    user_id: UUID
    token: str

    async def ok(self, method: str, path: str, *, status: int | None = None, **more: Any) -> Any:
        """A request that must succeed; the parsed body."""
        answer = await self.http.request(method, path, **more)
        assert (answer.status_code == status) if status else answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def fails(self, method: str, path: str, status: int, code: str, **more: Any) -> dict[str, Any]:
        """A request that must fail in this way; the problem."""
        answer = await self.http.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = answer.json()
        assert problem["code"] == code, problem
        return problem

    async def make(self, name: str, /, **body: Any) -> Record:
        """Creates a record."""
        found: Record = await self.ok("POST", f"/v1/{name}", json=body, status=201)
        return found

    async def change(self, record: Mapping[str, Any], /, **body: Any) -> Record:
        """Merge-patches a record."""
        found: Record = await self.ok("PATCH", f"/v1/{record['object']}/{record['id']}", json=body)
        return found

    async def get(self, record: Mapping[str, Any], **params: Any) -> Record:
        """Reads a record again."""
        found: Record = await self.ok("GET", f"/v1/{record['object']}/{record['id']}", params=params)
        return found

    async def all(self, path: str, **params: Any) -> list[Record]:
        """Every record of a list, page by page."""
        found: list[Record] = []
        cursor: str | None = None
        while True:
            page = await self.ok("GET", path, params={"limit": 200, **params, **({"cursor": cursor} if cursor else {})})
            found += page["data"]
            cursor = page["page"]["next_cursor"]
            if cursor is None:
                return found

    async def with_scopes(self, *scopes: str) -> Api:
        """Another token of the same user, with these scopes. Its client is closed with this one's application."""
        made = await self.ok("POST", "/v1/tokens", json={"name": "narrow", "scopes": list(scopes)}, status=201)
        http = client(self.app, made["token"])
        http.event_hooks = self.http.event_hooks
        return Api(http, self.app, self.org_id, self.user_id, made["token"])


def client(app: Application, token: str) -> httpx.AsyncClient:
    """An HTTP client that speaks to the application in this process."""
    found = unchecked(app, token)
    ask = partial(unchecked, app, token)
    found.event_hooks = {"response": [Checker(ask), EventChecker(ask)]}  # every answer of the suite is one that is described
    return found


def unchecked(app: Application, token: str) -> httpx.AsyncClient:
    """The same without a look at the answers."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", headers={"authorization": f"Bearer {token}"}, timeout=60)


@asynccontextmanager
async def new_organization(app: Application, **options: Any) -> AsyncIterator[Api]:
    """An organisation as it is made for a new customer, and its administrator's client."""
    made = await create_organization(
        app.state.services.database, name="Test", admin_email=f"admin-{uuid4().hex}@corp.example", admin_name="Ada Admin", **options
    )
    async with client(app, made["token"]) as http:
        yield Api(http, app, UUID(made["org_id"]), UUID(made["user_id"]), made["token"])
