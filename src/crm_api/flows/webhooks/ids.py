"""The id of a delivery, made from the event and the endpoint, so that there is one delivery of each event to each endpoint."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID


def delivery_id(event_id: UUID, endpoint_id: UUID) -> UUID:
    """A UUIDv7 with the time of the event; everything else in it follows from both ids."""
    tail = bytearray(blake2b(event_id.bytes + endpoint_id.bytes, digest_size=10).digest())
    tail[0] = 0x70 | (tail[0] & 0x0F)
    tail[2] = 0x80 | (tail[2] & 0x3F)
    return UUID(bytes=event_id.bytes[:6] + bytes(tail))
