"""Notes: remarks worth keeping, linked to whatever they concern."""

from __future__ import annotations

from crm_api.kernel.resource import ManyToMany, Resource
from crm_api.kernel.schema import PlainLink
from crm_api.models.activities import Note
from crm_api.resources.notes.schemas import NoteCreate, NoteRead, NoteUpdate

notes = Resource[Note, NoteCreate, NoteUpdate, NoteRead](
    name="notes",
    singular="note",
    model=Note,
    create=NoteCreate,
    update=NoteUpdate,
    read=NoteRead,
    display=lambda row: row["title"] or str(row["body"]["content"])[:80],
    description="Remarks worth keeping, linked to any number of accounts, contacts, leads, deals and cases.",
    example={"title": "Call of 22 November", "body": {"format": "markdown", "content": "Budget is **approved**."}},
    search=("title", "body"),
    links=tuple(ManyToMany(target, target, "notes", PlainLink) for target in ("accounts", "contacts", "leads", "deals", "cases")),
    searchable=True,
)
