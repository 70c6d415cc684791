"""The stages resource."""

from crm_api.resources.stages.resource import stages

__all__ = ["stages"]
