"""The retention policies resource."""

from crm_api.resources.retention_policies.resource import retention_policies

__all__ = ["retention_policies"]
