"""The layouts resource."""

from crm_api.resources.layouts.resource import layouts

__all__ = ["layouts"]
