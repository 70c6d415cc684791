"""What is special about writing contact roles."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class ContactRoleRules(Rules):
    """Nothing yet."""
