"""The cases resource."""

from crm_api.resources.cases.resource import cases

__all__ = ["cases"]
