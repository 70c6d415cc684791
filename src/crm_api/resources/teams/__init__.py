"""The teams resource."""

from crm_api.resources.teams.resource import teams

__all__ = ["teams"]
