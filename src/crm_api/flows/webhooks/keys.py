"""The keys that an endpoint's requests are signed with: shown again, and changed with an overlap.

Every endpoint has a `v1` key (a secret that both sides know) at all times. A `v1a` key (Ed25519) is made when it is first asked for and
signs beside it; of that one only the public half is ever shown, which is all that a receiver needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import LimitExceeded
from crm_api.core.webhook_signing import Kind
from crm_api.flows.webhooks.reached import reached
from crm_api.kernel.audit import record
from crm_api.kernel.context import Context
from crm_api.kernel.events import PlainEvent, emit
from crm_api.models.base import table
from crm_api.models.webhooks import WebhookEndpoint
from crm_api.resources.webhook_endpoints.secrets import MAX_KEYS, StoredKey, rotate, secrets_of

OBJECT: Final = "webhook_endpoints"
MAX_GRACE_S: Final = 604_800


async def shown(context: Context, endpoint_id: UUID) -> dict[str, Any]:
    """The present secret and all keys that sign. Whoever asks is in the audit log."""
    await reached(context, endpoint_id, aimed=True)
    await context.uow.writable()  # the audit log is written with it
    keys = await _keys(context, endpoint_id)
    record(context, "webhook_endpoint.secret_shown", object=OBJECT, record_id=endpoint_id)
    return _described(keys, "v1")


async def rotated(context: Context, endpoint_id: UUID, kind: Kind, grace_s: int) -> dict[str, Any]:
    """A new key of a kind; those of the same kind before it sign for `grace_s` more seconds, those of the other kind as before.

    Raises LimitExceeded if more than MAX_KEYS would sign then; a rotation of `v1` without grace is always possible.
    """
    uow = context.uow
    endpoint = await reached(context, endpoint_id, aimed=True, locked=True)
    before = await _keys(context, endpoint_id)
    after = 1 + sum(1 for key in before if grace_s or key.key.kind != kind)
    if after > MAX_KEYS:
        raise LimitExceeded("webhook_endpoint.keys", MAX_KEYS, after)
    await rotate(context, endpoint_id, kind, timedelta(seconds=grace_s))
    until = format_timestamp(uow.clock.now() + timedelta(seconds=grace_s))
    changes = {"old_secret_until": {"old": None, "new": until}, "key_type": {"old": None, "new": kind}}
    told = PlainEvent("webhook_endpoint.secret_rotated", OBJECT, endpoint_id, endpoint.version, changes, snapshot=table(WebhookEndpoint))
    emit(context, told)
    details = {"type": kind, "grace_seconds": grace_s}
    record(context, "webhook_endpoint.secret_rotated", object=OBJECT, record_id=endpoint_id, details=details)
    return _described(await _keys(context, endpoint_id), kind)


async def _keys(context: Context, endpoint_id: UUID) -> tuple[StoredKey, ...]:
    return (await secrets_of(context.uow, context, [endpoint_id]))[endpoint_id].keys


def _described(keys: Sequence[StoredKey], kind: Kind) -> dict[str, Any]:
    newest = {key.key.kind: key.key for key in reversed(keys)}
    asked = newest.get(kind)
    public = newest["v1a"].public if "v1a" in newest else None
    return {
        "object": "webhook_secrets",
        "secret": asked.text if asked is not None and kind == "v1" else None,
        "type": kind,
        "public_key": public,
        "keys": [
            {
                "id": str(key.id),
                "type": key.key.kind,
                "public_key": key.key.public,
                "created_at": format_timestamp(key.created_at),
                "expires_at": None if key.expires_at is None else format_timestamp(key.expires_at),
            }
            for key in keys
        ],
    }


__all__ = ["MAX_GRACE_S", "rotated", "shown"]
