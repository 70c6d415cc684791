"""The connections resource."""

from crm_api.resources.connections.resource import connections

__all__ = ["connections"]
