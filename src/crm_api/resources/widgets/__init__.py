"""The widgets resource."""

from crm_api.resources.widgets.resource import widgets

__all__ = ["widgets"]
