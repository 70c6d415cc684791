"""What a lifecycle stage looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from crm_api.kernel.schema import Key, Keys, Output, Position, RecordCreate, RecordRead, RecordUpdate, Text120, about, create_of, update_of

_KEY = about("What contacts and leads hold in `lifecycle_stage`; it never changes.", "mql")


class LifecycleStageFields(Output):
    """The fields of a lifecycle stage that may change."""

    label: Text120 = about("What people see.", "Marketing qualified")
    role: Literal["subscriber", "lead", "mal", "mql", "sal", "sql", "opportunity", "customer", "evangelist", "other"] = about(
        "What the stage means to the product; labels mean nothing to it.", "mql"
    )
    position: Position = about("Place in the order. Defaults to the end.", 2)
    transitions: Keys | None = about("Keys of the stages that may follow; null means any.", None)


class LifecycleStageRead(LifecycleStageFields, RecordRead):
    """How far a person has come on the way to being a customer."""

    object: Literal["lifecycle_stages"] = about("The object's name.", "lifecycle_stages")
    key: Annotated[Key, _KEY]


@create_of(LifecycleStageFields, required=("label",))
class LifecycleStageCreate(RecordCreate):
    """A new lifecycle stage."""

    key: Annotated[Key, _KEY]


@update_of(LifecycleStageFields)
class LifecycleStageUpdate(RecordUpdate):
    """Changes of a lifecycle stage, as a merge patch."""
