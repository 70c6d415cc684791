"""Connections: how the organisation reaches services of others."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.connections import Connection
from crm_api.resources.connections.rules import ConnectionRules
from crm_api.resources.connections.schemas import ConnectionCreate, ConnectionRead, ConnectionUpdate

connections = Resource[Connection, ConnectionCreate, ConnectionUpdate, ConnectionRead](
    name="connections",
    singular="connection",
    model=Connection,
    create=ConnectionCreate,
    update=ConnectionUpdate,
    read=ConnectionRead,
    display=lambda row: row["name"],
    description="Services of others that the organisation reaches: where they are, how one signs in there, and whether that works. Secrets "
    "are kept sealed and never shown.",
    example={"name": "Shop", "provider": "example_shop", "type": "api_key", "base_url": "https://api.shop.example/v2"},
    search=("name", "provider"),
    rules=ConnectionRules(),
    verbs=ALL_VERBS - {"merge"},
    sharing="none",
    owner_defaults_to_caller=False,
)
