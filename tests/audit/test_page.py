"""docs/audit.md: its Python finds what the server finds, from the API's answers alone."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature

from crm_api.core.clock import SystemClock
from crm_api.db.uow import Actor, Cause, unit_of_work
from crm_api.jobs.sweeps import Jobs, sign_audit_logs
from crm_api.kernel import audit
from crm_api.settings import Settings
from tests.api import Api
from tests.docs.support import blocks

pytestmark = pytest.mark.anyio
PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


async def test_verifying_without_the_server(api: Api, settings: Settings) -> None:
    (block,) = [block for block in blocks(PAGE) if block.language == "python"]
    script: dict[str, Any] = {}
    exec(compile(block.text, str(PAGE), "exec"), script)
    await api.ok("POST", "/v1/meta/contacts/fields", json={"api_name": "size", "type": "text", "label": 'Größe "\n"'}, status=201)
    await api.make("roles", name="Director — süd")
    async with unit_of_work(
        api.app.state.services.database, api.org_id, SystemClock(), actor=Actor("app", UUID(int=7)), cause=Cause(ip="203.0.113.7")
    ) as uow:
        audit.record(uow, "thing.done", details={"b": [1, None, True, "\u2028\x00/"], "a": {"ß": "x"}}, personal={"name": "Ünal"})
        audit.record(uow, "thing.done", details={"long": "x" * 100_000})
    entries = (await api.all("/v1/audit"))[::-1]
    assert script["first_wrong"](str(api.org_id), entries) is None
    assert script["first_wrong"](str(api.org_id), entries[3:]) is None
    for name, value in (("action", "thing.else"), ("ip", "203.0.113.8"), ("details", {}), ("object", None), ("cause", {"x": 1})):
        spoilt = copy.deepcopy(entries)
        place = next(i for i, e in enumerate(spoilt) if e[name] not in (None, value, {}))
        spoilt[place][name] = value
        assert script["first_wrong"](str(api.org_id), spoilt) == place + 1, name
    await sign_audit_logs(Jobs(api.app.state.services.database, SystemClock(), signer=settings.signer))
    found = await api.ok("GET", "/v1/audit/checkpoints")
    (checkpoint,) = found["data"]
    assert checkpoint["hash"] == entries[-1]["hash"]
    script["check_signature"](str(api.org_id), checkpoint, found["keys"])
    with pytest.raises(InvalidSignature):
        script["check_signature"](str(api.org_id), {**checkpoint, "seq": 1}, found["keys"])
