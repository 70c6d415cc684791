"""Views: saved lists and boards, one's own or everybody's."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Private, Resource
from crm_api.models.presentation import View
from crm_api.resources.views.rules import ViewRules, seen, visible
from crm_api.resources.views.schemas import ViewCreate, ViewRead, ViewUpdate

views = Resource[View, ViewCreate, ViewUpdate, ViewRead](
    name="views",
    singular="view",
    model=View,
    create=ViewCreate,
    update=ViewUpdate,
    read=ViewRead,
    display=lambda row: row["name"],
    description="Saved lists and boards: columns, order, conditions, their pattern. `view_id` applies one to lists, searches, bulk jobs.",
    example={
        "name": "Big open deals",
        "applies_to": "deals",
        "columns": ["name", "amount", "account.name"],
        "sort": ["-amount"],
        "criteria": [{"field": "amount", "op": "gte", "value": "1000.00"}, {"field": "status", "value": "open"}],
        "pattern": "1 and 2",
    },
    search=("name",),
    rules=ViewRules(),
    private=Private(visible, seen),
    verbs=ALL_VERBS - {"merge"},
    configuration=("applies_to", "name"),
    sharing="none",
    paths_in={
        "columns": "paths",
        "sort": "paths",
        "criteria": "trees",
        "group_by": "path",
        "sums": "paths",
        "column_settings": "trees",
    },
)
