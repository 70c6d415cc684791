"""What a comment on a case looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import Output, RecordCreate, RecordRead, RecordUpdate, Ref, Reference, RichText, about, create_of, update_of

_CASE = about("The case that it is on.", "01976f6e-8a00-7000-8000-0000000000e1")
_VISIBILITY = about("`public` reaches the customer, `internal` is for staff only. Defaults to internal.", "public")
_AUTHOR = about("Who speaks. A customer's comment reopens a resolved case.", "staff")


class CaseCommentFields(Output):
    """The fields of a comment that may change."""

    body: RichText = about("What is said.", {"format": "text", "content": "Please switch it off and on again."})


class CaseCommentRead(CaseCommentFields, RecordRead):
    """A comment on a case."""

    object: Literal["case_comments"] = about("The object's name.", "case_comments")
    case_id: Annotated[Ref, _CASE]
    visibility: Annotated[Literal["public", "internal"], _VISIBILITY]
    author_kind: Annotated[Literal["staff", "customer"], _AUTHOR]


@create_of(CaseCommentFields, required=("body",))
class CaseCommentCreate(RecordCreate):
    """A new comment. Under `/v1/cases/{id}/comments` its case is that of the path."""

    case_id: Annotated[Reference | MISSING, _CASE] = MISSING
    visibility: Annotated[Literal["public", "internal"] | MISSING, _VISIBILITY] = MISSING
    author_kind: Annotated[Literal["staff", "customer"] | MISSING, _AUTHOR] = MISSING


@update_of(CaseCommentFields)
class CaseCommentUpdate(RecordUpdate):
    """Changes of a comment, as a merge patch."""
