"""The webhook_endpoints resource."""

from crm_api.resources.webhook_endpoints.resource import webhook_endpoints

__all__ = ["webhook_endpoints"]
