"""How deliveries, attempts and what belongs to endpoints look from outside."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from crm_api.http.connection_test import RequestTimings
from crm_api.http.jobs import PageQuery
from crm_api.kernel.schema import Output, Timestamp, Uuid, about

ID = "01976f6e-8a00-7000-8000-0000000000aa"
EVENT = "01976f6e-8a00-7000-8000-0000000000f1"
AT = "2026-11-22T03:31:00.000000Z"
_MS = {"dns_ms": 4.1, "connect_ms": 12.7, "tls_ms": 20.3, "wait_ms": 88.0, "read_ms": 0.4, "total_ms": 125.9}
_STATUSES = {"pending": 0, "retrying": 2, "succeeded": 118, "exhausted": 0, "skipped": 0, "cancelled": 0}
_PAGE = {"next_cursor": None, "prev_cursor": None, "has_more": False}
DeliveryStatus = Literal["pending", "retrying", "succeeded", "exhausted", "skipped", "cancelled"]


class WebhookDelivery(Output):
    """One event for one endpoint, and what became of it. There is one of each, however often it is sent."""

    object: Literal["webhook_deliveries"] = about("The object's name.", "webhook_deliveries")
    id: UUID = about("The delivery's id; it begins with the time of the event.", ID)
    endpoint_id: UUID = about("The endpoint.", ID)
    event_id: UUID = about("The event; also `webhook-id` of its requests, unless they carried several.", EVENT)
    event_type: str = about("The event's type.", "deal.updated")
    seq: int = about("The event's number in the journal.", 48211)
    record_id: UUID = about("The record that the event is about.", ID)
    status: DeliveryStatus = about(
        "`pending`: not tried yet. `retrying`: tried, and to be tried again at `next_attempt_at`. `succeeded`: taken. `exhausted`: "
        "given up after ten tries, or a 410. `skipped` and `cancelled`: not sent; `reason` says why.",
        "succeeded",
    )
    reason: str | None = about(
        "Why it was given up or not sent: `tries_used_up`, `gone`, `not_visible`, `coalesced`, `skipped`, `cancelled`, "
        "`endpoint_disabled`, `endpoint_deleted`.",
        None,
    )
    attempts: int = about("Requests that have carried it.", 1)
    created_at: Timestamp = about("When it was made.", AT)
    next_attempt_at: Timestamp | None = about("When it is tried next.", None)
    finished_at: Timestamp | None = about("When it was taken or given up.", AT)
    status_code: int | None = about("The status of the last answer.", 200)
    error: str | None = about("Why the last try failed, in few words.", None)


class WebhookDeliveryList(Output):
    """A page of deliveries."""

    data: Annotated[list[WebhookDelivery], Field(description="The youngest events first.")]
    page: Annotated[dict[str, Any], about("Where the list goes on.", _PAGE)]


class WebhookAttempt(Output):
    """One request, and how it was answered."""

    object: Literal["webhook_attempts"] = about("The object's name.", "webhook_attempts")
    id: UUID = about("The attempt's id.", ID)
    endpoint_id: UUID = about("The endpoint.", ID)
    delivery_id: UUID | None = about("The delivery that it carried; null for a test.", ID)
    message_id: str = about("`webhook-id` of the request: the event's id, or that of a batch.", EVENT)
    number: int = about("Which try it was.", 1)
    trigger: Literal["scheduled", "manual", "test"] = about("`manual`: somebody had it sent again.", "scheduled")
    url: str = about("Where it went.", "https://example.com/hooks/crm")
    started_at: Timestamp = about("When it began.", AT)
    succeeded: bool = about("Whether the answer was 200 to 299.", True)
    status_code: int | None = about("The status of the answer; null if there was none.", 200)
    error: str | None = about("Why it failed, in few words.", None)
    address: str | None = about("The address that the name led to; null where that is not told.", "203.0.113.7")
    timings: RequestTimings = about("How long it took.", _MS)
    request_bytes: int = about("The length of the body that was sent.", 812)
    response_headers: list[list[str]] | None = about(
        "Headers of the answer. Of a batch the first of its attempts has headers and body.", [["content-type", "text/plain"]]
    )
    response_body: str | None = about("The first 16 KB of the answer's body, as UTF-8.", "ok")
    truncated: bool = about("Whether the body went on.", False)


class WebhookAttemptList(Output):
    """A page of attempts."""

    data: Annotated[list[WebhookAttempt], Field(description="The newest first.")]
    page: Annotated[dict[str, Any], about("Where the list goes on.", _PAGE)]


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    model_config = ConfigDict(extra="forbid")

    endpoint_id: Annotated[Uuid | None, Field(description="Only those of this endpoint.", examples=[ID])] = None
    status: Annotated[DeliveryStatus | None, Field(description="Only those in this state.", examples=["exhausted"])] = None
    event_type: Annotated[
        str | None,
        Field(max_length=120, description="Only of events of this type; `*` stands for any object or verb.", examples=["deal.*"]),
    ] = None
    event_id: Annotated[Uuid | None, Field(description="Only those of this event.", examples=[EVENT])] = None
    since: Annotated[Timestamp | None, Field(description="Only of events at or after this instant.", examples=[AT])] = None
    until: Annotated[Timestamp | None, Field(description="Only of events before this instant.", examples=[AT])] = None


class SigningKeyRead(Output):
    """A key that requests are signed with."""

    id: UUID = about("The key's id.", ID)
    type: Literal["v1", "v1a"] = about("`v1`: HMAC-SHA256 with the secret. `v1a`: Ed25519.", "v1")
    public_key: str | None = about("Of `v1a`: what receivers check with, `whpk_…`.", None)
    created_at: Timestamp = about("When it was made.", AT)
    expires_at: Timestamp | None = about("Until when it signs beside its successor; null for the present one.", None)


class WebhookSecret(Output):
    """What an endpoint's requests are signed with."""

    object: Literal["webhook_secrets"] = about("The object's name.", "webhook_secrets")
    secret: str | None = about(
        "The present `v1` secret, as libraries of Standard Webhooks take it. Null where a `v1a` key was asked for, whose private half "
        "stays here, and in an answer that is repeated for its `Idempotency-Key`.",
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    )
    type: Literal["v1", "v1a"] = about("The kind of key that was asked for.", "v1")
    public_key: str | None = about("The present public `v1a` key, `whpk_…`; null if there is none.", None)
    keys: list[SigningKeyRead] = about("All keys that sign now, the newest first.", [])


class Backlog(Output):
    """What waits."""

    pending: int = about("Deliveries that were not tried yet.", 0)
    retrying: int = about("Deliveries that are to be tried again.", 2)


class CircuitRead(Output):
    """Whether an endpoint that mostly fails is left alone for a while."""

    state: Literal["closed", "open", "half_open"] = about(
        "`closed`: it is sent to. `open`: nothing is sent. `half_open`: one delivery tries.", "closed"
    )
    open_until: Timestamp | None = about("Until when nothing is sent.", None)


class WebhookHealth(Output):
    """How an endpoint stands now."""

    object: Literal["webhook_health"] = about("The object's name.", "webhook_health")
    endpoint_id: UUID = about("The endpoint.", ID)
    status: Literal["enabled", "paused", "disabled"] = about("The endpoint's status.", "enabled")
    disabled_reason: str | None = about("Why it is disabled.", None)
    circuit: CircuitRead = about("Whether it is left alone.", {"state": "open", "open_until": AT})
    failing_since: Timestamp | None = about("The first failure since the last success; after five days it is disabled.", None)
    backlog: Backlog = about("What waits.", {"pending": 0, "retrying": 2})
    oldest_due: Timestamp | None = about("When the delivery that is due first is, or was, due.", None)
    last_success_at: Timestamp | None = about("When something last arrived.", AT)
    last_failure_at: Timestamp | None = about("When something last failed.", None)
    last_delivered_cursor: str | None = about("A journal cursor up to which everything is delivered or given up.", "ev_1_AAAA")
    lag: int = about("Events of the organisation after that, whether or not they are for this endpoint.", 0)


class Latency(Output):
    """How long requests took, in milliseconds."""

    p50: float | None = about("Half of them took no longer.", 88.0)
    p95: float | None = about("19 of 20 took no longer.", 240.5)


class WebhookFigures(Output):
    """What became of deliveries, and how requests went."""

    deliveries: dict[str, int] = about(
        "Deliveries that were made in that time, by their present status.",
        _STATUSES,
    )
    attempts: int = about("Requests, without tests; one that carried several deliveries counts for each.", 124)
    succeeded_attempts: int = about("Those of them that were answered with 200 to 299.", 118)
    success_rate: float | None = about("Their share, 0 to 1; null without attempts.", 0.9516)
    latency_ms: Latency = about("How long they took.", {"p50": 88.0, "p95": 240.5})


class WebhookInterval(WebhookFigures):
    """The figures of an hour or a day."""

    at: Timestamp = about("When it begins (UTC).", "2026-11-22T03:00:00.000000Z")


class WebhookStats(Output):
    """How an endpoint has done."""

    object: Literal["webhook_stats"] = about("The object's name.", "webhook_stats")
    endpoint_id: UUID = about("The endpoint.", ID)
    since: Timestamp = about("Since when.", AT)
    interval: Literal["hour", "day"] = about("How long each of `intervals` is.", "hour")
    total: WebhookFigures = about(
        "Everything together.",
        {
            "deliveries": _STATUSES,
            "attempts": 124,
            "succeeded_attempts": 118,
            "success_rate": 0.9516,
            "latency_ms": {"p50": 88.0, "p95": 240.5},
        },
    )
    intervals: list[WebhookInterval] = about("One for each hour or day in which there was something.", [])


class StatsQuery(BaseModel):
    """Since when, and how finely."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[Timestamp | None, Field(description="Since when, at most 34 days ago; a day ago if left out.", examples=[AT])] = None
    interval: Annotated[Literal["hour", "day"], Field(description="How long each interval is.", examples=["hour"])] = "hour"
