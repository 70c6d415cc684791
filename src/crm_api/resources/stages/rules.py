"""What is special about writing stages."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class StageRules(Rules):
    """Nothing yet."""
