"""Which tables a sandbox is copied from, read off the models; only what is not a record has to be named."""

from __future__ import annotations

from typing import Final, Literal

import sqlalchemy as sa

from crm_api.db.statement import Statement
from crm_api.kernel.registry import Registry
from crm_api.models import Base
from crm_api.models.base import table_of
from crm_api.models.identity import PERSONAL
from crm_api.models.oauth import OAUTH
from crm_api.models.tickets import TICKETS

Kind = Literal["configuration", "data", "never"]

NEVER: Final = frozenset(
    {
        "tokens", "outbox", "events", "event_snapshots", "journal", "idempotency_keys", "tombstones",
        "jobs", "job_chunks", "job_errors", "job_due", "timers", "recent_items", "home_pages", "sandboxes", "config_snapshots",
        "audit_log", "audit_heads", "audit_checkpoints", "connections", "connection_secrets", "oauth_grants",
        "suppressions", "journal_heads", "journal_consumers", "webhook_endpoints", "webhook_secrets", "webhook_states", "webhook_due",
        "webhook_queue", "webhook_deliveries", "webhook_attempts", "event_consumers",
    }
)  # fmt: skip
"""What belongs to the working of one organisation: its secrets, journal, jobs, and what its people have looked at."""

ALWAYS: Final = frozenset(
    {"members", "counters", "object_definitions", "field_definitions", "schema_versions", "exchange_rates", "segments"}
)
"""What every copy has beside the objects that are configuration."""

ABOUT: Final = {
    "links": ("from_id", "to_id"),
    "external_ids": ("record_id",),
    "stage_changes": ("record_id",),
    "board_positions": ("record_id",),
    "record_shares": ("record_id",),
}
"""What is about records without being one: copied where those records are."""

FOLLOWED: Final = frozenset({"links", "external_ids", "stage_changes", "record_shares"})
"""Those of them that change with an event of their own or of their record."""

SCHEMA: Final = frozenset({"object_definitions", "field_definitions", "schema_versions"})
"""What changes with the version of the schema."""

GLOBAL: Final = frozenset({"organizations", "users", "credentials", "encryption_keys", "oauth_clients", *PERSONAL, *OAUTH, *TICKETS})


def kind_of(registry: Registry, table: sa.Table) -> Kind | None:
    """What a tenant table is to a copy; None for one that nobody has thought of."""
    if table.name in NEVER:
        return "never"
    if table.name in ALWAYS or table.name in {table_of(resource.name) for resource in registry.standard if resource.configuration}:
        return "configuration"
    if table.name in ABOUT or "display_name" in table.c:
        return "data"
    return None


def tenant_tables() -> list[sa.Table]:
    """Every table whose rows belong to an organisation, those first that others refer to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in GLOBAL]


def self_references(table: sa.Table) -> list[str]:
    """Columns that refer to rows of the same table: written only when all rows are there."""
    return [
        column for key in table.foreign_key_constraints if key.referred_table is table for column in key.column_keys if column != "org_id"
    ]


def stored_columns(table: sa.Table) -> list[str]:
    """The columns that are written, without the organisation."""
    return [column.name for column in table.c if column.name != "org_id" and column.computed is None]


def columns_of(table: sa.Table) -> tuple[str, ...]:
    """The columns by which the rows are found that changed with something: their own ids, or those of what they are about."""
    return ABOUT[table.name] if table.name in ABOUT and table.name != "links" else ("id",)


def is_resumable(table: sa.Table) -> bool:
    """Whether rows are told apart by an id, so that a copy can go on behind the last one; other tables are small or copied whole."""
    return [column.name for column in table.primary_key] == ["org_id", "id"]


def clear(table: sa.Table) -> Statement:
    """Removes some rows of an organisation; how many."""
    keys = [column.name for column in table.primary_key if column.name != "org_id"]
    if not keys:  # one row
        keys = ["org_id"]
    listed = ", ".join(f'"{key}"' for key in keys)
    same = " AND ".join(f't."{key}" = old."{key}"' for key in keys)
    return Statement(
        f"WITH old AS (SELECT {listed} FROM {table.name} WHERE org_id = $1 LIMIT $2),"
        f" gone AS (DELETE FROM {table.name} t USING old WHERE t.org_id = $1 AND {same} RETURNING 1) SELECT count(*) FROM gone",
        ("org_id", "limit"),
    )
