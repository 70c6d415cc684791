"""What is special about writing deals."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class DealRules(Rules):
    """Nothing yet."""
