"""Every operation of the committed description, with its paths filled in by the ids of one organisation's records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from crm_api.resources import RESOURCES
from tests.access.walk import Operation, filled, operations
from tests.api import Api
from tests.openapi_validation import document

ENDLESS = ("/v1/events/stream",)
"""Answers that don't end; tests/journal reads them."""

AT_ONCE = 8


def api_operations() -> list[Operation]:
    """Those under /v1, each with the example of its body."""
    return [one for one in operations(document()) if one.path.startswith("/v1/") and one.path not in ENDLESS]


@dataclass(frozen=True)
class Planted:
    """Ids of an organisation's things, by the segment of paths in front of them."""

    ids: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]

    def path(self, operation: Operation) -> str:
        """An operation's path about these things."""
        return filled(operation.path, self.ids, self.names)


async def plant(api: Api, marker: str) -> Planted:
    """One thing of every kind, which says `marker` wherever it can say something."""
    ids: dict[str, str] = {"users": str(api.user_id)}
    for resource in RESOURCES:
        if "create" in resource.verbs and resource.name not in ("users",):
            body = _marked({**resource.example, **_NEEDS.get(resource.name, {})}, marker, ids)
            answer = await api.http.post(f"/v1/{resource.name}", json=body)
            if answer.status_code == 201:
                ids[resource.name] = answer.json()["id"]
    job = await api.ok("POST", "/v1/contacts/bulk", json={"ids": [ids["contacts"]], "action": "tag", "set": {"tags": [marker]}})
    ids["jobs"] = job["id"]
    ids["tokens"] = (await api.ok("POST", "/v1/tokens", json={"name": marker, "scopes": ["contacts:read"]}))["id"]
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "vaults", "singular": "vault", "label": f"Vault {marker}"})
    ids["vaults"] = (await api.make("vaults", name=marker))["id"]
    event = (await api.ok("GET", "/v1/events", params={"limit": 1}))["data"][0]["id"]
    return Planted({**ids, "events": event}, {"": {"object": "vaults"}})


async def each(
    work: Iterable[Operation], ask: Callable[[Operation], Any], look: Callable[[Operation, httpx.Response], str | None]
) -> list[str]:
    """Sends every request, a few at a time; what `look` finds wrong with the answers."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(operation: Operation) -> str | None:
        async with places:
            return look(operation, await ask(operation))

    return [found for found in await asyncio.gather(*map(one, work)) if found is not None]


_NEEDS: dict[str, dict[str, Any]] = {
    "deals": {"contacts": None},
    "case_comments": {"case_id": "$cases"},
    "stages": {"pipeline_id": "$pipelines"},
    "layouts": {"applies_to": "contacts"},
    "sharing_rules": {"share_with": {"type": "user", "id": "$users"}},
    "restriction_rules": {"restricts": []},
}


def _marked(body: dict[str, Any], marker: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """A body with the marker in its plain texts and real ids in place of those of the example."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        if value is None:
            continue
        if isinstance(value, str) and value.startswith("$"):
            found[name] = ids[value[1:]]
        elif isinstance(value, dict):
            found[name] = _marked(value, marker, ids)
        elif name in ("name", "last_name", "subject", "label", "description", "content"):
            found[name] = f"{value} {marker}"
        elif name.endswith("_id") and isinstance(value, str):
            target = next((target for target in (f"{name[:-3]}s", f"{name[:-4]}ies") if target in ids), None)
            if target is not None:
                found[name] = ids[target]
        else:
            found[name] = value
    return found
