"""A test of an endpoint: the example of a type of event, made to look as if it had just happened, and the line in the log that tells
how it was taken. It counts for nothing: neither the circuit nor whether the endpoint fails looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Conflict
from crm_api.flows.webhooks.endpoints import Endpoint
from crm_api.flows.webhooks.log import described
from crm_api.flows.webhooks.outcomes import Attempt, log_attempts
from crm_api.flows.webhooks.payloads import batch_of, body_of
from crm_api.flows.webhooks.reached import reached
from crm_api.kernel.audit import record
from crm_api.kernel.context import Context
from crm_api.resources.webhook_endpoints.secrets import Secrets, secrets_of


@dataclass(frozen=True, slots=True)
class Trial:
    """What is sent, to whom, and with which secrets."""

    endpoint: Endpoint
    secrets: Secrets
    message_id: UUID
    body: bytes


async def prepared(context: Context, endpoint_id: UUID, example: Mapping[str, Any], api_version: str) -> Trial:
    """The example as the endpoint gets its events: thin, in a batch, signed with its keys. Works for paused and disabled ones too.

    Raises what `reached` raises, and Conflict in a sandbox.
    """
    uow, principal = context.uow, context.principal
    endpoint = await reached(context, endpoint_id)
    if principal.organization.parent_id is not None:
        raise Conflict("Nothing leaves a sandbox.")
    event_id, record_id = uow.new_id(), uow.new_id()
    event: dict[str, Any] = {
        **example,
        "id": str(event_id),
        "org_id": str(uow.org_id),
        "record_id": str(record_id),
        "occurred_at": format_timestamp(uow.now),
        "api_version": endpoint.api_version or api_version,
        "actor": uow.actor.json(),
        "transaction": {"id": str(uow.transaction_id), "index": 0, "last": True},
        "test": True,
    }
    if isinstance(event.get("record"), dict) and "id" in event["record"]:
        event["record"] = {**event["record"], "id": str(record_id)}
    body = body_of([orjson.dumps(event)], endpoint.payload)
    message_id = event_id
    if endpoint.batch is not None:
        body, message_id = batch_of([body]), uow.new_id()
    secrets = (await secrets_of(uow, context, [endpoint.id]))[endpoint.id]
    details = {"event_type": example["type"]}
    record(context, "webhook_endpoint.tested", object="webhook_endpoints", record_id=endpoint.id, details=details)
    return Trial(endpoint, secrets, message_id, body)


async def noted(context: Context, endpoint_id: UUID, attempt: Attempt) -> dict[str, Any]:
    """Puts the attempt into the log; as the API shows it."""
    await log_attempts(context.uow, endpoint_id, [(None, attempt)])
    return described({**asdict(attempt), "endpoint_id": endpoint_id, "delivery_id": None})


__all__ = ["Trial", "noted", "prepared"]
