"""The themes resource."""

from crm_api.resources.themes.resource import themes

__all__ = ["themes"]
