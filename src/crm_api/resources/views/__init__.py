"""The views resource."""

from crm_api.resources.views.resource import views

__all__ = ["views"]
