"""The sharing_rules resource."""

from crm_api.resources.sharing_rules.resource import sharing_rules

__all__ = ["sharing_rules"]
