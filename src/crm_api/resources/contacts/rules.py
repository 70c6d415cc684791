"""What is special about writing contacts."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class ContactRules(Rules):
    """Nothing yet."""
