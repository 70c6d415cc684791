"""What is special about writing teams: who is in one is a matter of links, which only administrators change."""

from __future__ import annotations

from crm_api.kernel.resource import Rules


class TeamRules(Rules):
    """A team is its name and its members, who are links (`PUT /v1/teams/{id}/links/users/{user_id}`)."""
