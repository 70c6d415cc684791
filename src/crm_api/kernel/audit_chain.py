"""How entries of the audit log are hashed.

The hash of an entry is SHA-256 over its fields in a fixed order, each with its length before it (four bytes, big-endian;
`ff ff ff ff` for null), so that no two different entries have the same bytes. The first three are the number of this layout, the
organisation, and the hash of the entry before; of the first entry that is 32 zero bytes. JSON is hashed as the text that is stored.

What is personal is not hashed itself but by a digest with a random salt: once both are gone, nothing tells what it was, and the
chain still holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from crm_api.core.clock import format_timestamp

LAYOUT: Final = b"crm-audit-1"
GENESIS: Final = bytes(32)
HASHED: Final = (
    "id",
    "occurred_at",
    "actor_type",
    "actor_id",
    "action",
    "object",
    "record_id",
    "request_id",
    "cause",
    "details",
    "commitment",
)
"""The fields that an entry's hash is over beside its place in the chain."""

Value = UUID | datetime | str | bytes | None
_NULL: Final = b"\xff\xff\xff\xff"


def prefixed(*fields: bytes | None) -> bytes:
    """The fields one after the other, each with its length before it."""
    return b"".join(_NULL if field is None else len(field).to_bytes(4, "big") + field for field in fields)


def head_of(org_id: UUID) -> bytes:
    """What an organisation's entries begin with."""
    return prefixed(LAYOUT, org_id.bytes)


def body(values: Iterable[Value]) -> bytes:
    """What an entry says, without its place in the chain: the values of `HASHED`."""
    return prefixed(*map(_bytes, values))


def _bytes(value: Value) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        return format_timestamp(value).encode()
    return value


def entry_hash(org_id: UUID, prev_hash: bytes, seq: int, body: bytes) -> bytes:
    """The hash of the entry numbered `seq`; `kernel/audit.py` makes the same in SQL."""
    return sha256(head_of(org_id) + prefixed(prev_hash, seq.to_bytes(8, "big")) + body).digest()


def commitment(salt: bytes, personal: str) -> bytes:
    """The salted digest of what is personal in an entry."""
    return sha256(prefixed(salt, personal.encode())).digest()


def checkpoint_message(org_id: UUID, number: int, seq: int, hash: bytes, signed_at: datetime) -> bytes:
    """The bytes that a checkpoint's signature is over."""
    numbers = (value.to_bytes(8, "big") for value in (number, seq))
    return prefixed(b"crm-audit-checkpoint-1", org_id.bytes, *numbers, hash, format_timestamp(signed_at).encode())
