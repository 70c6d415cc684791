"""The custom_links resource."""

from crm_api.resources.custom_links.resource import custom_links

__all__ = ["custom_links"]
