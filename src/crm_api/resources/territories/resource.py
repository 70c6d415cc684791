"""Territories: parts of the market, their people, and the rules that put records there."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, ManyToMany, Resource
from crm_api.kernel.schema import PlainLink
from crm_api.models.access import Territory
from crm_api.resources.territories.rules import TerritoryRules
from crm_api.resources.territories.schemas import TerritoryCreate, TerritoryRead, TerritoryUpdate

territories = Resource[Territory, TerritoryCreate, TerritoryUpdate, TerritoryRead](
    name="territories",
    singular="territory",
    model=Territory,
    create=TerritoryCreate,
    update=TerritoryUpdate,
    read=TerritoryRead,
    display=lambda row: row["name"],
    description="Parts of the market. `POST /v1/territories/run` puts records there by their rules; their users see them, and those of "
    "parts below.",
    example={
        "name": "Germany",
        "rules": {"accounts": {"field": "billing_address.country", "value": "DE"}},
        "access": "write",
    },
    search=("name",),
    rules=TerritoryRules(),
    verbs=ALL_VERBS - {"merge"},
    owner_defaults_to_caller=False,
    governs_access=True,
    sharing="none",
    links=(ManyToMany("users", "users", "territories", PlainLink),),
    configuration=("name",),
)
