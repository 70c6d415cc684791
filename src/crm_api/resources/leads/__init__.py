"""The leads resource."""

from crm_api.resources.leads.resource import leads

__all__ = ["leads"]
