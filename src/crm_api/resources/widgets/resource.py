"""Widgets: the pieces that pages are put together from."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.presentation import Widget
from crm_api.resources.widgets.rules import WidgetRules
from crm_api.resources.widgets.schemas import WidgetCreate, WidgetRead, WidgetUpdate

widgets = Resource[Widget, WidgetCreate, WidgetUpdate, WidgetRead](
    name="widgets",
    singular="widget",
    model=Widget,
    create=WidgetCreate,
    update=WidgetUpdate,
    read=WidgetRead,
    display=lambda row: row["name"],
    description="Lists, figures, charts and pages to put on a home page or beside a record. `GET /v1/meta/widgets` gives the caller's.",
    example={"name": "My biggest deals", "type": "list", "applies_to": "deals", "placement": "home"},
    search=("name",),
    rules=WidgetRules(),
    verbs=ALL_VERBS - {"merge"},
    default_sort=("position",),
    owner_defaults_to_caller=False,
    configuration=("placement", "name"),
    sharing="none",
    paths_in={"settings": "tree"},
)
