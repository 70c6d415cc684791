"""What a deal looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import (
    Currency,
    DateValue,
    LongText,
    Money,
    Name,
    Output,
    Probability,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    Text,
    Text60,
    Text120,
    Text500,
    Timestamp,
    Uuid,
    about,
    create_of,
    update_of,
)

_TIME = "2026-11-22T03:31:00.000000Z"
_OTHER = "01976f6e-8a00-7000-8000-0000000000d8"
_OPENED = about("When it was opened: the start of its sales cycle. Defaults to the creation; set with the `import` permission.", _TIME)
_CLOSED = about("When it was won or lost; null while it is open. Set with the `import` permission.", _TIME)


class DealFields(Output):
    """The fields of a deal."""

    name: Name = about("What it is called.", "Acme: 40 picking robots")
    account_id: Ref | None = about("The account that may buy.", "01976f6e-8a00-7000-8000-0000000000a1")
    pipeline_id: Ref = about(
        "Its pipeline. Defaults to that of `stage_id`, else to the organisation's default.", "01976f6e-8a00-7000-8000-0000000000d1"
    )
    stage_id: Ref = about(
        "Its stage. Defaults to the first open one of the pipeline; a change moves the deal.", "01976f6e-8a00-7000-8000-0000000000d2"
    )
    amount: Money | None = about("What it is worth, in `currency`.", "48000.00")
    currency: Currency = about("ISO 4217 code of all money of this record. Defaults to the organisation's.", "EUR")
    probability: Probability | None = about("Chance of winning. Follows the stage unless set here; null follows the stage again.", 0.6)
    close_date: DateValue | None = about("The day on which it is expected to close.", "2026-12-31")
    lost_reason: Text500 | None = about("Why it was lost; required when it is lost, cleared when it is reopened.", "chose another supplier")
    source: Text | None = about("Where the deal came from.", "referral")
    type: Text60 | None = about("What kind of deal it is.", "new business")
    next_step: Text500 | None = about("What is to be done next.", "send the contract")
    description: LongText | None = about("Anything else.", "Wants delivery before spring.")


class DealRead(DealFields, RecordRead):
    """A deal: a possible sale, on its way through a pipeline."""

    object: Literal["deals"] = about("The object's name.", "deals")
    status: Literal["open", "won", "lost"] = about("Follows the category of the stage.", "open")
    probability_overridden: bool = about("Whether `probability` was set on the deal rather than taken from its stage.", False)
    weighted_amount: Money | None = about("`amount` times `probability`.", "28800.00")
    amount_base: Money | None = about(
        "`amount` in the organisation's currency, by the rate of `close_date`, else of the day of creation; null without one.", "48000.00"
    )
    weighted_amount_base: Money | None = about("`weighted_amount` in the organisation's currency.", "28800.00")
    board_position: str = about("Its place in the column of its stage; texts that sort byte by byte.", "0cJ1Vv8kG000V")
    stage_entered_at: Timestamp = about("When it came into its stage.", _TIME)
    opened_at: Annotated[Timestamp, _OPENED]
    closed_at: Annotated[Timestamp | None, _CLOSED]


@create_of(DealFields, required=("name",))
class DealCreate(RecordCreate):
    """A new deal."""

    opened_at: Annotated[Timestamp | MISSING, _OPENED] = MISSING
    closed_at: Annotated[Timestamp | MISSING | None, _CLOSED] = MISSING


@update_of(DealFields)
class DealUpdate(RecordUpdate):
    """Changes of a deal, as a merge patch."""


@update_of(DealFields)
class DealClose(RecordUpdate):
    """Fields to set together with winning, losing or reopening a deal."""


@update_of(DealFields)
class DealMove(RecordUpdate):
    """Where a deal goes on the board, with the fields that the stage asks for."""

    to: Annotated[Text120, about("The stage that it goes into; with `group_by` a value.", "01976f6e-8a00-7000-8000-0000000000d3")]
    from_: Annotated[
        Text120 | MISSING,
        about("The stage that you saw it in; 409 `moved` if it has gone elsewhere.", "01976f6e-8a00-7000-8000-0000000000d2", alias="from"),
    ] = MISSING
    before_id: Annotated[Uuid | MISSING, about("The deal in that stage that it goes in front of.", _OTHER)] = MISSING
    after_id: Annotated[Uuid | MISSING, about("The deal in that stage that it goes behind.", _OTHER)] = MISSING
