"""What is special about writing lifecycle stages."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class LifecycleStageRules(Rules):
    """Nothing yet."""
