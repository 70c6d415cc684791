"""The accounts resource."""

from crm_api.resources.accounts.resource import accounts

__all__ = ["accounts"]
