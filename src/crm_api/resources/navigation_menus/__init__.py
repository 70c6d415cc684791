"""The navigation_menus resource."""

from crm_api.resources.navigation_menus.resource import navigation_menus

__all__ = ["navigation_menus"]
