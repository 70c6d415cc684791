"""What is special about writing accounts."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class AccountRules(Rules):
    """Nothing yet."""
