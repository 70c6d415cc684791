"""Themes: how a user interface looks, for a profile or for everybody."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.presentation import Theme
from crm_api.resources.themes.rules import ThemeRules
from crm_api.resources.themes.schemas import ThemeCreate, ThemeRead, ThemeUpdate

themes = Resource[Theme, ThemeCreate, ThemeUpdate, ThemeRead](
    name="themes",
    singular="theme",
    model=Theme,
    create=ThemeCreate,
    update=ThemeUpdate,
    read=ThemeRead,
    display=lambda row: row["name"],
    description="Colours, logo and density of user interfaces, by profile. `GET /v1/meta/themes` gives the caller's.",
    example={"name": "Evening", "mode": "dark", "colors": {"accent": "#0a7d55"}},
    search=("name",),
    rules=ThemeRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("name",),
    sharing="none",
)
