"""OWASP API1: an administrator of one organisation, with the ids of another one's records, on every route there is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.access.walk import Operation, shown
from tests.api import Api, unchecked
from tests.security.routes import Planted, api_operations, each, plant

pytestmark = pytest.mark.anyio

MARKER = "Zqvictim"
REFUSED = (400, 404, 405, 409, 412, 415, 422)
"""An operation may also fail for its example before it looks for the record; a read has to say 404."""


async def test_no_route_reaches_another_organisation(api: Api, other_api: Api) -> None:
    """Nothing of the other organisation is told, and nothing there changes."""
    planted = await plant(other_api, MARKER)
    before = await everything(other_api, planted)
    http = unchecked(api.app, api.token)
    about_records = [one for one in api_operations() if "{id}" in one.path or "{object}" in one.path]
    assert len(about_records) > 300

    async def ask(operation: Operation) -> httpx.Response:
        return await http.request(operation.method, planted.path(operation), json=operation.body)

    def look(operation: Operation, answer: httpx.Response) -> str | None:
        told = MARKER in shown(answer)
        reads = operation.method == "GET" and "{id}" in operation.path
        if told or answer.status_code not in REFUSED or (reads and answer.status_code not in (400, 404)):
            return f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:200]}"
        return None

    async with http:
        wrong = await each(about_records, ask, look)
    assert not wrong, "\n".join(wrong)
    assert await everything(other_api, planted) == before


async def test_no_reference_leads_into_another_organisation(api: Api, other_api: Api) -> None:
    """Ids of the other's records in bodies are as unknown as any that never was."""
    planted = await plant(other_api, MARKER)
    mine = await plant(api, "mine")
    for resource in api.app.state.services.engine.registry:
        if "update" not in resource.verbs or resource.name not in mine.ids:
            continue
        for field in resource.references.values():
            target = field.spec.target
            if target not in planted.ids or field.spec.writable != "always":
                continue
            answer = await api.http.patch(f"/v1/{resource.name}/{mine.ids[resource.name]}", json={field.name: planted.ids[target]})
            assert answer.status_code in (403, 422), f"{resource.name}.{field.name}: {answer.status_code} {answer.text}"
            assert MARKER not in answer.text


async def everything(api: Api, planted: Planted) -> dict[str, Any]:
    """All records of an organisation as they are."""
    names = [*(resource.name for resource in api.app.state.services.engine.registry), "vaults"]
    return {name: await api.all(f"/v1/{name}", deleted="include", sort="created_at") for name in names}
