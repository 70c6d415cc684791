"""What is different between a sandbox's configuration and its organisation's, and bringing it over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.uow import SYSTEM, unit_of_work
from crm_api.flows.configuration import document, history
from crm_api.flows.configuration.differences import compare
from crm_api.flows.organizations import organization_info
from crm_api.flows.sandboxes.remap import ids_in, replace_ids
from crm_api.flows.sandboxes.service import Sandbox
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.principal import Principal


async def configuration_of(context: Context, engine: Engine, database: Database, clock: Clock, sandbox: Sandbox) -> dict[str, Any]:
    """The sandbox's configuration as the organisation would say it: users by their own addresses, its own ids of records."""
    present = (await document.read(context)).document
    remap = sandbox.remap
    users = {remap.id(id_): email for id_, email in (await document.users_of(context)).items()}
    async with unit_of_work(database, sandbox.id, clock, read_only=True) as uow:
        principal = Principal(await organization_info(uow), sandbox.user_id, sandbox.user_id, "system", frozenset({"admin"}), SYSTEM)
        there = await document.read(await engine.context(principal, uow), users)
    known: dict[UUID, UUID] = {remap.id(id_): id_ for id_ in ids_in(document.encode(present).decode())}
    found: dict[str, Any] = orjson.loads(replace_ids(document.encode(there.document).decode(), known))
    return found


async def difference(context: Context, engine: Engine, database: Database, clock: Clock, sandbox: Sandbox) -> list[dict[str, Any]]:
    """What the sandbox has that the organisation has not, and the other way round."""
    target = await configuration_of(context, engine, database, clock, sandbox)
    present = (await document.read(context)).document
    return [change.json() for change in compare(context.whole, present, target)]


async def promote(
    context: Context, engine: Engine, database: Database, clock: Clock, sandbox: Sandbox, *, prune: bool, dry_run: bool
) -> dict[str, Any]:
    """Applies the sandbox's configuration to the organisation. Raises as applying does."""
    target = await configuration_of(context, engine, database, clock, sandbox)
    return await history.change(context, target, "promote", prune=prune, dry_run=dry_run)
