"""Tokens that turn up where they should not be: whoever holds one may end it, and needs no other right for that."""

from __future__ import annotations

from typing import Final

from crm_api.core.clock import Clock
from crm_api.core.tokens import parse
from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import Cause, unit_of_work
from crm_api.flows.oauth.issuing import end_grant
from crm_api.kernel import audit

_FIND: Final = Statement("SELECT org_id, id, kind, prefix, revoked_at FROM tokens WHERE hash = $1", ("hash",))
_END: Final = Statement("UPDATE tokens SET revoked_at = $2 WHERE hash = $1 AND revoked_at IS NULL RETURNING 1", ("hash", "now"))
_REFRESH: Final = "rt"


async def revoke_leaked(database: Database, clock: Clock, text: str, cause: Cause) -> bool:
    """Ends this very secret; with a refresh token all that came from the same consent. False for what is no token of ours.

    A secret that it was rotated to, or from, goes on: only what was shown is known to others. It is audited in the token's
    organisation.
    """
    hash_ = parse(text, "crm_pat_", "crm_at_", "crm_rt_")
    if hash_ is None:
        return False
    async with database.connection() as connection:
        row = await connection.fetch_row(_FIND, {"hash": hash_})
    if row is None:
        return False
    if row["revoked_at"] is not None:
        return True
    async with unit_of_work(database, row["org_id"], clock, cause=cause) as uow:
        if await uow.fetch_row(_END, {"hash": hash_, "now": clock.now()}) is not None:
            if row["kind"] == _REFRESH:
                await end_grant(uow, row["id"], "leaked")
            audit.record(uow, "token.leak_reported", object="tokens", record_id=row["id"], details={"prefix": row["prefix"]})
    return True
