"""Checkpoints of audit logs: signed every hour where something was added, so that neither the end of a log nor a whole rewritten
log can go unnoticed. A checkpoint that is kept elsewhere holds even against whoever owns the database and the keys.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from crm_api.core.clock import format_timestamp
from crm_api.core.signing import Signer
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.audit_chain import checkpoint_message
from crm_api.kernel.audit_verify import verify

_LAST: Final = Statement(
    """
    SELECT h.seq, h.hash,
           coalesce((SELECT max(k.number) FROM audit_checkpoints k WHERE k.org_id = $1), 0) AS number,
           coalesce((SELECT max(k.seq) FROM audit_checkpoints k WHERE k.org_id = $1), 0) AS signed
      FROM audit_heads h WHERE h.org_id = $1
    """,
    ("org_id",),
)
_ADD: Final = Statement(
    "INSERT INTO audit_checkpoints (org_id, number, seq, hash, signed_at, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (org_id, number) DO NOTHING RETURNING number",
    ("org_id", "number", "seq", "hash", "signed_at", "key_id", "signature"),
)
_LIST: Final = Statement(
    "SELECT number, seq, hash, signed_at, key_id, signature FROM audit_checkpoints WHERE org_id = $1 AND number < $2"
    " ORDER BY number DESC LIMIT $3",
    ("org_id", "below", "limit"),
)

log = structlog.get_logger("crm_api.audit")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: the organisation's chain had this hash at entry `seq`."""

    org_id: UUID
    number: int
    seq: int
    hash: bytes
    signed_at: datetime
    key_id: str
    signature: bytes

    def json(self) -> dict[str, Any]:
        """As the API and the log show it."""
        return {
            "number": self.number,
            "seq": self.seq,
            "hash": self.hash.hex(),
            "signed_at": format_timestamp(self.signed_at),
            "key_id": self.key_id,
            "signature": base64.b64encode(self.signature).decode(),
        }


async def sign(uow: Uow, signer: Signer) -> Checkpoint | None:
    """Signs how far the uow's organisation's chain goes, if it has grown since the last checkpoint.

    What was added since is verified first: a chain that is broken is not signed, but reported in the log as
    `audit_log_broken`.
    """
    last = await uow.fetch_row(_LAST, {"org_id": uow.org_id})
    if last is None or last["seq"] == last["signed"]:
        return None
    from_seq: int = min(last["signed"], last["seq"]) or 1
    while True:
        found = await verify(uow, signer, from_seq=from_seq)
        if found.broken is not None:
            log.error("audit_log_broken", org_id=str(uow.org_id), seq=found.broken.seq, reason=found.broken.reason)
            return None
        if found.next_seq is None:
            break
        from_seq = found.next_seq
    number, at = last["number"] + 1, uow.clock.now()
    signature = signer.sign(checkpoint_message(uow.org_id, number, last["seq"], last["hash"], at))
    made = Checkpoint(uow.org_id, number, last["seq"], last["hash"], at, signer.key_id, signature)
    values = {name: getattr(made, name) for name in _ADD.names}
    if await uow.fetch_row(_ADD, values) is None:
        return None  # another worker was quicker
    # The log is read and kept elsewhere, where whoever can change the database may not reach.
    log.info("audit_checkpoint", org_id=str(uow.org_id), **made.json())
    return made


async def listed(uow: Uow, limit: int, below: int | None) -> list[Checkpoint]:
    """The checkpoints with numbers below `below` (default: all), newest first."""
    rows = await uow.fetch(_LIST, {"org_id": uow.org_id, "below": 2**63 - 1 if below is None else below, "limit": limit})
    return [Checkpoint(uow.org_id, **row) for row in rows]
