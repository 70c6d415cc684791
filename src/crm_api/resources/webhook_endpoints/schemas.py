"""What a webhook endpoint looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import MISSING, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from crm_api.kernel.schema import (
    STRICT,
    JsonObject,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Timestamp,
    Url,
    Uuid,
    about,
    create_of,
    update_of,
)
from crm_api.kernel.shapes import ObjectName

EventType = Annotated[str, StringConstraints(min_length=1, max_length=120)]
HeaderName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
HeaderValue = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[\x20-\x7e]+$")]
MetadataKey = Annotated[str, StringConstraints(min_length=1, max_length=40)]
MetadataValue = Annotated[str, StringConstraints(max_length=500)]
_TIME = "2026-11-22T03:31:00.000000Z"


@with_config(STRICT)
class EndpointFilter(TypedDict):
    """Which events of one object are wanted."""

    object: Annotated[ObjectName, about("The object; its events without a filter are all wanted.", "deals")]
    filter: Annotated[
        JsonObject,
        about(
            "A search tree on the record after the event, with the operators `changed`, `changed_from` and `changed_to` for what the event "
            "changed.",
            {"and": [{"field": "amount", "op": "gte", "value": "1000.00"}, {"field": "stage_id", "op": "changed"}]},
        ),
    ]


@with_config(STRICT)
class Batch(TypedDict):
    """Several events in one request."""

    size: Annotated[Annotated[int, Field(ge=2, le=100)], about("The most events in one request.", 100)]
    wait_s: Annotated[
        NotRequired[Annotated[int, Field(ge=0, le=300)]], about("How many seconds an event may wait for others; 5 if left out.", 5)
    ]


class WebhookEndpointFields(Output):
    """The fields of an endpoint."""

    url: Url = about(
        "Where events are sent by POST: `https`, port 443 or 8443, without name, password or fragment, at an address that the public "
        "network reaches.",
        "https://example.com/hooks/crm",
    )
    description: Annotated[str, Field(max_length=2000)] | None = about("What it is for.", "Tells the warehouse about won deals.")
    event_types: Annotated[list[EventType], Field(min_length=1, max_length=100)] = about(
        "The types of events that are sent, `*` standing for any object or verb: `deal.updated`, `contact.*`, `*.deleted`, `*`. "
        "`GET /v1/event_types` lists them.",
        ["contact.*", "deal.updated"],
    )
    filters: Annotated[list[EndpointFilter], Field(max_length=20)] = about(
        "Conditions by object. An event of an object that is named here is sent if it meets one of them.",
        [{"object": "deals", "filter": {"field": "amount", "op": "gte", "value": "1000.00"}}],
    )
    payload: Literal["full", "thin"] = about(
        "`full` sends the event as the journal shows it. `thin` leaves out `record` and the values of `changes`, and names "
        "`changed_fields` instead.",
        "full",
    )
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] | None = about(
        "Headers that every request carries beside ours. Values are kept sealed and shown as `********` and four characters; sending that "
        "back keeps the value.",
        {"X-Api-Key": "********9f3c"},
    )
    rate_per_s: Annotated[int, Field(ge=1, le=1_000)] | None = about("The most requests a second; null for no limit.", 50)
    max_concurrency: Annotated[int, Field(ge=1, le=100)] = about("The most requests at one time. With `fifo` there is one.", 10)
    ordering: Literal["none", "fifo"] = about(
        "`none`: events are sent as they come and may overtake each other. `fifo`: in the order of `seq`, each only once the one before "
        "it has arrived; one that is refused holds up those behind it until it is taken or skipped.",
        "none",
    )
    batch: Batch | None = about("Sends several events in one request, as `{\"events\": […]}`. Needs `fifo`.", {"size": 100, "wait_s": 5})
    debounce_s: Annotated[int, Field(ge=0, le=3_600)] = about(
        "Gathers the changes of one record for this many seconds after the first and sends them as one event, the last, with `changes` "
        "from the first old to the last new values and the ids of the others in `coalesced`. 0: each is sent by itself.",
        0,
    )
    exclude_own: bool = about("Whether changes that were made with the token or by the app which made this endpoint are left out.", False)
    status: Literal["enabled", "paused", "disabled"] = about(
        "`paused`: events wait and are sent later. `disabled`: events are not kept for it; what waited is cancelled, and can be replayed.",
        "enabled",
    )
    api_version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = about(
        "The version of the API whose events it gets; that of the token, else the present one, if left out.", "2026-12-01"
    )
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] | None = about(
        "Whatever you want to keep with it.", {"team": "warehouse"}
    )


class WebhookEndpointRead(WebhookEndpointFields, RecordRead):
    """A webhook endpoint. It is told what the one who made it may read: the organisation for administrators, else the user, or the grant of
    the app that made it."""

    object: Literal["webhook_endpoints"] = about("The object's name.", "webhook_endpoints")
    disabled_reason: Literal["manual", "failing", "gone", "grant_revoked", "user_inactive"] | None = about(
        "Why it is disabled: somebody did it, nothing arrived for five days, it answered 410, the app's grant ended, or the user it acts "
        "for is no longer active.",
        None,
    )
    disabled_at: Timestamp | None = about("Since when it is disabled.", _TIME)
    acts_as: Literal["organization", "user", "grant"] = about("With whose rights it sees the journal.", "organization")
    acting_user_id: Uuid | None = about("The user whose rights bound what it is told; null for the organisation's.", None)
    app_id: Uuid | None = about("The app that made it.", None)
    grant_id: Uuid | None = about("The grant that it belongs to, and ends with.", None)
    last_delivered_cursor: str | None = about(
        "A cursor of `GET /v1/events` up to which everything has been delivered or given up; brought up to date every few seconds.",
        "ev_1_AAAA",
    )


@create_of(WebhookEndpointFields, required=("url", "event_types"))
class WebhookEndpointCreate(RecordCreate):
    """A new endpoint. The answer holds its `secret`, once."""


@update_of(WebhookEndpointFields)
class WebhookEndpointUpdate(RecordUpdate):
    """Changes of an endpoint, as a merge patch; lists are replaced whole."""

    headers: Annotated[dict[HeaderName, HeaderValue | None], Field(max_length=20)] | MISSING | None = about(
        "Headers that every request carries beside ours: those named here are set, or removed with null; the others stay.",
        {"X-Api-Key": "k-31f0", "X-Old": None},
        default=MISSING,
    )
