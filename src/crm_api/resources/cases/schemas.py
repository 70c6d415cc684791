"""What a case looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    JsonObject,
    LongText,
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Text60,
    Timestamp,
    Uuid,
    about,
    create_of,
    update_of,
)

_ID = "01976f6e-8a00-7000-8000-0000000000e1"
_TIME = "2026-11-22T03:31:00.000000Z"
_OPENED = about("When it came in. Defaults to the creation; set with the `import` permission.", _TIME)
_RESPONDED = about("When staff first answered in public.", _TIME)
_RESOLVED = about("When it was resolved; null again when it is reopened.", _TIME)
_CLOSED = about("When it was closed; null again when it is reopened.", _TIME)


class CaseFields(Output):
    """The fields of a case."""

    subject: Name = about("What it is about.", "Robot stops after start")
    description: LongText | None = about("The whole story.", "Since Monday it halts after a minute.")
    status: Literal["new", "open", "pending", "resolved", "closed"] = about("Where it stands.", "open")
    priority: Literal["low", "normal", "high", "urgent"] = about("How much it matters.", "normal")
    channel: Literal["email", "phone", "web", "chat", "api", "other"] | None = about("How it came in.", "email")
    type: Text60 | None = about("What kind of case it is.", "problem")
    account_id: Ref | None = about("The account that it concerns.", _ID)
    contact_id: Ref | None = about("The contact who asks: the primary link of `contacts`.", _ID)
    parent_id: Ref | None = about("The case that it is part of. A cycle is refused (422 `cycle`).", _ID)


class CaseRead(CaseFields, RecordRead):
    """A case: a customer's question, problem or request."""

    object: Literal["cases"] = about("The object's name.", "cases")
    number: int = about("Counts up in the organisation without gaps.", 1042)
    queue_id: Uuid | None = about("The queue that it waits in.", None)
    opened_at: Annotated[Timestamp, _OPENED]
    first_response_at: Annotated[Timestamp | None, _RESPONDED]
    resolved_at: Annotated[Timestamp | None, _RESOLVED]
    closed_at: Annotated[Timestamp | None, _CLOSED]
    sla: JsonObject | None = about("State of the service level's clocks.", None)


@create_of(CaseFields, required=("subject",))
class CaseCreate(RecordCreate):
    """A new case. Its number is given by the server."""

    opened_at: Annotated[Timestamp | MISSING, _OPENED] = MISSING
    first_response_at: Annotated[Timestamp | MISSING | None, _RESPONDED] = MISSING
    resolved_at: Annotated[Timestamp | MISSING | None, _RESOLVED] = MISSING
    closed_at: Annotated[Timestamp | MISSING | None, _CLOSED] = MISSING


@update_of(CaseFields)
class CaseUpdate(RecordUpdate):
    """Changes of a case, as a merge patch."""
