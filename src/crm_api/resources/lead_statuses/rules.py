"""What is special about writing lead statuses."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class LeadStatusRules(Rules):
    """Nothing yet."""
