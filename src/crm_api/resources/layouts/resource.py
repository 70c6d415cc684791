"""Layouts: how a record is shown, for a profile or for everybody."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.presentation import Layout
from crm_api.resources.layouts.rules import LayoutRules
from crm_api.resources.layouts.schemas import LayoutCreate, LayoutRead, LayoutUpdate

layouts = Resource[Layout, LayoutCreate, LayoutUpdate, LayoutRead](
    name="layouts",
    singular="layout",
    model=Layout,
    create=LayoutCreate,
    update=LayoutUpdate,
    read=LayoutRead,
    display=lambda row: row["name"],
    description="Pages, cards, forms and canvases of records. `GET /v1/meta/{object}/layouts/effective` says which one holds.",
    example={
        "name": "Deal page",
        "applies_to": "deals",
        "type": "detail",
        "is_default": True,
        "sections": [{"key": "main", "rows": [[{"field": "name"}, {"field": "amount"}]]}],
        "related_lists": [{"relation": "contacts"}],
    },
    search=("name",),
    rules=LayoutRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("applies_to", "type", "name"),
    sharing="none",
    paths_in={"sections": "sections", "related_lists": "related", "canvas": "tree"},
)
