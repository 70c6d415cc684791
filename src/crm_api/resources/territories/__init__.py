"""The territories resource."""

from crm_api.resources.territories.resource import territories

__all__ = ["territories"]
