"""What is special about writing case comments."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class CaseCommentRules(Rules):
    """Nothing yet."""
