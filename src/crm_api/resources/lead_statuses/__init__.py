"""The lead statuses resource."""

from crm_api.resources.lead_statuses.resource import lead_statuses

__all__ = ["lead_statuses"]
