"""What is special about writing leads."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class LeadRules(Rules):
    """Nothing yet."""
