"""What is special about writing tasks."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class TaskRules(Rules):
    """Nothing yet."""
