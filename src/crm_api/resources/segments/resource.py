"""Segments: named sets of records, chosen one by one or by a filter."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, ManyToMany, Resource
from crm_api.kernel.schema import PlainLink
from crm_api.models.presentation import Segment
from crm_api.resources.segments.rules import SegmentRules
from crm_api.resources.segments.schemas import SegmentCreate, SegmentRead, SegmentUpdate

segments = Resource[Segment, SegmentCreate, SegmentUpdate, SegmentRead](
    name="segments",
    singular="segment",
    model=Segment,
    create=SegmentCreate,
    update=SegmentUpdate,
    read=SegmentRead,
    display=lambda row: row["name"],
    description="Named sets of records. Events `segment.member_added` and `segment.member_removed` tell who comes and goes.",
    example={
        "name": "Hot in Berlin",
        "applies_to": "contacts",
        "kind": "dynamic",
        "filter": {"and": [{"field": "rating", "value": "hot"}, {"field": "address.city", "value": "Berlin"}]},
    },
    search=("name", "description"),
    links=tuple(
        ManyToMany(target, target, "segments", PlainLink, managed=True) for target in ("accounts", "contacts", "leads", "deals", "cases")
    ),
    rules=SegmentRules(),
    verbs=ALL_VERBS - {"merge"},
    configuration=("applies_to", "name"),
    configured={"kind": "dynamic"},
    sharing="none",
    paths_in={"filter": "tree"},
)
