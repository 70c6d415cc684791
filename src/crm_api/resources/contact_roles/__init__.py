"""The contact roles resource."""

from crm_api.resources.contact_roles.resource import contact_roles

__all__ = ["contact_roles"]
