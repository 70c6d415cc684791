"""What is special about writing teams: nothing so far."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class TeamRules(Rules):
    """A team is its name and its members, who are links."""
