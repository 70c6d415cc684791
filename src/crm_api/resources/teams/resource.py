"""Teams: people whom records are shared with together."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, ManyToMany, Resource
from crm_api.kernel.schema import PlainLink
from crm_api.models.access import Team
from crm_api.resources.teams.rules import TeamRules
from crm_api.resources.teams.schemas import TeamCreate, TeamRead, TeamUpdate

teams = Resource[Team, TeamCreate, TeamUpdate, TeamRead](
    name="teams",
    singular="team",
    model=Team,
    create=TeamCreate,
    update=TeamUpdate,
    read=TeamRead,
    display=lambda row: row["name"],
    description="Groups of users whom records can be shared with. `PUT /v1/teams/{id}/links/users/{user_id}` lets somebody in.",
    example={"name": "Key accounts", "description": "Looks after the largest customers."},
    search=("name",),
    rules=TeamRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    links=(ManyToMany("users", "users", "teams", PlainLink),),
    configuration=("name",),
)
