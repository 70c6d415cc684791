"""What is special about writing cases."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class CaseRules(Rules):
    """Nothing yet."""
