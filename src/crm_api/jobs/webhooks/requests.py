"""One request with a delivery, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from crm_api.core.clock import Clock
from crm_api.core.egress import Egress, EgressFailed, Timings
from crm_api.core.ids import uuid7
from crm_api.core.webhook_signing import headers as signed
from crm_api.flows.webhooks.endpoints import Endpoint
from crm_api.flows.webhooks.outcomes import Attempt
from crm_api.flows.webhooks.schedule import hint
from crm_api.flows.webhooks.serving import Parcel
from crm_api.resources.webhook_endpoints.secrets import Secrets

TOTAL_S: Final = 15.0
KEPT_BYTES: Final = 16_384
AGENT: Final = "crm-api-webhooks/1"

log = structlog.get_logger("crm_api.webhooks")


async def attempt_of(egress: Egress, clock: Clock, endpoint: Endpoint, secrets: Secrets, parcel: Parcel) -> tuple[Attempt, float | None]:
    """Makes one request; tells what came of it and how long the receiver asks to wait."""
    started = clock.now()
    keys = [stored.key for stored in secrets.keys]
    sent = [
        ("content-type", "application/json"),
        ("user-agent", AGENT),
        *signed(keys, parcel.message_id, int(started.timestamp()), parcel.body),
        *secrets.headers.items(),
    ]
    attempt = Attempt(
        uuid7(clock), parcel.message_id, parcel.tries[0] + 1 if parcel.tries else 1, "manual" if parcel.manual else "scheduled",
        endpoint.url, started, False, None, None, None, {}, len(parcel.body),
    )  # fmt: skip
    try:
        answer = await egress.request("POST", endpoint.url, sent, parcel.body, keep=KEPT_BYTES, total_s=TOTAL_S, repeatable=True)
    except EgressFailed as failed:
        return replace(attempt, error=failed.text, address=failed.shown_address, timings=_shown(failed.shown_timings)), None
    except Exception as error:  # a delivery that never ended would wait for ever
        log.exception("webhook_not_sent", endpoint=str(endpoint.id), error=repr(error))
        return replace(attempt, error="The request could not be made."), None
    succeeded = 200 <= answer.status < 300
    wanted = next((value for name, value in answer.headers if name == "retry-after"), None)
    attempt = replace(
        attempt,
        succeeded=succeeded,
        status_code=answer.status,
        error=None if succeeded else _said(answer.status),
        address=answer.address,
        timings=_shown(answer.timings),
        response_headers=[(name, _storable(value)) for name, value in answer.headers],
        response_body=_storable(answer.body.decode("utf-8", "replace")),
        truncated=answer.truncated,
    )
    return attempt, hint(answer.status, wanted, clock.now())


def _storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # the one character that PostgreSQL doesn't take


def _shown(timings: Timings) -> dict[str, float | None]:
    return {
        name: None if value is None else round(value, 3)
        for name, value in (
            ("dns_ms", timings.dns_ms), ("connect_ms", timings.connect_ms), ("tls_ms", timings.tls_ms), ("wait_ms", timings.wait_ms),
            ("read_ms", timings.read_ms), ("total_ms", timings.total_ms),
        )
    }  # fmt: skip


def _said(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}. Redirects are not followed; give the address itself."
    return f"The receiver answered {status}; 200 to 299 is taken for received."
