"""What is special about writing pipelines."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class PipelineRules(Rules):
    """Nothing yet."""
