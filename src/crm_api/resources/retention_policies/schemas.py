"""What a retention policy looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from crm_api.kernel.schema import (
    JsonObject,
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Timestamp,
    about,
    create_of,
    update_of,
)
from crm_api.kernel.shapes import APPLIES_TO, ObjectName

DateField = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Duration = Annotated[str, StringConstraints(min_length=2, max_length=40)]
_RUN = about("When it last looked for records; null before the first time.", "2026-11-22T03:31:00.000000Z")
_COUNT = about("How many records the last run found and dealt with.", 12)


class RetentionPolicyFields(Output):
    """The fields of a retention policy."""

    name: Name = about("What it is called. Unique, whatever the case.", "Dead leads")
    filter: JsonObject | None = about(
        "Which records, as a search tree of `POST /v1/{object}/search`; null for all.", {"field": "rating", "value": "cold"}
    )
    date_field: DateField = about(
        "The date or time of a record from which it is counted. With `deleted_at`, for `purge` and `erase`, deleted records are looked at.",
        "updated_at",
    )
    after: Duration = about("How long after it, as an ISO 8601 duration, by the calendar of the organisation's time zone.", "P2Y")
    action: Literal["delete", "purge", "erase", "anonymize"] = about(
        "`delete` (can be restored), `purge` (for good), `erase` (everything about the person, everywhere; contacts and leads only) or "
        "`anonymize` (personal fields are emptied, also in the history; the record stays).",
        "delete",
    )
    is_active: bool = about("Whether it works by itself, once a day.", False)


class RetentionPolicyRead(RetentionPolicyFields, RecordRead):
    """A retention policy: how long records are kept."""

    object: Literal["retention_policies"] = about("The object's name.", "retention_policies")
    applies_to: Annotated[ObjectName, APPLIES_TO]
    last_run_at: Annotated[Timestamp | None, _RUN]
    last_run_count: Annotated[int | None, _COUNT]


@create_of(RetentionPolicyFields, required=("name", "date_field", "after"))
class RetentionPolicyCreate(RecordCreate):
    """A new retention policy. It does nothing until it is made active."""

    applies_to: Annotated[ObjectName, APPLIES_TO]


@update_of(RetentionPolicyFields)
class RetentionPolicyUpdate(RecordUpdate):
    """Changes of a retention policy, as a merge patch; the filter is replaced whole."""
