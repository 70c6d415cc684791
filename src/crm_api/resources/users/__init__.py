"""The users resource."""

from crm_api.resources.users.resource import users

__all__ = ["users"]
