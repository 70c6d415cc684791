"""The deals resource."""

from crm_api.resources.deals.resource import deals

__all__ = ["deals"]
