"""What a note looks like from outside."""

from __future__ import annotations

from typing import Literal

from crm_api.kernel.schema import Output, RecordCreate, RecordRead, RecordUpdate, RichText, Text, about, create_of, update_of


class NoteFields(Output):
    """The fields of a note."""

    title: Text | None = about("A heading.", "Call of 22 November")
    body: RichText = about("What is worth keeping.", {"format": "markdown", "content": "Budget is **approved**."})


class NoteRead(NoteFields, RecordRead):
    """A note: a remark worth keeping."""

    object: Literal["notes"] = about("The object's name.", "notes")


@create_of(NoteFields, required=("body",))
class NoteCreate(RecordCreate):
    """A new note."""


@update_of(NoteFields)
class NoteUpdate(RecordUpdate):
    """Changes of a note, as a merge patch."""
