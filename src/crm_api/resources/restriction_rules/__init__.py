"""The restriction_rules resource."""

from crm_api.resources.restriction_rules.resource import restriction_rules

__all__ = ["restriction_rules"]
