"""Verifying a whole audit log, however long, part by part."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from crm_api.core.clock import SystemClock
from crm_api.core.signing import Signer
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.kernel.audit_verify import MAX_ENTRIES, Kept, Verdict, verify


async def verify_whole(database: Database, org_id: UUID, signer: Signer, kept: Kept | None = None, *, part: int = MAX_ENTRIES) -> Verdict:
    """What is found from the first entry to the last, or to the first that is wrong; a short transaction for each part."""
    found: Verdict | None = None
    from_seq: int | None = 1
    while from_seq is not None:
        async with unit_of_work(database, org_id, SystemClock(), read_only=True) as uow:
            this = await verify(uow, signer, from_seq=from_seq, kept=kept, limit=part)
        if found is not None:
            this = replace(
                this,
                from_seq=1,
                entries=found.entries + this.entries,
                erased=found.erased + this.erased,
                checkpoints=found.checkpoints + this.checkpoints,
            )
        found = this
        from_seq = None if found.broken is not None and found.broken.seq <= found.to_seq else found.next_seq
    assert found is not None
    return found
