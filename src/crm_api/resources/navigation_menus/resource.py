"""Navigation menus: what a user interface offers to go to."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.presentation import NavigationMenu
from crm_api.resources.navigation_menus.rules import NavigationMenuRules
from crm_api.resources.navigation_menus.schemas import NavigationMenuCreate, NavigationMenuRead, NavigationMenuUpdate

navigation_menus = Resource[NavigationMenu, NavigationMenuCreate, NavigationMenuUpdate, NavigationMenuRead](
    name="navigation_menus",
    singular="navigation_menu",
    model=NavigationMenu,
    create=NavigationMenuCreate,
    update=NavigationMenuUpdate,
    read=NavigationMenuRead,
    display=lambda row: row["name"],
    description="Menus of objects, views, pages and addresses, by profile. `GET /v1/meta/navigation` gives the caller's.",
    example={"name": "Sales", "is_default": True, "entries": [{"key": "deals", "type": "object", "object": "deals"}]},
    search=("name",),
    rules=NavigationMenuRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    configuration=("name",),
    sharing="none",
    paths_in={"entries": "entries"},
)
