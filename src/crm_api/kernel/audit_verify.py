"""Walking an organisation's audit log: whether every entry is there, unchanged, in its place, and as the signed checkpoints say.

The first entry that is not as it was written is named with what is wrong with it. Whoever owns the database could write a whole
new chain; what such a chain can't have are the signatures of checkpoints, nor the hash of a checkpoint that somebody has kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import asyncpg

from crm_api.core.signing import Signer
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.audit_chain import GENESIS, HASHED, body, checkpoint_message, commitment, entry_hash

MAX_ENTRIES: Final = 200_000
"""Entries that one call looks at; the answer tells where the next one goes on."""

_BATCH: Final = 250
"""Rows between two looks at whatever else the process has to do."""

Reason = Literal[
    "missing", "altered", "unlinked", "personal_altered", "beyond_head", "unlike_head", "unlike_checkpoint", "checkpoint_forged",
    "checkpoint_missing", "unlike_kept",
]  # fmt: skip

REASONS: Final[dict[Reason, str]] = {
    "missing": "The entry is not there although later ones, the end of the chain or a checkpoint say that it was written.",
    "altered": "The entry's fields don't give the hash that is stored with it.",
    "unlinked": "The entry doesn't carry the hash of the entry before.",
    "personal_altered": "The personal details are not those that the entry was written with.",
    "beyond_head": "The entry lies beyond the end of the chain.",
    "unlike_head": "The last entry's hash is not the one at the end of the chain.",
    "unlike_checkpoint": "The entry's hash is not the one that was signed in a checkpoint.",
    "checkpoint_forged": "The checkpoint of this entry has no signature by a key that this server knows.",
    "checkpoint_missing": "A checkpoint before this entry's was removed.",
    "unlike_kept": "The entry's hash is not the one of the checkpoint that you have kept.",
}

_STATE: Final = Statement(
    """
    SELECT (SELECT h.seq FROM audit_heads h WHERE h.org_id = $1) AS head,
           (SELECT h.hash FROM audit_heads h WHERE h.org_id = $1) AS head_hash,
           (SELECT max(a.seq) FROM audit_log a WHERE a.org_id = $1) AS last,
           (SELECT min(a.seq) FROM audit_log a WHERE a.org_id = $1
               AND a.seq > coalesce((SELECT h.seq FROM audit_heads h WHERE h.org_id = $1), 0)) AS beyond,
           (SELECT a.hash FROM audit_log a WHERE a.org_id = $1 AND a.seq = $2) AS before,
           (SELECT a.hash FROM audit_log a WHERE a.org_id = $1 AND a.seq = $3) AS kept,
           (SELECT count(*) FROM audit_checkpoints k WHERE k.org_id = $1) AS checkpoints,
           (SELECT max(k.number) FROM audit_checkpoints k WHERE k.org_id = $1) AS last_number,
           (SELECT max(k.seq) FROM audit_checkpoints k WHERE k.org_id = $1) AS signed
    """,
    ("org_id", "before", "kept_seq"),
)
_WALK: Final = Statement(
    f"""
    SELECT {", ".join(f"a.{name}" for name in HASHED)}, a.seq, a.prev_hash, a.hash, a.salt, a.personal, a.erased_at,
           k.number, k.hash AS signed_hash, k.signed_at, k.key_id, k.signature
      FROM audit_log a LEFT JOIN audit_checkpoints k ON k.org_id = $1 AND k.seq = a.seq
     WHERE a.org_id = $1 AND a.seq >= $2 AND a.seq <= $3 ORDER BY a.seq, k.number
    """,
    ("org_id", "from_seq", "to_seq"),
)
_GAP: Final = Statement(
    "SELECT min(found.seq) FROM (SELECT k.seq, k.number, row_number() OVER (ORDER BY k.number) AS place FROM audit_checkpoints k"
    " WHERE k.org_id = $1) AS found WHERE found.number <> found.place",
    ("org_id",),
)


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that is not as it was written, and what is wrong."""

    seq: int
    reason: Reason

    def json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {"seq": self.seq, "reason": self.reason, "detail": REASONS[self.reason]}


@dataclass(slots=True)
class Verdict:
    """What a walk has found: entries from `from_seq` to `to_seq`, of a chain whose last one is `head_seq`.

    `next_seq` is where to go on if there was more than one walk looks at. `hash` is that of the last entry looked at.
    """

    from_seq: int
    to_seq: int
    head_seq: int
    entries: int = 0
    erased: int = 0
    checkpoints: int = 0
    hash: bytes | None = None
    next_seq: int | None = None
    broken: Broken | None = None

    def json(self) -> dict[str, Any]:
        """As the API and the command line show it."""
        return {
            "ok": self.broken is None,
            "entries": self.entries,
            "from_seq": self.from_seq,
            "to_seq": self.to_seq,
            "head_seq": self.head_seq,
            "hash": None if self.hash is None else self.hash.hex(),
            "checkpoints": self.checkpoints,
            "erased": self.erased,
            "next_seq": self.next_seq,
            "first_broken": None if self.broken is None else self.broken.json(),
        }

    def blame(self, seq: int, reason: Reason) -> None:
        """Notes what is wrong, unless something is wrong before it."""
        if self.broken is None or seq < self.broken.seq:
            self.broken = Broken(seq, reason)


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that was kept outside of this server."""

    seq: int
    hash: bytes


async def verify(
    uow: Uow, signer: Signer, *, from_seq: int = 1, to_seq: int | None = None, kept: Kept | None = None, limit: int = MAX_ENTRIES
) -> Verdict:
    """Looks at the entries from `from_seq` to `to_seq` (default: all), in memory that doesn't depend on how many there are.

    The entry before `from_seq` is believed. Entries that are written meanwhile are not looked at.
    """
    values = {"org_id": uow.org_id, "before": from_seq - 1, "kept_seq": None if kept is None else kept.seq}
    state = await uow.fetch_row(_STATE, values)  # both ends as they are at one instant
    assert state is not None
    head: int = state["head"] or 0
    end = head if to_seq is None else min(to_seq, head)
    upto = min(end, from_seq + limit - 1)
    found = Verdict(from_seq, upto, head, next_seq=upto + 1 if upto < end else None)
    await _whole(uow, found, state, kept)
    if from_seq > 1 and state["before"] is None and from_seq - 1 <= head:
        found.blame(from_seq - 1, "missing")
    else:
        await _walk(uow, signer, found, GENESIS if from_seq == 1 else state["before"], state["head_hash"])
    return found


async def _whole(uow: Uow, found: Verdict, state: asyncpg.Record, kept: Kept | None) -> None:
    """What can be seen without a walk: both ends, and the checkpoints as such."""
    head, last = found.head_seq, state["last"] or 0
    signed = state["signed"] or 0
    written = max(head, signed, 0 if kept is None else kept.seq)
    if last < written:
        found.blame(last + 1, "missing")
    if state["beyond"] is not None:
        found.blame(state["beyond"], "beyond_head")
    if state["checkpoints"] != (state["last_number"] or 0):
        gap = await uow.fetch_value(_GAP, {"org_id": uow.org_id})
        found.blame(gap, "checkpoint_missing")
    if kept is not None and state["kept"] is not None and state["kept"] != kept.hash:
        found.blame(kept.seq, "unlike_kept")


async def _walk(uow: Uow, signer: Signer, found: Verdict, before: bytes | None, head_hash: bytes | None) -> None:
    seq, hash = found.from_seq - 1, before
    values = {"org_id": uow.org_id, "from_seq": found.from_seq, "to_seq": found.to_seq}
    async for row in uow.stream(_WALK, values, _BATCH):
        if row["seq"] != seq:  # else a second checkpoint of the same entry
            seq += 1
            wrong = _wrong(uow, row, seq, hash)
            if wrong is not None:
                found.blame(seq, wrong)
                return
            hash = row["hash"]
            found.entries += 1
            found.erased += row["erased_at"] is not None
            found.hash = hash
        if row["number"] is not None:
            found.checkpoints += 1
            unsigned = _unsigned(uow, row, signer)
            if unsigned is not None:
                found.blame(seq, unsigned)
                return
    if seq < found.to_seq:
        found.blame(seq + 1, "missing")
    elif seq == found.head_seq and seq >= found.from_seq and hash != head_hash:
        found.blame(seq, "unlike_head")


def _wrong(uow: Uow, row: asyncpg.Record, seq: int, before: bytes | None) -> Reason | None:
    if row["seq"] != seq:
        return "missing"
    if row["hash"] != entry_hash(uow.org_id, row["prev_hash"], seq, body(row[: len(HASHED)])):
        return "altered"
    if row["prev_hash"] != before:
        return "unlinked"
    if row["personal"] is not None or row["salt"] is not None:
        if row["personal"] is None or row["salt"] is None or commitment(row["salt"], row["personal"]) != row["commitment"]:
            return "personal_altered"
    elif row["commitment"] is not None and row["erased_at"] is None:
        return "personal_altered"
    return None


def _unsigned(uow: Uow, row: asyncpg.Record, signer: Signer) -> Reason | None:
    message = checkpoint_message(uow.org_id, row["number"], row["seq"], row["signed_hash"], row["signed_at"])
    if not signer.verify(row["key_id"], message, row["signature"]):
        return "checkpoint_forged"
    return None if row["signed_hash"] == row["hash"] else "unlike_checkpoint"
