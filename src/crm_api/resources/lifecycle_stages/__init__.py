"""The lifecycle stages resource."""

from crm_api.resources.lifecycle_stages.resource import lifecycle_stages

__all__ = ["lifecycle_stages"]
