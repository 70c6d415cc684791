"""What the descriptions of the schema look like, for the document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import MISSING, Field

from crm_api.http.meta.shown import FieldRead, ObjectRead
from crm_api.kernel.schema import Output
from crm_api.resources.contact_roles.schemas import ContactRoleRead
from crm_api.resources.layouts.schemas import LayoutRead
from crm_api.resources.lead_statuses.schemas import LeadStatusRead
from crm_api.resources.lifecycle_stages.schemas import LifecycleStageRead
from crm_api.resources.pipelines.schemas import PipelineRead
from crm_api.resources.stages.schemas import StageRead
from crm_api.resources.views.schemas import ViewRead


class RelationRead(Output):
    """A way from one object to another."""

    name: Annotated[str, Field(description="What filters, `expand` and paths call it.", examples=["account"])]
    kind: Annotated[Literal["to_one", "to_many", "many_to_many"], Field(description="To how many records it leads.", examples=["to_one"])]
    target: Annotated[str, Field(description="The object that it leads to.", examples=["accounts"])]
    field: Annotated[
        str | None, Field(description="The reference behind it: of this object, or of the target's for `to_many`.", examples=["account_id"])
    ]
    link: Annotated[str | None, Field(description="The full name of a many-to-many relation.", examples=[None])]


class Permissions(Output):
    """What the caller may do with an object's records."""

    read: Annotated[bool, Field(description="Read, list and search.", examples=[True])]
    write: Annotated[bool, Field(description="Create and change.", examples=[True])]
    delete: Annotated[bool, Field(description="Delete and restore.", examples=[False])]
    export: Annotated[bool, Field(description="Export.", examples=[False])]
    import_: Annotated[bool, Field(alias="import", description="Create with times of one's own.", examples=[False])]


class SchemaObject(ObjectRead):
    """An object, what the caller may do with it, and what `include` asked for."""

    permissions: Annotated[Permissions, Field(description="What the caller may do with its records.")]
    events: Annotated[list[str], Field(description="The types of its events.", examples=[["contact.created", "contact.updated"]])]
    fields: Annotated[list[FieldRead] | MISSING, Field(description="Its fields: standard ones, then the organisation's.")] = MISSING
    relations: Annotated[list[RelationRead] | MISSING, Field(description="Its relations in both directions.")] = MISSING


class Vocabularies(Output):
    """Lists that the organisation shapes itself; records hold their keys. Those that the caller may read."""

    lead_statuses: Annotated[list[LeadStatusRead] | MISSING, Field(description="The states of leads.")] = MISSING
    lifecycle_stages: Annotated[list[LifecycleStageRead] | MISSING, Field(description="How far people have come.")] = MISSING
    contact_roles: Annotated[list[ContactRoleRead] | MISSING, Field(description="What people are to deals, cases, accounts.")] = MISSING


_VERSION = Field(description="Rises when objects or fields change.", examples=[12])
_API_VERSION = Field(description="The newest dated version of the API.", examples=["2026-12-01"])
_PIPELINES = Field(description="Live pipelines in their order.")
_STAGES = Field(description="Their stages in order; `pipeline_id` says whose each is.")
_VIEWS = Field(description="Saved views that the caller may see, at most 1,000.")
_LAYOUTS = Field(description="Layouts, at most 1,000.")


class SchemaRead(Output):
    """Everything that a user interface needs before it shows a record."""

    schema_version: Annotated[int, _VERSION]
    api_version: Annotated[str, _API_VERSION]
    objects: Annotated[list[SchemaObject], Field(description="The objects that the caller may read.")]
    vocabularies: Annotated[Vocabularies | MISSING, Field(description="With `include=fields`.")] = MISSING
    pipelines: Annotated[list[PipelineRead] | MISSING, _PIPELINES] = MISSING
    stages: Annotated[list[StageRead] | MISSING, _STAGES] = MISSING
    views: Annotated[list[ViewRead] | MISSING, _VIEWS] = MISSING
    layouts: Annotated[list[LayoutRead] | MISSING, _LAYOUTS] = MISSING


class SchemaObjectRead(SchemaObject):
    """One object with all there is to know."""

    schema_version: Annotated[int, _VERSION]
    api_version: Annotated[str, _API_VERSION]
    vocabularies: Annotated[Vocabularies, Field(description="The lists that its fields take their choices from.")]
    pipelines: Annotated[list[PipelineRead] | MISSING, _PIPELINES] = MISSING
    stages: Annotated[list[StageRead] | MISSING, _STAGES] = MISSING
    views: Annotated[list[ViewRead], _VIEWS]
    layouts: Annotated[list[LayoutRead], _LAYOUTS]


class MemberDifference(Output):
    """A member of a definition before and after."""

    old: Annotated[Any, Field(description="Its value in the earlier version; null if there was none.", examples=["Tier"])]
    new: Annotated[Any, Field(description="Its value in the later version.", examples=["Level"])]


class SchemaChange(Output):
    """One object or field that is different."""

    kind: Annotated[Literal["object", "field"], Field(description="What it is.", examples=["field"])]
    object: Annotated[str, Field(description="The object, or the one it is a field of.", examples=["contacts"])]
    field: Annotated[str | None, Field(description="The field; null for an object.", examples=["tier"])]
    change: Annotated[
        Literal["added", "changed", "removed"],
        Field(description="Restoring counts as adding, archiving as removing.", examples=["changed"]),
    ]
    members: Annotated[
        dict[str, MemberDifference],
        Field(description="What of its definition differs.", examples=[{"label": {"old": "Level", "new": "Tier"}}]),
    ]


class SchemaDifference(Output):
    """The differences between two versions of the schema."""

    from_: Annotated[int, Field(alias="from", description="The earlier version.", examples=[3])]
    to: Annotated[int, Field(description="The later version.", examples=[7])]
    changes: Annotated[list[SchemaChange], Field(description="Objects first, then fields, each by name.")]


class Release(Output):
    """A dated version of the API."""

    version: Annotated[str, Field(description="What `CRM-Version` names.", examples=["2026-12-01"])]
    title: Annotated[str, Field(description="What it is about.", examples=["The first version"])]
    changes: Annotated[list[str], Field(description="What works differently than in the version before.", examples=[[]])]
    sunset: Annotated[str | None, Field(description="The day from which it is no longer served; null if there is none.", examples=[None])]


class Changelog(Output):
    """The dated versions of the API."""

    current: Annotated[str, Field(description="The newest.", examples=["2026-12-01"])]
    data: Annotated[list[Release], Field(description="The newest first.")]
