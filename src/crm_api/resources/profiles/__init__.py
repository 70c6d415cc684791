"""The profiles resource."""

from crm_api.resources.profiles.resource import profiles

__all__ = ["profiles"]
