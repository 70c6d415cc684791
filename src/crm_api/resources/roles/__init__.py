"""The roles resource."""

from crm_api.resources.roles.resource import roles

__all__ = ["roles"]
