"""A user from whom fields and objects are hidden goes everywhere, and finds neither their values nor their names.

The routes are those of the organisation's own document as an administrator sees it, custom objects included; the body of each is the
example that stands there.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.access.walk import filled, operations, shown
from tests.access.world import planted, told
from tests.api import Api, unchecked

pytestmark = pytest.mark.anyio


async def test_every_route_with_its_example(api: Api) -> None:
    """GET, POST, PUT, PATCH and DELETE of all paths; hidden objects are 404 wherever a path names one."""
    world = await planted(api)
    document = await api.ok("GET", "/v1/meta/openapi.json")
    standard = (await api.http.get("/openapi.json")).json()
    seen: set[tuple[str, str]] = set()
    leaks: list[str] = []
    walks = [*operations(document), *operations(standard)]
    async with unchecked(api.app, world.user.token) as http:
        for last in (False, True):  # what only looks comes before what changes and removes
            for operation in walks:
                key = (operation.method, operation.path)
                hidden = any(part in ("leads", "zqboats") for part in operation.path.split("/"))
                changes = operation.method in ("PUT", "PATCH", "DELETE") or (
                    operation.method == "POST" and not operation.path.endswith(("/search", "/aggregate", "/read"))
                )
                if (
                    key in seen
                    or changes != last
                    or operation.path.startswith(("/oauth", "/.well-known", "/problems", "/metrics", "/docs"))
                ):
                    continue
                if operation.path in (
                    "/v1/events/stream",
                    "/openapi.json",
                    "/v1/me/password",
                    "/v1/tokens/revoke",
                ) or operation.path.startswith("/v1/me/totp"):
                    continue
                seen.add(key)
                path = filled(operation.path, world.ids, world.names)
                if hidden:
                    path = path.replace(world.ids["leads"], world.ids["leads"])
                answer = await http.request(operation.method, path, **({"json": operation.body} if operation.body is not None else {}))
                if answer.status_code == 500 or (hidden and answer.status_code != 404):
                    leaks.append(f"{operation.method} {path} → {answer.status_code}: {answer.text[:300]}")
                found = told(_prose(answer) if path.endswith(("openapi.json", "schema.json")) else shown(answer))
                # a path and a body that name a hidden thing get it back at most where they said it
                sent = path + json.dumps(operation.body or {})
                found = [one for one in found if one.lower() not in sent.lower()]
                if found:
                    leaks.append(f"{operation.method} {path} → {answer.status_code}: {found}")
    assert len(seen) > 900
    assert not leaks, "\n".join(leaks)


def _prose(answer: httpx.Response) -> str:
    """A document without its prose, in which standard fields of all organisations serve as examples."""

    def without(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without(value) for key, value in node.items() if key != "description"}
        return [without(item) for item in node] if isinstance(node, list) else node

    return json.dumps(without(answer.json())) if answer.status_code == 200 else answer.text
