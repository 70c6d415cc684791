"""The tasks resource."""

from crm_api.resources.tasks.resource import tasks

__all__ = ["tasks"]
