"""The first schema: every table of the models, placed and fenced, with partitions for the first weeks.

Revision: 0001
Follows: nothing

Written by migrations/baseline.py.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import UUID, Text
from sqlalchemy.dialects import postgresql

from crm_api.core.clock import SystemClock
from crm_api.db import partitions
from crm_api.db.ddl import fence_table, place_table

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def _create_counters() -> None:
    op.create_table(
        "counters",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "name", name=op.f("pk_counters")),
    )
    place_table(op, "counters")
    fence_table(op, "counters")


def _create_credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credentials")),
    )
    place_table(op, "credentials", None)


def _create_event_snapshots() -> None:
    op.create_table(
        "event_snapshots",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("row", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "event_id", name=op.f("pk_event_snapshots")),
        postgresql_partition_by="RANGE (event_id)",
    )
    place_table(op, "event_snapshots")
    fence_table(op, "event_snapshots")


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("cause", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("visibility", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("transaction_id", sa.UUID(), nullable=False),
        sa.Column("transaction_index", sa.Integer(), nullable=False),
        sa.Column("transaction_last", sa.Boolean(), nullable=False),
        sa.Column("related", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_events")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_events_record_id", "events", ["org_id", "record_id", "id"], unique=False)
    op.create_index(
        "ix_events_related",
        "events",
        ["related"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"related": "jsonb_path_ops"},
        postgresql_where=sa.text("related <> '[]'::jsonb"),
    )
    place_table(op, "events")
    fence_table(op, "events")


def _create_external_ids() -> None:
    op.create_table(
        "external_ids",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "object", "system", "value", name=op.f("pk_external_ids")),
    )
    op.create_index("ix_external_ids_record_id", "external_ids", ["org_id", "record_id"], unique=False)
    place_table(op, "external_ids")
    fence_table(op, "external_ids")


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("principal_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "principal_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["org_id", "created_at"], unique=False)
    place_table(op, "idempotency_keys")
    fence_table(op, "idempotency_keys")


def _create_job_due() -> None:
    op.create_table(
        "job_due",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "job_id", name=op.f("pk_job_due")),
    )
    op.create_index("ix_job_due_due_at", "job_due", ["org_id", "due_at"], unique=False)
    place_table(op, "job_due")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("principal", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_jobs")),
    )
    place_table(op, "jobs")
    fence_table(op, "jobs")


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "seq", "event_id", name=op.f("pk_journal")),
        postgresql_partition_by="RANGE (event_id)",
    )
    op.create_index("ix_journal_event_id", "journal", ["org_id", "event_id"], unique=False)
    place_table(op, "journal")
    fence_table(op, "journal")


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("from_object", sa.Text(), nullable=False),
        sa.Column("from_id", sa.UUID(), nullable=False),
        sa.Column("to_object", sa.Text(), nullable=False),
        sa.Column("to_id", sa.UUID(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_links")),
    )
    op.create_index("ix_links_to_id", "links", ["org_id", "relation", "to_id", "from_id"], unique=False)
    op.create_index("uq_links_edge", "links", ["org_id", "relation", "from_id", "to_id"], unique=True)
    place_table(op, "links")
    fence_table(op, "links")


def _create_members() -> None:
    op.create_table(
        "members",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'standard'"), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("email_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_members_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_created_at", "members", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_members_email", "members", ["org_id", "email_key", "id"], unique=False)
    op.create_index("ix_members_name", "members", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_members_owner_id", "members", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_members_search", "members", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_members_tags", "members", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_members_trigrams", "members", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_members_updated_at", "members", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_members_email", "members", ["org_id", "email_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    place_table(op, "members")
    fence_table(op, "members")


def _create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), server_default=sa.text("'production'"), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("time_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("locale", sa.Text(), server_default=sa.text("'en'"), nullable=False),
        sa.Column("region", sa.Text(), server_default=sa.text("'US'"), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("schema_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("access_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("clock_offset_us", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("clock_frozen_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
    )
    place_table(op, "organizations", None)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "event_id", name=op.f("pk_outbox")),
    )
    place_table(op, "outbox")


def _create_timers() -> None:
    op.create_table(
        "timers",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "kind", "subject_id", name=op.f("pk_timers")),
    )
    op.create_index("ix_timers_due_at", "timers", ["org_id", "due_at", "kind", "subject_id"], unique=False)
    place_table(op, "timers")


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'pat'"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=True),
        sa.Column("app_id", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("preferences", sa.Text(), nullable=True),
        sa.Column("user_suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tokens")),
    )
    op.create_index("ix_tokens_id", "tokens", ["id"], unique=False)
    op.create_index("ix_tokens_org_id", "tokens", ["org_id", "id"], unique=False)
    place_table(op, "tokens", "hash", colocate=False)


def _create_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("purged_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_tombstones")),
    )
    place_table(op, "tombstones")
    fence_table(op, "tombstones")


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email_key", "users", ["email_key"], unique=True)
    place_table(op, "users", None)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("annual_revenue", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("billing_address", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("shipping_address", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("domain_key", sa.Text(collation="C"), nullable=True),
        sa.Column("website_key", sa.Text(collation="C"), nullable=True),
        sa.Column("phone_key", sa.Text(collation="C"), nullable=True),
        sa.Column("industry_key", sa.Text(collation="C"), nullable=True),
        sa.Column("type_key", sa.Text(collation="C"), nullable=True),
        sa.Column("billing_address_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("shipping_address_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_accounts_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "parent_id"], ["accounts.org_id", "accounts.id"], name="fk_accounts_parent_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_accounts")),
    )
    op.create_index("ix_accounts_annual_revenue", "accounts", ["org_id", "annual_revenue", "id"], unique=False)
    op.create_index("ix_accounts_created_at", "accounts", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_accounts_domain", "accounts", ["org_id", "domain_key", "id"], unique=False)
    op.create_index("ix_accounts_employees", "accounts", ["org_id", "employees", "id"], unique=False)
    op.create_index("ix_accounts_industry", "accounts", ["org_id", "industry_key", "id"], unique=False)
    op.create_index("ix_accounts_name", "accounts", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_accounts_owner_id", "accounts", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_accounts_parent_id", "accounts", ["org_id", "parent_id", "id"], unique=False)
    op.create_index("ix_accounts_search", "accounts", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_accounts_tags", "accounts", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_accounts_trigrams", "accounts", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_accounts_updated_at", "accounts", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_accounts_domain", "accounts", ["org_id", "domain_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    place_table(op, "accounts")
    fence_table(op, "accounts")


def _create_contact_roles() -> None:
    op.create_table(
        "contact_roles",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_contact_roles_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_contact_roles")),
    )
    op.create_index("ix_contact_roles_created_at", "contact_roles", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_contact_roles_owner_id", "contact_roles", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_contact_roles_position", "contact_roles", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_contact_roles_tags", "contact_roles", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_contact_roles_updated_at", "contact_roles", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_contact_roles_key", "contact_roles", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    place_table(op, "contact_roles")
    fence_table(op, "contact_roles")


def _create_job_chunks() -> None:
    op.create_table(
        "job_chunks",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ids", postgresql.ARRAY(UUID()), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "job_id"], ["jobs.org_id", "jobs.id"], name="fk_job_chunks_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "job_id", "position", name=op.f("pk_job_chunks")),
    )
    place_table(op, "job_chunks")
    fence_table(op, "job_chunks")


def _create_job_errors() -> None:
    op.create_table(
        "job_errors",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "job_id"], ["jobs.org_id", "jobs.id"], name="fk_job_errors_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "job_id", "position", name=op.f("pk_job_errors")),
    )
    place_table(op, "job_errors")
    fence_table(op, "job_errors")


def _create_lead_statuses() -> None:
    op.create_table(
        "lead_statuses",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason_required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("transitions", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_lead_statuses_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_lead_statuses")),
    )
    op.create_index("ix_lead_statuses_created_at", "lead_statuses", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_lead_statuses_owner_id", "lead_statuses", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_lead_statuses_position", "lead_statuses", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_lead_statuses_tags", "lead_statuses", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_lead_statuses_updated_at", "lead_statuses", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_lead_statuses_key", "lead_statuses", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    place_table(op, "lead_statuses")
    fence_table(op, "lead_statuses")


def _create_lifecycle_stages() -> None:
    op.create_table(
        "lifecycle_stages",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'other'"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("transitions", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_lifecycle_stages_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_lifecycle_stages")),
    )
    op.create_index("ix_lifecycle_stages_created_at", "lifecycle_stages", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_lifecycle_stages_owner_id", "lifecycle_stages", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_lifecycle_stages_position", "lifecycle_stages", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_lifecycle_stages_tags", "lifecycle_stages", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_lifecycle_stages_updated_at", "lifecycle_stages", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_lifecycle_stages_key", "lifecycle_stages", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    place_table(op, "lifecycle_stages")
    fence_table(op, "lifecycle_stages")


def _create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("title_key", sa.Text(collation="C"), nullable=True),
        sa.Column("body_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_notes_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_created_at", "notes", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_notes_owner_id", "notes", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_notes_search", "notes", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_notes_tags", "notes", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_notes_title", "notes", ["org_id", "title_key", "id"], unique=False)
    op.create_index("ix_notes_trigrams", "notes", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_notes_updated_at", "notes", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "notes")
    fence_table(op, "notes")


def _create_pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("applies_to", sa.Text(), server_default=sa.text("'deals'"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_pipelines_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_pipelines")),
    )
    op.create_index("ix_pipelines_created_at", "pipelines", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_pipelines_name", "pipelines", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_pipelines_owner_id", "pipelines", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_pipelines_search", "pipelines", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_pipelines_tags", "pipelines", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_pipelines_trigrams", "pipelines", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_pipelines_updated_at", "pipelines", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_pipelines_is_default", "pipelines", ["org_id", "applies_to"], unique=True, postgresql_where="is_default AND deleted_at IS NULL"
    )
    place_table(op, "pipelines")
    fence_table(op, "pipelines")


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("priority", sa.Text(), server_default=sa.text("'normal'"), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("remind_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reminded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("depends_on_id", sa.UUID(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("subject_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "depends_on_id"], ["tasks.org_id", "tasks.id"], name="fk_tasks_depends_on_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_tasks_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_created_at", "tasks", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_tasks_depends_on_id", "tasks", ["org_id", "depends_on_id", "id"], unique=False)
    op.create_index("ix_tasks_due_at", "tasks", ["org_id", "due_at", "id"], unique=False)
    op.create_index("ix_tasks_owner_id", "tasks", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_tasks_search", "tasks", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_tasks_status", "tasks", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_tasks_subject", "tasks", ["org_id", "subject_key", "id"], unique=False)
    op.create_index("ix_tasks_tags", "tasks", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_tasks_trigrams", "tasks", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_tasks_updated_at", "tasks", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "tasks")
    fence_table(op, "tasks")


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.Text(), server_default=sa.text("'person'"), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("emails", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phones", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("lifecycle_stage", sa.Text(), nullable=True),
        sa.Column("rating", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("birthdate", sa.Date(), nullable=True),
        sa.Column("address", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("email_opt_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("do_not_call", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("first_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("last_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("email_key", sa.Text(collation="C"), nullable=True),
        sa.Column("phone_key", sa.Text(collation="C"), nullable=True),
        sa.Column("title_key", sa.Text(collation="C"), nullable=True),
        sa.Column("department_key", sa.Text(collation="C"), nullable=True),
        sa.Column("source_key", sa.Text(collation="C"), nullable=True),
        sa.Column("address_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "account_id"], ["accounts.org_id", "accounts.id"], name="fk_contacts_account_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_contacts_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_contacts")),
    )
    op.create_index("ix_contacts_account_id", "contacts", ["org_id", "account_id", "id"], unique=False)
    op.create_index("ix_contacts_created_at", "contacts", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_contacts_email", "contacts", ["org_id", "email_key", "id"], unique=False)
    op.create_index("ix_contacts_first_name", "contacts", ["org_id", "first_name_key", "id"], unique=False)
    op.create_index("ix_contacts_last_name", "contacts", ["org_id", "last_name_key", "id"], unique=False)
    op.create_index("ix_contacts_lifecycle_stage", "contacts", ["org_id", "lifecycle_stage", "id"], unique=False)
    op.create_index("ix_contacts_owner_id", "contacts", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_contacts_search", "contacts", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_contacts_tags", "contacts", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_contacts_trigrams", "contacts", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_contacts_updated_at", "contacts", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_contacts_email", "contacts", ["org_id", "email_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    place_table(op, "contacts")
    fence_table(op, "contacts")


def _create_stages() -> None:
    op.create_table(
        "stages",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Numeric(), nullable=True),
        sa.Column("category", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("forecast_category", sa.Text(), nullable=True),
        sa.Column("required_fields", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default="[]", nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_stages_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "pipeline_id"], ["pipelines.org_id", "pipelines.id"], name="fk_stages_pipeline_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_stages")),
    )
    op.create_index("ix_stages_created_at", "stages", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_stages_owner_id", "stages", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_stages_pipeline_id", "stages", ["org_id", "pipeline_id", "id"], unique=False)
    op.create_index("ix_stages_position", "stages", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_stages_search", "stages", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_stages_tags", "stages", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_stages_trigrams", "stages", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_stages_updated_at", "stages", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "stages")
    fence_table(op, "stages")


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("priority", sa.Text(), server_default=sa.text("'normal'"), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("queue_id", sa.UUID(), nullable=True),
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("first_response_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sla", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("subject_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("type_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "account_id"], ["accounts.org_id", "accounts.id"], name="fk_cases_account_id"),
        sa.ForeignKeyConstraint(["org_id", "contact_id"], ["contacts.org_id", "contacts.id"], name="fk_cases_contact_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_cases_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "parent_id"], ["cases.org_id", "cases.id"], name="fk_cases_parent_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_account_id", "cases", ["org_id", "account_id", "id"], unique=False)
    op.create_index("ix_cases_contact_id", "cases", ["org_id", "contact_id", "id"], unique=False)
    op.create_index("ix_cases_created_at", "cases", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_cases_number", "cases", ["org_id", "number", "id"], unique=False)
    op.create_index("ix_cases_opened_at", "cases", ["org_id", "opened_at", "id"], unique=False)
    op.create_index("ix_cases_owner_id", "cases", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_cases_parent_id", "cases", ["org_id", "parent_id", "id"], unique=False)
    op.create_index("ix_cases_priority", "cases", ["org_id", "priority", "id"], unique=False)
    op.create_index("ix_cases_search", "cases", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_cases_status", "cases", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_cases_subject", "cases", ["org_id", "subject_key", "id"], unique=False)
    op.create_index("ix_cases_tags", "cases", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_cases_trigrams", "cases", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_cases_updated_at", "cases", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_cases_number", "cases", ["org_id", "number"], unique=True)
    place_table(op, "cases")
    fence_table(op, "cases")


def _create_deals() -> None:
    op.create_table(
        "deals",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=True),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("stage_id", sa.UUID(), nullable=False),
        sa.Column("stage_entered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("board_position", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("probability", sa.Numeric(), nullable=True),
        sa.Column("probability_overridden", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("open_probability", sa.Numeric(), nullable=True),
        sa.Column("weighted_amount", sa.Numeric(), nullable=True),
        sa.Column("close_date", sa.Date(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("lost_reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("next_step", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("lost_reason_key", sa.Text(collation="C"), nullable=True),
        sa.Column("source_key", sa.Text(collation="C"), nullable=True),
        sa.Column("type_key", sa.Text(collation="C"), nullable=True),
        sa.Column("next_step_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "account_id"], ["accounts.org_id", "accounts.id"], name="fk_deals_account_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_deals_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "pipeline_id"], ["pipelines.org_id", "pipelines.id"], name="fk_deals_pipeline_id"),
        sa.ForeignKeyConstraint(["org_id", "stage_id"], ["stages.org_id", "stages.id"], name="fk_deals_stage_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_deals")),
    )
    op.create_index("ix_deals_account_id", "deals", ["org_id", "account_id", "id"], unique=False)
    op.create_index("ix_deals_amount", "deals", ["org_id", "amount", "id"], unique=False)
    op.create_index(
        "ix_deals_board", "deals", ["org_id", "stage_id", "board_position", "id"], unique=False, postgresql_where="deleted_at IS NULL"
    )
    op.create_index("ix_deals_close_date", "deals", ["org_id", "close_date", "id"], unique=False)
    op.create_index("ix_deals_closed_at", "deals", ["org_id", "closed_at", "id"], unique=False)
    op.create_index("ix_deals_created_at", "deals", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_deals_name", "deals", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_deals_opened_at", "deals", ["org_id", "opened_at", "id"], unique=False)
    op.create_index("ix_deals_owner_id", "deals", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_deals_pipeline_id", "deals", ["org_id", "pipeline_id", "id"], unique=False)
    op.create_index("ix_deals_search", "deals", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_deals_stage_id", "deals", ["org_id", "stage_id", "id"], unique=False)
    op.create_index("ix_deals_status", "deals", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_deals_tags", "deals", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_deals_trigrams", "deals", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_deals_updated_at", "deals", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "deals")
    fence_table(op, "deals")


def _create_case_comments() -> None:
    op.create_table(
        "case_comments",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("case_id", sa.UUID(), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.Column("visibility", sa.Text(), server_default=sa.text("'internal'"), nullable=False),
        sa.Column("author_kind", sa.Text(), server_default=sa.text("'staff'"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("body_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "case_id"], ["cases.org_id", "cases.id"], name="fk_case_comments_case_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_case_comments_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_case_comments")),
    )
    op.create_index("ix_case_comments_case_id", "case_comments", ["org_id", "case_id", "id"], unique=False)
    op.create_index("ix_case_comments_created_at", "case_comments", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_case_comments_owner_id", "case_comments", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_case_comments_search", "case_comments", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_comments_tags", "case_comments", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_comments_trigrams", "case_comments", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_comments_updated_at", "case_comments", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "case_comments")
    fence_table(op, "case_comments")


def _create_leads() -> None:
    op.create_table(
        "leads",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("lifecycle_stage", sa.Text(), nullable=True),
        sa.Column("rating", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("qualification", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("converted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("converted_account_id", sa.UUID(), nullable=True),
        sa.Column("converted_contact_id", sa.UUID(), nullable=True),
        sa.Column("converted_deal_id", sa.UUID(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("first_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("last_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("company_key", sa.Text(collation="C"), nullable=True),
        sa.Column("email_key", sa.Text(collation="C"), nullable=True),
        sa.Column("phone_key", sa.Text(collation="C"), nullable=True),
        sa.Column("title_key", sa.Text(collation="C"), nullable=True),
        sa.Column("website_key", sa.Text(collation="C"), nullable=True),
        sa.Column("source_key", sa.Text(collation="C"), nullable=True),
        sa.Column("status_reason_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "converted_account_id"], ["accounts.org_id", "accounts.id"], name="fk_leads_converted_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "converted_contact_id"], ["contacts.org_id", "contacts.id"], name="fk_leads_converted_contact_id"
        ),
        sa.ForeignKeyConstraint(["org_id", "converted_deal_id"], ["deals.org_id", "deals.id"], name="fk_leads_converted_deal_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_leads_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_leads")),
    )
    op.create_index("ix_leads_company", "leads", ["org_id", "company_key", "id"], unique=False)
    op.create_index("ix_leads_converted_account_id", "leads", ["org_id", "converted_account_id", "id"], unique=False)
    op.create_index("ix_leads_converted_contact_id", "leads", ["org_id", "converted_contact_id", "id"], unique=False)
    op.create_index("ix_leads_converted_deal_id", "leads", ["org_id", "converted_deal_id", "id"], unique=False)
    op.create_index("ix_leads_created_at", "leads", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_leads_email", "leads", ["org_id", "email_key", "id"], unique=False)
    op.create_index("ix_leads_last_name", "leads", ["org_id", "last_name_key", "id"], unique=False)
    op.create_index("ix_leads_lifecycle_stage", "leads", ["org_id", "lifecycle_stage", "id"], unique=False)
    op.create_index("ix_leads_owner_id", "leads", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_leads_score", "leads", ["org_id", "score", "id"], unique=False)
    op.create_index("ix_leads_search", "leads", ["search"], unique=False, postgresql_using="gin")
    op.create_index("ix_leads_status", "leads", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_leads_tags", "leads", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_leads_trigrams", "leads", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_leads_updated_at", "leads", ["org_id", "updated_at", "id"], unique=False)
    place_table(op, "leads")
    fence_table(op, "leads")


def _create_stage_changes() -> None:
    op.create_table(
        "stage_changes",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("deal_id", sa.UUID(), nullable=False),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("from_stage_id", sa.UUID(), nullable=True),
        sa.Column("to_stage_id", sa.UUID(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("actor", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "deal_id"], ["deals.org_id", "deals.id"], name="fk_stage_changes_deal_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_stage_changes")),
    )
    op.create_index("ix_stage_changes_deal_id", "stage_changes", ["org_id", "deal_id", "at"], unique=False)
    op.create_index("ix_stage_changes_from_stage_id", "stage_changes", ["org_id", "from_stage_id"], unique=False)
    op.create_index("ix_stage_changes_to_stage_id", "stage_changes", ["org_id", "to_stage_id"], unique=False)
    place_table(op, "stage_changes")
    fence_table(op, "stage_changes")


def _make_partitions() -> None:
    now = SystemClock().now()
    for table in partitions.TABLES:
        for statement in partitions.default_creation(table):
            op.execute(statement)
        for partition in partitions.needed(table, now, partitions.AHEAD):
            for statement in partitions.creation(partition):
                op.execute(statement)


def upgrade() -> None:
    """Make everything."""
    _create_counters()
    _create_credentials()
    _create_event_snapshots()
    _create_events()
    _create_external_ids()
    _create_idempotency_keys()
    _create_job_due()
    _create_jobs()
    _create_journal()
    _create_links()
    _create_members()
    _create_organizations()
    _create_outbox()
    _create_timers()
    _create_tokens()
    _create_tombstones()
    _create_users()
    _create_accounts()
    _create_contact_roles()
    _create_job_chunks()
    _create_job_errors()
    _create_lead_statuses()
    _create_lifecycle_stages()
    _create_notes()
    _create_pipelines()
    _create_tasks()
    _create_contacts()
    _create_stages()
    _create_cases()
    _create_deals()
    _create_case_comments()
    _create_leads()
    _create_stage_changes()
    _make_partitions()


def downgrade() -> None:
    """Drop everything."""
    op.drop_table("stage_changes")
    op.drop_table("leads")
    op.drop_table("case_comments")
    op.drop_table("deals")
    op.drop_table("cases")
    op.drop_table("stages")
    op.drop_table("contacts")
    op.drop_table("tasks")
    op.drop_table("pipelines")
    op.drop_table("notes")
    op.drop_table("lifecycle_stages")
    op.drop_table("lead_statuses")
    op.drop_table("job_errors")
    op.drop_table("job_chunks")
    op.drop_table("contact_roles")
    op.drop_table("accounts")
    op.drop_table("users")
    op.drop_table("tombstones")
    op.drop_table("tokens")
    op.drop_table("timers")
    op.drop_table("outbox")
    op.drop_table("organizations")
    op.drop_table("members")
    op.drop_table("links")
    op.drop_table("journal")
    op.drop_table("jobs")
    op.drop_table("job_due")
    op.drop_table("idempotency_keys")
    op.drop_table("external_ids")
    op.drop_table("events")
    op.drop_table("event_snapshots")
    op.drop_table("credentials")
    op.drop_table("counters")
