"""What is sent: the event as the journal shows it to the endpoint, whole or thin, alone, gathered or with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

MAX_BYTES: Final = 256 * 1024
"""Events that are larger come without their record."""


def body_of(events: Sequence[bytes], payload: str) -> bytes:
    """The body for one delivery. Several events are changes of one record that were gathered, oldest first."""
    if len(events) == 1 and payload == "full" and len(events[0]) <= MAX_BYTES:
        return events[0]
    event: dict[str, Any] = orjson.loads(events[-1])
    if len(events) > 1:
        event = _gathered([orjson.loads(one) for one in events[:-1]], event)
    if payload == "thin":
        event = thin(event)
    body = orjson.dumps(event)
    if len(body) > MAX_BYTES and event.get("record") is not None:
        body = orjson.dumps({**event, "record": None, "truncated": True})
    return body


def batch_of(bodies: Sequence[bytes]) -> bytes:
    """The body for several deliveries."""
    return b'{"events":[' + b",".join(bodies) + b"]}"


def thin(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without record and values."""
    kept = {name: value for name, value in event.items() if name not in ("record", "changes")}
    return {**kept, "changed_fields": list(event["changes"])}


def _gathered(earlier: Sequence[Mapping[str, Any]], last: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, dict[str, Any]] = {}
    for event in (*earlier, last):
        for name, change in event["changes"].items():
            known = changes.get(name)
            changes[name] = dict(change) if known is None else {"old": known.get("old"), "new": change.get("new")}
    return {
        **last,
        "changes": {name: change for name, change in changes.items() if change.get("old") != change.get("new")},
        "coalesced": [event["id"] for event in earlier],
    }


def message_id(events: Sequence[UUID], batch_id: UUID | None) -> str:
    """`webhook-id`: the event's id, of gathered ones the youngest's; a batch has one of its own. The same in every try."""
    return str(batch_id or events[-1])
