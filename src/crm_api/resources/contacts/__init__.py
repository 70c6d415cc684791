"""The contacts resource."""

from crm_api.resources.contacts.resource import contacts

__all__ = ["contacts"]
