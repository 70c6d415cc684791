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
from crm_api.db.ddl import fence_table, keep_organizations, keep_rows, place_table

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def _create_audit_checkpoints() -> None:
    op.create_table(
        "audit_checkpoints",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "number", name=op.f("pk_audit_checkpoints")),
    )
    place_table(op, "audit_checkpoints")
    fence_table(op, "audit_checkpoints")


def _create_audit_heads() -> None:
    op.create_table(
        "audit_heads",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_audit_heads")),
    )
    place_table(op, "audit_heads")
    fence_table(op, "audit_heads")


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor_type", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        sa.Column("action", sa.Text(collation="C"), nullable=False),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("record_id", sa.UUID(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=True),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "seq", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_action", "audit_log", ["org_id", "action", "seq"], unique=False)
    op.create_index("ix_audit_log_actor_id", "audit_log", ["org_id", "actor_id", "seq"], unique=False)
    op.create_index("ix_audit_log_object", "audit_log", ["org_id", "object", "seq"], unique=False)
    op.create_index("ix_audit_log_occurred_at", "audit_log", ["org_id", "occurred_at", "seq"], unique=False)
    op.create_index("ix_audit_log_record_id", "audit_log", ["org_id", "record_id", "seq"], unique=False)
    op.create_index("uq_audit_log_id", "audit_log", ["org_id", "id"], unique=True)
    place_table(op, "audit_log")
    fence_table(op, "audit_log")


def _create_belongings() -> None:
    op.create_table(
        "belongings",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "org_id", name=op.f("pk_belongings")),
    )
    place_table(op, "belongings", "user_id", colocate=False)


def _create_board_positions() -> None:
    op.create_table(
        "board_positions",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("column_key", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "object", "field", "record_id", name=op.f("pk_board_positions")),
    )
    op.create_index("uq_board_positions_rank", "board_positions", ["org_id", "object", "field", "column_key", "rank"], unique=True)
    place_table(op, "board_positions")
    fence_table(op, "board_positions")


def _create_config_snapshots() -> None:
    op.create_table(
        "config_snapshots",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_config_snapshots")),
    )
    place_table(op, "config_snapshots")
    fence_table(op, "config_snapshots")


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


def _create_encryption_keys() -> None:
    op.create_table(
        "encryption_keys",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encryption_keys")),
    )
    place_table(op, "encryption_keys", None)


def _create_event_consumers() -> None:
    op.create_table(
        "event_consumers",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "user_id", "app_id", "name", name=op.f("pk_event_consumers")),
    )
    place_table(op, "event_consumers")
    fence_table(op, "event_consumers")


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


def _create_event_tickets() -> None:
    op.create_table(
        "event_tickets",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("open_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_event_tickets")),
    )
    op.create_index("ix_event_tickets_expires_at", "event_tickets", ["expires_at"], unique=False)
    op.create_index("ix_event_tickets_token_hash", "event_tickets", ["token_hash"], unique=False)
    place_table(op, "event_tickets", "hash", colocate=False)


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


def _create_failed_attempts() -> None:
    op.create_table(
        "failed_attempts",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_failed_attempts")),
    )
    op.create_index("ix_failed_attempts_since", "failed_attempts", ["since"], unique=False)
    place_table(op, "failed_attempts", "subject", colocate=False)


def _create_field_definitions() -> None:
    op.create_table(
        "field_definitions",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("unique_slot", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("archived_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_field_definitions")),
    )
    op.create_index("uq_field_definitions_api_name", "field_definitions", ["org_id", "object", "api_name"], unique=True)
    place_table(op, "field_definitions")
    fence_table(op, "field_definitions")


def _create_home_pages() -> None:
    op.create_table(
        "home_pages",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("widgets", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "user_id", name=op.f("pk_home_pages")),
    )
    place_table(op, "home_pages")
    fence_table(op, "home_pages")


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


def _create_journal_consumers() -> None:
    op.create_table(
        "journal_consumers",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "name", name=op.f("pk_journal_consumers")),
    )
    place_table(op, "journal_consumers")


def _create_journal_heads() -> None:
    op.create_table(
        "journal_heads",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_journal_heads")),
    )
    place_table(op, "journal_heads")


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


def _create_mail_links() -> None:
    op.create_table(
        "mail_links",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_mail_links")),
    )
    op.create_index("ix_mail_links_expires_at", "mail_links", ["expires_at"], unique=False)
    op.create_index("ix_mail_links_user_id", "mail_links", ["user_id"], unique=False)
    place_table(op, "mail_links", "hash", colocate=False)


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("recipient_key", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("org_id", sa.UUID(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_due_at", "mails", ["due_at"], unique=False)
    op.create_index("ix_mails_recipient_key", "mails", ["recipient_key", "created_at"], unique=False)
    place_table(op, "mails", "id", colocate=False)


def _create_oauth_clients() -> None:
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("owner_org_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("redirect_uris", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("grant_types", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("auth_method", sa.Text(), nullable=True),
        sa.Column("first_party", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("distribution", sa.Text(), server_default=sa.text("'org'"), nullable=False),
        sa.Column("install", sa.Text(), server_default=sa.text("'user'"), nullable=False),
        sa.Column("require_par", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("logo_uri", sa.Text(), nullable=True),
        sa.Column("client_uri", sa.Text(), nullable=True),
        sa.Column("run_as_user_id", sa.UUID(), nullable=True),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("secret_prefix", sa.Text(), nullable=True),
        sa.Column("previous_secret_hash", sa.LargeBinary(), nullable=True),
        sa.Column("previous_secret_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_clients")),
    )
    op.create_index("ix_oauth_clients_owner_org_id", "oauth_clients", ["owner_org_id", "id"], unique=False)
    place_table(op, "oauth_clients", None)


def _create_oauth_codes() -> None:
    op.create_table(
        "oauth_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("grant_id", sa.UUID(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("audience", postgresql.ARRAY(Text()), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("redirect_uri_given", sa.Boolean(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_codes")),
    )
    op.create_index("ix_oauth_codes_expires_at", "oauth_codes", ["expires_at"], unique=False)
    place_table(op, "oauth_codes", "hash", colocate=False)


def _create_oauth_device_codes() -> None:
    op.create_table(
        "oauth_device_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("audience", postgresql.ARRAY(Text()), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("org_id", sa.UUID(), nullable=True),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("grant_id", sa.UUID(), nullable=True),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("polled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("hasty", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_device_codes")),
    )
    op.create_index("ix_oauth_device_codes_expires_at", "oauth_device_codes", ["expires_at"], unique=False)
    op.create_index("ix_oauth_device_codes_user_code", "oauth_device_codes", ["user_code_hash"], unique=False)
    place_table(op, "oauth_device_codes", "hash", colocate=False)


def _create_oauth_grants() -> None:
    op.create_table(
        "oauth_grants",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("audience", postgresql.ARRAY(Text()), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_oauth_grants")),
    )
    op.create_index("ix_oauth_grants_app_id", "oauth_grants", ["org_id", "app_id"], unique=False)
    op.create_index("ix_oauth_grants_user_id", "oauth_grants", ["org_id", "user_id", "id"], unique=False)
    place_table(op, "oauth_grants")
    fence_table(op, "oauth_grants")


def _create_oauth_requests() -> None:
    op.create_table(
        "oauth_requests",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_oauth_requests")),
    )
    op.create_index("ix_oauth_requests_expires_at", "oauth_requests", ["expires_at"], unique=False)
    place_table(op, "oauth_requests", "hash", colocate=False)


def _create_object_definitions() -> None:
    op.create_table(
        "object_definitions",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("singular", sa.Text(), nullable=False),
        sa.Column("plural_label", sa.Text(), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("archived_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_object_definitions")),
    )
    op.create_index("uq_object_definitions_api_name", "object_definitions", ["org_id", "api_name"], unique=True)
    op.create_index("uq_object_definitions_singular", "object_definitions", ["org_id", "singular"], unique=True)
    place_table(op, "object_definitions")
    fence_table(op, "object_definitions")


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
        sa.Column("suppression_key", sa.LargeBinary(), nullable=True),
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


def _create_profiles() -> None:
    op.create_table(
        "profiles",
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
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("permissions", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_system", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_profiles")),
        info={"unreferenced": ("owner_id",)},
    )
    op.create_index("ix_profiles_created_at", "profiles", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_profiles_name", "profiles", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_profiles_owner_id", "profiles", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_profiles_search", "profiles", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_profiles_slot_date_1",
        "profiles",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_date_2",
        "profiles",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_date_3",
        "profiles",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_id_1", "profiles", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_10",
        "profiles",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_id_2", "profiles", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_3", "profiles", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_4", "profiles", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_5", "profiles", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_6", "profiles", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_7", "profiles", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_8", "profiles", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_id_9", "profiles", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_slot_number_1",
        "profiles",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_number_2",
        "profiles",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_number_3",
        "profiles",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_number_4",
        "profiles",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_number_5",
        "profiles",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_1",
        "profiles",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_2",
        "profiles",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_3",
        "profiles",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_4",
        "profiles",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_5",
        "profiles",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_6",
        "profiles",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_7",
        "profiles",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_text_8",
        "profiles",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_time_1",
        "profiles",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_time_2",
        "profiles",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_profiles_slot_time_3",
        "profiles",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_profiles_tags", "profiles", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_profiles_trigrams", "profiles", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_profiles_updated_at", "profiles", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_profiles_key", "profiles", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index("uq_profiles_name", "profiles", ["org_id", "name_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_profiles_slot_unique_1",
        "profiles",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_profiles_slot_unique_2",
        "profiles",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_profiles_slot_unique_3",
        "profiles",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_profiles_slot_unique_4",
        "profiles",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_profiles_slot_unique_5",
        "profiles",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "profiles")
    fence_table(op, "profiles")


def _create_recent_items() -> None:
    op.create_table(
        "recent_items",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("viewed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "user_id", "object", "record_id", name=op.f("pk_recent_items")),
    )
    op.create_index("ix_recent_items_viewed_at", "recent_items", ["org_id", "user_id", "viewed_at"], unique=False)
    place_table(op, "recent_items")
    fence_table(op, "recent_items")


def _create_record_shares() -> None:
    op.create_table(
        "record_shares",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("grantee_id", sa.UUID(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("grantee_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "object", "grantee_id", "record_id", "grantee_type", "source", name=op.f("pk_record_shares")),
    )
    op.create_index("ix_record_shares_record_id", "record_shares", ["org_id", "record_id"], unique=False)
    op.create_index("uq_record_shares_id", "record_shares", ["org_id", "id"], unique=True)
    place_table(op, "record_shares")
    fence_table(op, "record_shares")


def _create_recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("pk_recovery_codes")),
    )
    place_table(op, "recovery_codes", "user_id", colocate=False)


def _create_roles() -> None:
    op.create_table(
        "roles",
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
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "parent_id"], ["roles.org_id", "roles.id"], name="fk_roles_parent_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_roles")),
        info={"unreferenced": ("owner_id",)},
    )
    op.create_index("ix_roles_created_at", "roles", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_roles_name", "roles", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_roles_owner_id", "roles", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_roles_parent_id", "roles", ["org_id", "parent_id", "id"], unique=False)
    op.create_index("ix_roles_search", "roles", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_roles_slot_date_1", "roles", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_date_2", "roles", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_date_3", "roles", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_1", "roles", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_10", "roles", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_2", "roles", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_3", "roles", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_4", "roles", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_5", "roles", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_6", "roles", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_7", "roles", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_8", "roles", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_id_9", "roles", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_number_1",
        "roles",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_roles_slot_number_2",
        "roles",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_roles_slot_number_3",
        "roles",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_roles_slot_number_4",
        "roles",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_roles_slot_number_5",
        "roles",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_roles_slot_text_1", "roles", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_2", "roles", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_3", "roles", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_4", "roles", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_5", "roles", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_6", "roles", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_7", "roles", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_text_8", "roles", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_time_1", "roles", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_time_2", "roles", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_roles_slot_time_3", "roles", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_roles_tags", "roles", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_roles_trigrams", "roles", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_roles_updated_at", "roles", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_roles_name", "roles", ["org_id", "name_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_roles_slot_unique_1",
        "roles",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_roles_slot_unique_2",
        "roles",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_roles_slot_unique_3",
        "roles",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_roles_slot_unique_4",
        "roles",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_roles_slot_unique_5",
        "roles",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "roles")
    fence_table(op, "roles")


def _create_sandboxes() -> None:
    op.create_table(
        "sandboxes",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("copy", sa.Text(), nullable=False),
        sa.Column("mask", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("sample_size", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'making'"), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("refreshed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_sandboxes")),
    )
    op.create_index("ix_sandboxes_created_at", "sandboxes", ["org_id", "created_at"], unique=False)
    place_table(op, "sandboxes")
    fence_table(op, "sandboxes")


def _create_schema_versions() -> None:
    op.create_table(
        "schema_versions",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("schema", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "version", name=op.f("pk_schema_versions")),
    )
    place_table(op, "schema_versions")
    fence_table(op, "schema_versions")


def _create_second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    place_table(op, "second_factors", "user_id", colocate=False)


def _create_session_devices() -> None:
    op.create_table(
        "session_devices",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", name=op.f("pk_session_devices")),
    )
    place_table(op, "session_devices", "user_id", colocate=False)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id", "id"], unique=False)
    place_table(op, "sessions", "hash", colocate=False)


def _create_stage_changes() -> None:
    op.create_table(
        "stage_changes",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("from_stage_id", sa.UUID(), nullable=True),
        sa.Column("to_stage_id", sa.UUID(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=True),
        sa.Column("actor", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_stage_changes")),
    )
    op.create_index("ix_stage_changes_from_stage_id", "stage_changes", ["org_id", "from_stage_id"], unique=False)
    op.create_index("ix_stage_changes_record_id", "stage_changes", ["org_id", "object", "record_id", "at"], unique=False)
    op.create_index("ix_stage_changes_to_stage_id", "stage_changes", ["org_id", "to_stage_id"], unique=False)
    place_table(op, "stage_changes")
    fence_table(op, "stage_changes")


def _create_suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "kind", "digest", name=op.f("pk_suppressions")),
    )
    place_table(op, "suppressions")
    fence_table(op, "suppressions")


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
        sa.Column("kind", sa.Text(), server_default=sa.text("'personal'"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(Text()), nullable=False),
        sa.Column("fields", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("networks", postgresql.ARRAY(Text()), nullable=True),
        sa.Column("maker_id", sa.UUID(), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=True),
        sa.Column("app_id", sa.UUID(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("preferences", sa.Text(), nullable=True),
        sa.Column("user_suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("audience", postgresql.ARRAY(Text()), nullable=True),
        sa.Column("parent", sa.LargeBinary(), nullable=True),
        sa.Column("used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tokens")),
    )
    op.create_index("ix_tokens_app_id", "tokens", ["app_id"], unique=False, postgresql_where=sa.text("app_id IS NOT NULL"))
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


def _create_webhook_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("delivery_id", sa.UUID(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("status_code", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("timings", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("request_bytes", sa.Integer(), nullable=False),
        sa.Column("response_headers", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("truncated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook_attempts")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["org_id", "delivery_id", "id"], unique=False)
    op.create_index("ix_webhook_attempts_endpoint_id", "webhook_attempts", ["org_id", "endpoint_id", "id"], unique=False)
    place_table(op, "webhook_attempts")
    fence_table(op, "webhook_attempts")


def _create_webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_attempt_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("status_code", sa.SmallInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook_deliveries")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_webhook_deliveries_endpoint_id", "webhook_deliveries", ["org_id", "endpoint_id", "id"], unique=False)
    op.create_index("ix_webhook_deliveries_event_id", "webhook_deliveries", ["org_id", "event_id"], unique=False)
    op.create_index("ix_webhook_deliveries_status", "webhook_deliveries", ["org_id", "status", "id"], unique=False)
    place_table(op, "webhook_deliveries")
    fence_table(op, "webhook_deliveries")


def _create_webhook_due() -> None:
    op.create_table(
        "webhook_due",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "endpoint_id", name=op.f("pk_webhook_due")),
    )
    op.create_index("ix_webhook_due_due_at", "webhook_due", ["org_id", "due_at"], unique=False)
    place_table(op, "webhook_due")


def _create_webhook_queue() -> None:
    op.create_table(
        "webhook_queue",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("events", postgresql.ARRAY(UUID()), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("manual", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("batch_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook_queue")),
    )
    op.create_index(
        "ix_webhook_queue_again",
        "webhook_queue",
        ["org_id", "endpoint_id", "due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("attempts > 0"),
    )
    op.create_index(
        "ix_webhook_queue_first",
        "webhook_queue",
        ["org_id", "endpoint_id", "due_at", "seq"],
        unique=False,
        postgresql_where=sa.text("attempts = 0"),
    )
    op.create_index("ix_webhook_queue_record_id", "webhook_queue", ["org_id", "endpoint_id", "record_id"], unique=False)
    op.create_index("ix_webhook_queue_seq", "webhook_queue", ["org_id", "endpoint_id", "seq"], unique=False)
    place_table(op, "webhook_queue")
    fence_table(op, "webhook_queue")


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
        sa.Column("kind", sa.Text(), server_default=sa.text("'person'"), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("role_id", sa.UUID(), nullable=True),
        sa.Column("manager_id", sa.UUID(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("email_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "manager_id"], ["members.org_id", "members.id"], name="fk_members_manager_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_members_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "profile_id"], ["profiles.org_id", "profiles.id"], name="fk_members_profile_id"),
        sa.ForeignKeyConstraint(["org_id", "role_id"], ["roles.org_id", "roles.id"], name="fk_members_role_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_members")),
    )
    op.create_index("ix_members_created_at", "members", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_members_email", "members", ["org_id", "email_key", "id"], unique=False)
    op.create_index("ix_members_manager_id", "members", ["org_id", "manager_id", "id"], unique=False)
    op.create_index("ix_members_name", "members", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_members_owner_id", "members", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_members_profile_id", "members", ["org_id", "profile_id", "id"], unique=False)
    op.create_index("ix_members_role_id", "members", ["org_id", "role_id", "id"], unique=False)
    op.create_index("ix_members_search", "members", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_members_slot_date_1",
        "members",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_date_2",
        "members",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_date_3",
        "members",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_id_1", "members", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_10", "members", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_2", "members", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_3", "members", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_4", "members", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_5", "members", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_6", "members", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_7", "members", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_8", "members", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_id_9", "members", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_members_slot_number_1",
        "members",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_number_2",
        "members",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_number_3",
        "members",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_number_4",
        "members",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_number_5",
        "members",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_1",
        "members",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_2",
        "members",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_3",
        "members",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_4",
        "members",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_5",
        "members",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_6",
        "members",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_7",
        "members",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_text_8",
        "members",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_time_1",
        "members",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_time_2",
        "members",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_members_slot_time_3",
        "members",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_members_tags", "members", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_members_trigrams", "members", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_members_updated_at", "members", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_members_email", "members", ["org_id", "email_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_members_slot_unique_1",
        "members",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_members_slot_unique_2",
        "members",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_members_slot_unique_3",
        "members",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_members_slot_unique_4",
        "members",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_members_slot_unique_5",
        "members",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "members")
    fence_table(op, "members")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("domain_key", sa.Text(collation="C"), nullable=True),
        sa.Column("website_key", sa.Text(collation="C"), nullable=True),
        sa.Column("phone_key", sa.Text(collation="C"), nullable=True),
        sa.Column("industry_key", sa.Text(collation="C"), nullable=True),
        sa.Column("annual_revenue_base", sa.Numeric(), nullable=True),
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
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
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
    op.create_index(
        "ix_accounts_slot_date_1",
        "accounts",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_date_2",
        "accounts",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_date_3",
        "accounts",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_id_1", "accounts", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_10",
        "accounts",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_id_2", "accounts", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_3", "accounts", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_4", "accounts", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_5", "accounts", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_6", "accounts", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_7", "accounts", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_8", "accounts", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_id_9", "accounts", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_slot_number_1",
        "accounts",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_number_2",
        "accounts",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_number_3",
        "accounts",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_number_4",
        "accounts",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_number_5",
        "accounts",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_1",
        "accounts",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_2",
        "accounts",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_3",
        "accounts",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_4",
        "accounts",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_5",
        "accounts",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_6",
        "accounts",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_7",
        "accounts",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_text_8",
        "accounts",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_time_1",
        "accounts",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_time_2",
        "accounts",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_slot_time_3",
        "accounts",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_accounts_tags", "accounts", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_accounts_trigrams", "accounts", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_accounts_updated_at", "accounts", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_accounts_domain", "accounts", ["org_id", "domain_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_accounts_slot_unique_1",
        "accounts",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_slot_unique_2",
        "accounts",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_slot_unique_3",
        "accounts",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_slot_unique_4",
        "accounts",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_accounts_slot_unique_5",
        "accounts",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "accounts")
    fence_table(op, "accounts")


def _create_connections() -> None:
    op.create_table(
        "connections",
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
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=True),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("header_name", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("token_url", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'no_secret'"), nullable=False),
        sa.Column("has_secret", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("secret_set_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tested_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("provider_key", sa.Text(collation="C"), nullable=True),
        sa.Column("base_url_key", sa.Text(collation="C"), nullable=True),
        sa.Column("host_key", sa.Text(collation="C"), nullable=True),
        sa.Column("username_key", sa.Text(collation="C"), nullable=True),
        sa.Column("header_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("client_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("token_url_key", sa.Text(collation="C"), nullable=True),
        sa.Column("last_error_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_connections_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_connections")),
    )
    op.create_index("ix_connections_created_at", "connections", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_connections_name", "connections", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_connections_owner_id", "connections", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_connections_provider", "connections", ["org_id", "provider_key", "id"], unique=False)
    op.create_index("ix_connections_search", "connections", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_connections_slot_date_1",
        "connections",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_date_2",
        "connections",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_date_3",
        "connections",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_1",
        "connections",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_10",
        "connections",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_2",
        "connections",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_3",
        "connections",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_4",
        "connections",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_5",
        "connections",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_6",
        "connections",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_7",
        "connections",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_8",
        "connections",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_id_9",
        "connections",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_number_1",
        "connections",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_number_2",
        "connections",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_number_3",
        "connections",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_number_4",
        "connections",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_number_5",
        "connections",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_1",
        "connections",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_2",
        "connections",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_3",
        "connections",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_4",
        "connections",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_5",
        "connections",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_6",
        "connections",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_7",
        "connections",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_text_8",
        "connections",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_time_1",
        "connections",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_time_2",
        "connections",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_connections_slot_time_3",
        "connections",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_connections_status", "connections", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_connections_tags", "connections", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_connections_trigrams", "connections", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_connections_type", "connections", ["org_id", "type", "id"], unique=False)
    op.create_index("ix_connections_updated_at", "connections", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_connections_name", "connections", ["org_id", "name_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_connections_slot_unique_1",
        "connections",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_connections_slot_unique_2",
        "connections",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_connections_slot_unique_3",
        "connections",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_connections_slot_unique_4",
        "connections",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_connections_slot_unique_5",
        "connections",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "connections")
    fence_table(op, "connections")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_contact_roles_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_contact_roles")),
    )
    op.create_index("ix_contact_roles_created_at", "contact_roles", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_contact_roles_owner_id", "contact_roles", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_contact_roles_position", "contact_roles", ["org_id", "position", "id"], unique=False)
    op.create_index(
        "ix_contact_roles_slot_date_1",
        "contact_roles",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_date_2",
        "contact_roles",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_date_3",
        "contact_roles",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_1",
        "contact_roles",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_10",
        "contact_roles",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_2",
        "contact_roles",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_3",
        "contact_roles",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_4",
        "contact_roles",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_5",
        "contact_roles",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_6",
        "contact_roles",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_7",
        "contact_roles",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_8",
        "contact_roles",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_id_9",
        "contact_roles",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_number_1",
        "contact_roles",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_number_2",
        "contact_roles",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_number_3",
        "contact_roles",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_number_4",
        "contact_roles",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_number_5",
        "contact_roles",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_1",
        "contact_roles",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_2",
        "contact_roles",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_3",
        "contact_roles",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_4",
        "contact_roles",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_5",
        "contact_roles",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_6",
        "contact_roles",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_7",
        "contact_roles",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_text_8",
        "contact_roles",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_time_1",
        "contact_roles",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_time_2",
        "contact_roles",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_roles_slot_time_3",
        "contact_roles",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_contact_roles_tags", "contact_roles", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_contact_roles_updated_at", "contact_roles", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_contact_roles_key", "contact_roles", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_contact_roles_slot_unique_1",
        "contact_roles",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contact_roles_slot_unique_2",
        "contact_roles",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contact_roles_slot_unique_3",
        "contact_roles",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contact_roles_slot_unique_4",
        "contact_roles",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contact_roles_slot_unique_5",
        "contact_roles",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "contact_roles")
    fence_table(op, "contact_roles")


def _create_custom_links() -> None:
    op.create_table(
        "custom_links",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url_template", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), server_default=sa.text("'detail'"), nullable=False),
        sa.Column("opens_in", sa.Text(), server_default=sa.text("'new'"), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("url_template_key", sa.Text(collation="C"), nullable=True),
        sa.Column("profile_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_custom_links_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_custom_links")),
    )
    op.create_index("ix_custom_links_applies_to", "custom_links", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_custom_links_created_at", "custom_links", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_custom_links_name", "custom_links", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_custom_links_owner_id", "custom_links", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_custom_links_placement", "custom_links", ["org_id", "placement", "id"], unique=False)
    op.create_index("ix_custom_links_position", "custom_links", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_custom_links_search", "custom_links", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_custom_links_slot_date_1",
        "custom_links",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_date_2",
        "custom_links",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_date_3",
        "custom_links",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_1",
        "custom_links",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_10",
        "custom_links",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_2",
        "custom_links",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_3",
        "custom_links",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_4",
        "custom_links",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_5",
        "custom_links",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_6",
        "custom_links",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_7",
        "custom_links",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_8",
        "custom_links",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_id_9",
        "custom_links",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_number_1",
        "custom_links",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_number_2",
        "custom_links",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_number_3",
        "custom_links",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_number_4",
        "custom_links",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_number_5",
        "custom_links",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_1",
        "custom_links",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_2",
        "custom_links",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_3",
        "custom_links",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_4",
        "custom_links",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_5",
        "custom_links",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_6",
        "custom_links",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_7",
        "custom_links",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_text_8",
        "custom_links",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_time_1",
        "custom_links",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_time_2",
        "custom_links",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_links_slot_time_3",
        "custom_links",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_custom_links_tags", "custom_links", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_custom_links_trigrams", "custom_links", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_custom_links_updated_at", "custom_links", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_custom_links_slot_unique_1",
        "custom_links",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_links_slot_unique_2",
        "custom_links",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_links_slot_unique_3",
        "custom_links",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_links_slot_unique_4",
        "custom_links",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_links_slot_unique_5",
        "custom_links",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "custom_links")
    fence_table(op, "custom_links")


def _create_custom_records() -> None:
    op.create_table(
        "custom_records",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("deleted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("updated_by", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_custom_records_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_custom_records")),
    )
    op.create_index("ix_custom_records_created_at", "custom_records", ["org_id", "object", "created_at", "id"], unique=False)
    op.create_index("ix_custom_records_owner_id", "custom_records", ["org_id", "object", "owner_id", "id"], unique=False)
    op.create_index("ix_custom_records_search", "custom_records", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_custom_records_slot_date_1",
        "custom_records",
        ["org_id", "object", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_date_2",
        "custom_records",
        ["org_id", "object", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_date_3",
        "custom_records",
        ["org_id", "object", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_1",
        "custom_records",
        ["org_id", "object", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_10",
        "custom_records",
        ["org_id", "object", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_2",
        "custom_records",
        ["org_id", "object", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_3",
        "custom_records",
        ["org_id", "object", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_4",
        "custom_records",
        ["org_id", "object", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_5",
        "custom_records",
        ["org_id", "object", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_6",
        "custom_records",
        ["org_id", "object", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_7",
        "custom_records",
        ["org_id", "object", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_8",
        "custom_records",
        ["org_id", "object", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_id_9",
        "custom_records",
        ["org_id", "object", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_number_1",
        "custom_records",
        ["org_id", "object", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_number_2",
        "custom_records",
        ["org_id", "object", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_number_3",
        "custom_records",
        ["org_id", "object", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_number_4",
        "custom_records",
        ["org_id", "object", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_number_5",
        "custom_records",
        ["org_id", "object", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_1",
        "custom_records",
        ["org_id", "object", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_2",
        "custom_records",
        ["org_id", "object", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_3",
        "custom_records",
        ["org_id", "object", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_4",
        "custom_records",
        ["org_id", "object", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_5",
        "custom_records",
        ["org_id", "object", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_6",
        "custom_records",
        ["org_id", "object", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_7",
        "custom_records",
        ["org_id", "object", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_text_8",
        "custom_records",
        ["org_id", "object", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_time_1",
        "custom_records",
        ["org_id", "object", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_time_2",
        "custom_records",
        ["org_id", "object", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_custom_records_slot_time_3",
        "custom_records",
        ["org_id", "object", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_custom_records_tags", "custom_records", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_custom_records_trigrams", "custom_records", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_custom_records_updated_at", "custom_records", ["org_id", "object", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_custom_records_slot_unique_1",
        "custom_records",
        ["org_id", "object", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_records_slot_unique_2",
        "custom_records",
        ["org_id", "object", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_records_slot_unique_3",
        "custom_records",
        ["org_id", "object", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_records_slot_unique_4",
        "custom_records",
        ["org_id", "object", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_records_slot_unique_5",
        "custom_records",
        ["org_id", "object", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "custom_records")
    fence_table(op, "custom_records")


def _create_exchange_rates() -> None:
    op.create_table(
        "exchange_rates",
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
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("base_currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_exchange_rates_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_exchange_rates")),
    )
    op.create_index("ix_exchange_rates_created_at", "exchange_rates", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_exchange_rates_owner_id", "exchange_rates", ["org_id", "owner_id", "id"], unique=False)
    op.create_index(
        "ix_exchange_rates_slot_date_1",
        "exchange_rates",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_date_2",
        "exchange_rates",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_date_3",
        "exchange_rates",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_1",
        "exchange_rates",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_10",
        "exchange_rates",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_2",
        "exchange_rates",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_3",
        "exchange_rates",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_4",
        "exchange_rates",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_5",
        "exchange_rates",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_6",
        "exchange_rates",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_7",
        "exchange_rates",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_8",
        "exchange_rates",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_id_9",
        "exchange_rates",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_number_1",
        "exchange_rates",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_number_2",
        "exchange_rates",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_number_3",
        "exchange_rates",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_number_4",
        "exchange_rates",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_number_5",
        "exchange_rates",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_1",
        "exchange_rates",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_2",
        "exchange_rates",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_3",
        "exchange_rates",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_4",
        "exchange_rates",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_5",
        "exchange_rates",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_6",
        "exchange_rates",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_7",
        "exchange_rates",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_text_8",
        "exchange_rates",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_time_1",
        "exchange_rates",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_time_2",
        "exchange_rates",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_exchange_rates_slot_time_3",
        "exchange_rates",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_exchange_rates_tags", "exchange_rates", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_exchange_rates_updated_at", "exchange_rates", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("ix_exchange_rates_valid_from", "exchange_rates", ["org_id", "valid_from", "id"], unique=False)
    op.create_index(
        "uq_exchange_rates_currency",
        "exchange_rates",
        ["org_id", "currency", "base_currency", "valid_from"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_exchange_rates_slot_unique_1",
        "exchange_rates",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_exchange_rates_slot_unique_2",
        "exchange_rates",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_exchange_rates_slot_unique_3",
        "exchange_rates",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_exchange_rates_slot_unique_4",
        "exchange_rates",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_exchange_rates_slot_unique_5",
        "exchange_rates",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "exchange_rates")
    fence_table(op, "exchange_rates")


def _create_layouts() -> None:
    op.create_table(
        "layouts",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), server_default=sa.text("'detail'"), nullable=False),
        sa.Column("profile_id", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sections", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("related_lists", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("canvas", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("profile_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_layouts_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_layouts")),
    )
    op.create_index("ix_layouts_applies_to", "layouts", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_layouts_created_at", "layouts", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_layouts_name", "layouts", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_layouts_owner_id", "layouts", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_layouts_search", "layouts", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_layouts_slot_date_1",
        "layouts",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_date_2",
        "layouts",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_date_3",
        "layouts",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_id_1", "layouts", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_10", "layouts", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_2", "layouts", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_3", "layouts", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_4", "layouts", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_5", "layouts", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_6", "layouts", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_7", "layouts", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_8", "layouts", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_id_9", "layouts", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_layouts_slot_number_1",
        "layouts",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_number_2",
        "layouts",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_number_3",
        "layouts",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_number_4",
        "layouts",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_number_5",
        "layouts",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_1",
        "layouts",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_2",
        "layouts",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_3",
        "layouts",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_4",
        "layouts",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_5",
        "layouts",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_6",
        "layouts",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_7",
        "layouts",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_text_8",
        "layouts",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_time_1",
        "layouts",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_time_2",
        "layouts",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_layouts_slot_time_3",
        "layouts",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_layouts_tags", "layouts", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_layouts_trigrams", "layouts", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_layouts_updated_at", "layouts", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_layouts_slot_unique_1",
        "layouts",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_layouts_slot_unique_2",
        "layouts",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_layouts_slot_unique_3",
        "layouts",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_layouts_slot_unique_4",
        "layouts",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_layouts_slot_unique_5",
        "layouts",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "layouts")
    fence_table(op, "layouts")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_lead_statuses_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_lead_statuses")),
    )
    op.create_index("ix_lead_statuses_created_at", "lead_statuses", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_lead_statuses_owner_id", "lead_statuses", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_lead_statuses_position", "lead_statuses", ["org_id", "position", "id"], unique=False)
    op.create_index(
        "ix_lead_statuses_slot_date_1",
        "lead_statuses",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_date_2",
        "lead_statuses",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_date_3",
        "lead_statuses",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_1",
        "lead_statuses",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_10",
        "lead_statuses",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_2",
        "lead_statuses",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_3",
        "lead_statuses",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_4",
        "lead_statuses",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_5",
        "lead_statuses",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_6",
        "lead_statuses",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_7",
        "lead_statuses",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_8",
        "lead_statuses",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_id_9",
        "lead_statuses",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_number_1",
        "lead_statuses",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_number_2",
        "lead_statuses",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_number_3",
        "lead_statuses",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_number_4",
        "lead_statuses",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_number_5",
        "lead_statuses",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_1",
        "lead_statuses",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_2",
        "lead_statuses",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_3",
        "lead_statuses",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_4",
        "lead_statuses",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_5",
        "lead_statuses",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_6",
        "lead_statuses",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_7",
        "lead_statuses",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_text_8",
        "lead_statuses",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_time_1",
        "lead_statuses",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_time_2",
        "lead_statuses",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lead_statuses_slot_time_3",
        "lead_statuses",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_lead_statuses_tags", "lead_statuses", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_lead_statuses_updated_at", "lead_statuses", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_lead_statuses_key", "lead_statuses", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_lead_statuses_slot_unique_1",
        "lead_statuses",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lead_statuses_slot_unique_2",
        "lead_statuses",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lead_statuses_slot_unique_3",
        "lead_statuses",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lead_statuses_slot_unique_4",
        "lead_statuses",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lead_statuses_slot_unique_5",
        "lead_statuses",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("key_key", sa.Text(collation="C"), nullable=True),
        sa.Column("label_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_lifecycle_stages_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_lifecycle_stages")),
    )
    op.create_index("ix_lifecycle_stages_created_at", "lifecycle_stages", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_lifecycle_stages_owner_id", "lifecycle_stages", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_lifecycle_stages_position", "lifecycle_stages", ["org_id", "position", "id"], unique=False)
    op.create_index(
        "ix_lifecycle_stages_slot_date_1",
        "lifecycle_stages",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_date_2",
        "lifecycle_stages",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_date_3",
        "lifecycle_stages",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_1",
        "lifecycle_stages",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_10",
        "lifecycle_stages",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_2",
        "lifecycle_stages",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_3",
        "lifecycle_stages",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_4",
        "lifecycle_stages",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_5",
        "lifecycle_stages",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_6",
        "lifecycle_stages",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_7",
        "lifecycle_stages",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_8",
        "lifecycle_stages",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_id_9",
        "lifecycle_stages",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_number_1",
        "lifecycle_stages",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_number_2",
        "lifecycle_stages",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_number_3",
        "lifecycle_stages",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_number_4",
        "lifecycle_stages",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_number_5",
        "lifecycle_stages",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_1",
        "lifecycle_stages",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_2",
        "lifecycle_stages",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_3",
        "lifecycle_stages",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_4",
        "lifecycle_stages",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_5",
        "lifecycle_stages",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_6",
        "lifecycle_stages",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_7",
        "lifecycle_stages",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_text_8",
        "lifecycle_stages",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_time_1",
        "lifecycle_stages",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_time_2",
        "lifecycle_stages",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_lifecycle_stages_slot_time_3",
        "lifecycle_stages",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_lifecycle_stages_tags", "lifecycle_stages", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_lifecycle_stages_updated_at", "lifecycle_stages", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_lifecycle_stages_key", "lifecycle_stages", ["org_id", "key_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_lifecycle_stages_slot_unique_1",
        "lifecycle_stages",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lifecycle_stages_slot_unique_2",
        "lifecycle_stages",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lifecycle_stages_slot_unique_3",
        "lifecycle_stages",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lifecycle_stages_slot_unique_4",
        "lifecycle_stages",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_lifecycle_stages_slot_unique_5",
        "lifecycle_stages",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "lifecycle_stages")
    fence_table(op, "lifecycle_stages")


def _create_navigation_menus() -> None:
    op.create_table(
        "navigation_menus",
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
        sa.Column("profile_id", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("entries", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("profile_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_navigation_menus_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_navigation_menus")),
    )
    op.create_index("ix_navigation_menus_created_at", "navigation_menus", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_navigation_menus_name", "navigation_menus", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_navigation_menus_owner_id", "navigation_menus", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_navigation_menus_search", "navigation_menus", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_navigation_menus_slot_date_1",
        "navigation_menus",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_date_2",
        "navigation_menus",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_date_3",
        "navigation_menus",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_1",
        "navigation_menus",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_10",
        "navigation_menus",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_2",
        "navigation_menus",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_3",
        "navigation_menus",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_4",
        "navigation_menus",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_5",
        "navigation_menus",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_6",
        "navigation_menus",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_7",
        "navigation_menus",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_8",
        "navigation_menus",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_id_9",
        "navigation_menus",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_number_1",
        "navigation_menus",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_number_2",
        "navigation_menus",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_number_3",
        "navigation_menus",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_number_4",
        "navigation_menus",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_number_5",
        "navigation_menus",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_1",
        "navigation_menus",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_2",
        "navigation_menus",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_3",
        "navigation_menus",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_4",
        "navigation_menus",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_5",
        "navigation_menus",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_6",
        "navigation_menus",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_7",
        "navigation_menus",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_text_8",
        "navigation_menus",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_time_1",
        "navigation_menus",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_time_2",
        "navigation_menus",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_navigation_menus_slot_time_3",
        "navigation_menus",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_navigation_menus_tags", "navigation_menus", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_navigation_menus_trigrams", "navigation_menus", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_navigation_menus_updated_at", "navigation_menus", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_navigation_menus_slot_unique_1",
        "navigation_menus",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_navigation_menus_slot_unique_2",
        "navigation_menus",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_navigation_menus_slot_unique_3",
        "navigation_menus",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_navigation_menus_slot_unique_4",
        "navigation_menus",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_navigation_menus_slot_unique_5",
        "navigation_menus",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "navigation_menus")
    fence_table(op, "navigation_menus")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("title_key", sa.Text(collation="C"), nullable=True),
        sa.Column("body_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_notes_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_created_at", "notes", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_notes_owner_id", "notes", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_notes_search", "notes", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_notes_slot_date_1", "notes", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_date_2", "notes", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_date_3", "notes", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_1", "notes", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_10", "notes", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_2", "notes", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_3", "notes", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_4", "notes", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_5", "notes", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_6", "notes", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_7", "notes", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_8", "notes", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_id_9", "notes", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_number_1",
        "notes",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_notes_slot_number_2",
        "notes",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_notes_slot_number_3",
        "notes",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_notes_slot_number_4",
        "notes",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_notes_slot_number_5",
        "notes",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_notes_slot_text_1", "notes", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_2", "notes", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_3", "notes", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_4", "notes", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_5", "notes", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_6", "notes", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_7", "notes", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_text_8", "notes", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_time_1", "notes", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_time_2", "notes", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_notes_slot_time_3", "notes", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_notes_tags", "notes", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_notes_title", "notes", ["org_id", "title_key", "id"], unique=False)
    op.create_index("ix_notes_trigrams", "notes", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_notes_updated_at", "notes", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_notes_slot_unique_1",
        "notes",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_notes_slot_unique_2",
        "notes",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_notes_slot_unique_3",
        "notes",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_notes_slot_unique_4",
        "notes",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_notes_slot_unique_5",
        "notes",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_pipelines_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_pipelines")),
    )
    op.create_index("ix_pipelines_created_at", "pipelines", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_pipelines_name", "pipelines", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_pipelines_owner_id", "pipelines", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_pipelines_search", "pipelines", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_pipelines_slot_date_1",
        "pipelines",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_date_2",
        "pipelines",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_date_3",
        "pipelines",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_1",
        "pipelines",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_10",
        "pipelines",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_2",
        "pipelines",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_3",
        "pipelines",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_4",
        "pipelines",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_5",
        "pipelines",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_6",
        "pipelines",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_7",
        "pipelines",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_8",
        "pipelines",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_id_9",
        "pipelines",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_number_1",
        "pipelines",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_number_2",
        "pipelines",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_number_3",
        "pipelines",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_number_4",
        "pipelines",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_number_5",
        "pipelines",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_1",
        "pipelines",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_2",
        "pipelines",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_3",
        "pipelines",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_4",
        "pipelines",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_5",
        "pipelines",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_6",
        "pipelines",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_7",
        "pipelines",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_text_8",
        "pipelines",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_time_1",
        "pipelines",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_time_2",
        "pipelines",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_pipelines_slot_time_3",
        "pipelines",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_pipelines_tags", "pipelines", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_pipelines_trigrams", "pipelines", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_pipelines_updated_at", "pipelines", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_pipelines_is_default", "pipelines", ["org_id", "applies_to"], unique=True, postgresql_where="is_default AND deleted_at IS NULL"
    )
    op.create_index(
        "uq_pipelines_slot_unique_1",
        "pipelines",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_pipelines_slot_unique_2",
        "pipelines",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_pipelines_slot_unique_3",
        "pipelines",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_pipelines_slot_unique_4",
        "pipelines",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_pipelines_slot_unique_5",
        "pipelines",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "pipelines")
    fence_table(op, "pipelines")


def _create_restriction_rules() -> None:
    op.create_table(
        "restriction_rules",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("restricts", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("criteria", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_restriction_rules_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_restriction_rules")),
    )
    op.create_index("ix_restriction_rules_applies_to", "restriction_rules", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_restriction_rules_created_at", "restriction_rules", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_restriction_rules_name", "restriction_rules", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_restriction_rules_owner_id", "restriction_rules", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_restriction_rules_search", "restriction_rules", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_restriction_rules_slot_date_1",
        "restriction_rules",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_date_2",
        "restriction_rules",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_date_3",
        "restriction_rules",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_1",
        "restriction_rules",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_10",
        "restriction_rules",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_2",
        "restriction_rules",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_3",
        "restriction_rules",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_4",
        "restriction_rules",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_5",
        "restriction_rules",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_6",
        "restriction_rules",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_7",
        "restriction_rules",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_8",
        "restriction_rules",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_id_9",
        "restriction_rules",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_number_1",
        "restriction_rules",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_number_2",
        "restriction_rules",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_number_3",
        "restriction_rules",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_number_4",
        "restriction_rules",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_number_5",
        "restriction_rules",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_1",
        "restriction_rules",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_2",
        "restriction_rules",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_3",
        "restriction_rules",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_4",
        "restriction_rules",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_5",
        "restriction_rules",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_6",
        "restriction_rules",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_7",
        "restriction_rules",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_text_8",
        "restriction_rules",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_time_1",
        "restriction_rules",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_time_2",
        "restriction_rules",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_restriction_rules_slot_time_3",
        "restriction_rules",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_restriction_rules_tags", "restriction_rules", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_restriction_rules_trigrams", "restriction_rules", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_restriction_rules_updated_at", "restriction_rules", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_restriction_rules_slot_unique_1",
        "restriction_rules",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_restriction_rules_slot_unique_2",
        "restriction_rules",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_restriction_rules_slot_unique_3",
        "restriction_rules",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_restriction_rules_slot_unique_4",
        "restriction_rules",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_restriction_rules_slot_unique_5",
        "restriction_rules",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "restriction_rules")
    fence_table(op, "restriction_rules")


def _create_retention_policies() -> None:
    op.create_table(
        "retention_policies",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("date_field", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), server_default=sa.text("'delete'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_run_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_run_count", sa.Integer(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_retention_policies_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_retention_policies")),
    )
    op.create_index("ix_retention_policies_applies_to", "retention_policies", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_retention_policies_created_at", "retention_policies", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_retention_policies_name", "retention_policies", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_retention_policies_owner_id", "retention_policies", ["org_id", "owner_id", "id"], unique=False)
    op.create_index(
        "ix_retention_policies_slot_date_1",
        "retention_policies",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_date_2",
        "retention_policies",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_date_3",
        "retention_policies",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_1",
        "retention_policies",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_10",
        "retention_policies",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_2",
        "retention_policies",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_3",
        "retention_policies",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_4",
        "retention_policies",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_5",
        "retention_policies",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_6",
        "retention_policies",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_7",
        "retention_policies",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_8",
        "retention_policies",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_id_9",
        "retention_policies",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_number_1",
        "retention_policies",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_number_2",
        "retention_policies",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_number_3",
        "retention_policies",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_number_4",
        "retention_policies",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_number_5",
        "retention_policies",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_1",
        "retention_policies",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_2",
        "retention_policies",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_3",
        "retention_policies",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_4",
        "retention_policies",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_5",
        "retention_policies",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_6",
        "retention_policies",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_7",
        "retention_policies",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_text_8",
        "retention_policies",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_time_1",
        "retention_policies",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_time_2",
        "retention_policies",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_retention_policies_slot_time_3",
        "retention_policies",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_retention_policies_tags", "retention_policies", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_retention_policies_updated_at", "retention_policies", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_retention_policies_name",
        "retention_policies",
        ["org_id", "name_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_retention_policies_slot_unique_1",
        "retention_policies",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_retention_policies_slot_unique_2",
        "retention_policies",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_retention_policies_slot_unique_3",
        "retention_policies",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_retention_policies_slot_unique_4",
        "retention_policies",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_retention_policies_slot_unique_5",
        "retention_policies",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "retention_policies")
    fence_table(op, "retention_policies")


def _create_segments() -> None:
    op.create_table(
        "segments",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'static'"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("filter", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("member_count", sa.Integer(), nullable=True),
        sa.Column("members_changed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_segments_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_segments")),
    )
    op.create_index("ix_segments_applies_to", "segments", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_segments_created_at", "segments", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_segments_name", "segments", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_segments_owner_id", "segments", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_segments_search", "segments", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_segments_slot_date_1",
        "segments",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_date_2",
        "segments",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_date_3",
        "segments",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_id_1", "segments", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_10",
        "segments",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_id_2", "segments", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_3", "segments", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_4", "segments", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_5", "segments", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_6", "segments", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_7", "segments", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_8", "segments", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_id_9", "segments", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_segments_slot_number_1",
        "segments",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_number_2",
        "segments",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_number_3",
        "segments",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_number_4",
        "segments",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_number_5",
        "segments",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_1",
        "segments",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_2",
        "segments",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_3",
        "segments",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_4",
        "segments",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_5",
        "segments",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_6",
        "segments",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_7",
        "segments",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_text_8",
        "segments",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_time_1",
        "segments",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_time_2",
        "segments",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_segments_slot_time_3",
        "segments",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_segments_tags", "segments", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_segments_trigrams", "segments", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_segments_updated_at", "segments", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_segments_slot_unique_1",
        "segments",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_segments_slot_unique_2",
        "segments",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_segments_slot_unique_3",
        "segments",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_segments_slot_unique_4",
        "segments",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_segments_slot_unique_5",
        "segments",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "segments")
    fence_table(op, "segments")


def _create_sharing_rules() -> None:
    op.create_table(
        "sharing_rules",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owned_by", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("criteria", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("share_with", postgresql.JSONB(astext_type=Text()), nullable=False),
        sa.Column("access", sa.Text(), server_default=sa.text("'read'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_sharing_rules_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_sharing_rules")),
    )
    op.create_index("ix_sharing_rules_applies_to", "sharing_rules", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_sharing_rules_created_at", "sharing_rules", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_sharing_rules_name", "sharing_rules", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_sharing_rules_owner_id", "sharing_rules", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_sharing_rules_search", "sharing_rules", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_sharing_rules_slot_date_1",
        "sharing_rules",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_date_2",
        "sharing_rules",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_date_3",
        "sharing_rules",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_1",
        "sharing_rules",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_10",
        "sharing_rules",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_2",
        "sharing_rules",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_3",
        "sharing_rules",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_4",
        "sharing_rules",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_5",
        "sharing_rules",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_6",
        "sharing_rules",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_7",
        "sharing_rules",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_8",
        "sharing_rules",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_id_9",
        "sharing_rules",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_number_1",
        "sharing_rules",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_number_2",
        "sharing_rules",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_number_3",
        "sharing_rules",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_number_4",
        "sharing_rules",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_number_5",
        "sharing_rules",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_1",
        "sharing_rules",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_2",
        "sharing_rules",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_3",
        "sharing_rules",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_4",
        "sharing_rules",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_5",
        "sharing_rules",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_6",
        "sharing_rules",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_7",
        "sharing_rules",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_text_8",
        "sharing_rules",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_time_1",
        "sharing_rules",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_time_2",
        "sharing_rules",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_rules_slot_time_3",
        "sharing_rules",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_sharing_rules_tags", "sharing_rules", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_sharing_rules_trigrams", "sharing_rules", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_sharing_rules_updated_at", "sharing_rules", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_sharing_rules_slot_unique_1",
        "sharing_rules",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sharing_rules_slot_unique_2",
        "sharing_rules",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sharing_rules_slot_unique_3",
        "sharing_rules",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sharing_rules_slot_unique_4",
        "sharing_rules",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_sharing_rules_slot_unique_5",
        "sharing_rules",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "sharing_rules")
    fence_table(op, "sharing_rules")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("subject_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "depends_on_id"], ["tasks.org_id", "tasks.id"], name="fk_tasks_depends_on_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_tasks_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_created_at", "tasks", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_tasks_depends_on_id", "tasks", ["org_id", "depends_on_id", "id"], unique=False)
    op.create_index("ix_tasks_due_at", "tasks", ["org_id", "due_at", "id"], unique=False)
    op.create_index("ix_tasks_owner_id", "tasks", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_tasks_search", "tasks", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_tasks_slot_date_1", "tasks", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_date_2", "tasks", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_date_3", "tasks", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_1", "tasks", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_10", "tasks", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_2", "tasks", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_3", "tasks", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_4", "tasks", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_5", "tasks", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_6", "tasks", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_7", "tasks", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_8", "tasks", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_id_9", "tasks", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_number_1",
        "tasks",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_slot_number_2",
        "tasks",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_slot_number_3",
        "tasks",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_slot_number_4",
        "tasks",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_slot_number_5",
        "tasks",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_slot_text_1", "tasks", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_2", "tasks", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_3", "tasks", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_4", "tasks", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_5", "tasks", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_6", "tasks", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_7", "tasks", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_text_8", "tasks", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_time_1", "tasks", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_time_2", "tasks", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_tasks_slot_time_3", "tasks", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_tasks_status", "tasks", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_tasks_subject", "tasks", ["org_id", "subject_key", "id"], unique=False)
    op.create_index("ix_tasks_tags", "tasks", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_tasks_trigrams", "tasks", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_tasks_updated_at", "tasks", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_tasks_slot_unique_1",
        "tasks",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tasks_slot_unique_2",
        "tasks",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tasks_slot_unique_3",
        "tasks",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tasks_slot_unique_4",
        "tasks",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_tasks_slot_unique_5",
        "tasks",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "tasks")
    fence_table(op, "tasks")


def _create_teams() -> None:
    op.create_table(
        "teams",
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
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_teams_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_teams")),
    )
    op.create_index("ix_teams_created_at", "teams", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_teams_name", "teams", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_teams_owner_id", "teams", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_teams_search", "teams", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_teams_slot_date_1", "teams", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_date_2", "teams", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_date_3", "teams", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_1", "teams", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_10", "teams", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_2", "teams", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_3", "teams", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_4", "teams", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_5", "teams", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_6", "teams", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_7", "teams", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_8", "teams", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_id_9", "teams", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_number_1",
        "teams",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_teams_slot_number_2",
        "teams",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_teams_slot_number_3",
        "teams",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_teams_slot_number_4",
        "teams",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_teams_slot_number_5",
        "teams",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_teams_slot_text_1", "teams", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_2", "teams", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_3", "teams", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_4", "teams", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_5", "teams", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_6", "teams", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_7", "teams", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_text_8", "teams", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_time_1", "teams", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_time_2", "teams", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_teams_slot_time_3", "teams", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_teams_tags", "teams", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_teams_trigrams", "teams", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_teams_updated_at", "teams", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_teams_name", "teams", ["org_id", "name_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_teams_slot_unique_1",
        "teams",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_teams_slot_unique_2",
        "teams",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_teams_slot_unique_3",
        "teams",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_teams_slot_unique_4",
        "teams",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_teams_slot_unique_5",
        "teams",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "teams")
    fence_table(op, "teams")


def _create_territories() -> None:
    op.create_table(
        "territories",
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
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("rules", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("access", sa.Text(), server_default=sa.text("'read'"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_territories_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "parent_id"], ["territories.org_id", "territories.id"], name="fk_territories_parent_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_territories")),
    )
    op.create_index("ix_territories_created_at", "territories", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_territories_name", "territories", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_territories_owner_id", "territories", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_territories_parent_id", "territories", ["org_id", "parent_id", "id"], unique=False)
    op.create_index("ix_territories_position", "territories", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_territories_search", "territories", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_territories_slot_date_1",
        "territories",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_date_2",
        "territories",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_date_3",
        "territories",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_1",
        "territories",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_10",
        "territories",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_2",
        "territories",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_3",
        "territories",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_4",
        "territories",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_5",
        "territories",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_6",
        "territories",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_7",
        "territories",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_8",
        "territories",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_id_9",
        "territories",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_number_1",
        "territories",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_number_2",
        "territories",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_number_3",
        "territories",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_number_4",
        "territories",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_number_5",
        "territories",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_1",
        "territories",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_2",
        "territories",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_3",
        "territories",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_4",
        "territories",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_5",
        "territories",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_6",
        "territories",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_7",
        "territories",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_text_8",
        "territories",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_time_1",
        "territories",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_time_2",
        "territories",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_territories_slot_time_3",
        "territories",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_territories_tags", "territories", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_territories_trigrams", "territories", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_territories_updated_at", "territories", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_territories_name", "territories", ["org_id", "name_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "uq_territories_slot_unique_1",
        "territories",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_territories_slot_unique_2",
        "territories",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_territories_slot_unique_3",
        "territories",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_territories_slot_unique_4",
        "territories",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_territories_slot_unique_5",
        "territories",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "territories")
    fence_table(op, "territories")


def _create_themes() -> None:
    op.create_table(
        "themes",
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
        sa.Column("profile_id", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("mode", sa.Text(), server_default=sa.text("'auto'"), nullable=False),
        sa.Column("density", sa.Text(), server_default=sa.text("'comfortable'"), nullable=False),
        sa.Column("colors", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("profile_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("logo_url_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_themes_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_themes")),
    )
    op.create_index("ix_themes_created_at", "themes", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_themes_name", "themes", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_themes_owner_id", "themes", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_themes_search", "themes", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_themes_slot_date_1",
        "themes",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_date_2",
        "themes",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_date_3",
        "themes",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_id_1", "themes", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_10", "themes", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_2", "themes", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_3", "themes", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_4", "themes", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_5", "themes", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_6", "themes", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_7", "themes", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_8", "themes", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_id_9", "themes", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_themes_slot_number_1",
        "themes",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_number_2",
        "themes",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_number_3",
        "themes",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_number_4",
        "themes",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_number_5",
        "themes",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_1",
        "themes",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_2",
        "themes",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_3",
        "themes",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_4",
        "themes",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_5",
        "themes",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_6",
        "themes",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_7",
        "themes",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_text_8",
        "themes",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_time_1",
        "themes",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_time_2",
        "themes",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_themes_slot_time_3",
        "themes",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_themes_tags", "themes", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_themes_trigrams", "themes", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_themes_updated_at", "themes", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_themes_slot_unique_1",
        "themes",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_themes_slot_unique_2",
        "themes",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_themes_slot_unique_3",
        "themes",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_themes_slot_unique_4",
        "themes",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_themes_slot_unique_5",
        "themes",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "themes")
    fence_table(op, "themes")


def _create_views() -> None:
    op.create_table(
        "views",
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
        sa.Column("applies_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'list'"), nullable=False),
        sa.Column("visibility", sa.Text(), server_default=sa.text("'private'"), nullable=False),
        sa.Column("shared_with", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("columns", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("sort", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("criteria", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=True),
        sa.Column("group_by", sa.Text(), nullable=True),
        sa.Column("sums", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "column_settings", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("pattern_key", sa.Text(collation="C"), nullable=True),
        sa.Column("group_by_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_views_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_views")),
    )
    op.create_index("ix_views_applies_to", "views", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_views_created_at", "views", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_views_name", "views", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_views_owner_id", "views", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_views_search", "views", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_views_slot_date_1", "views", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_date_2", "views", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_date_3", "views", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_1", "views", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_10", "views", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_2", "views", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_3", "views", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_4", "views", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_5", "views", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_6", "views", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_7", "views", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_8", "views", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_id_9", "views", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_number_1",
        "views",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_views_slot_number_2",
        "views",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_views_slot_number_3",
        "views",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_views_slot_number_4",
        "views",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_views_slot_number_5",
        "views",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_views_slot_text_1", "views", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_2", "views", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_3", "views", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_4", "views", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_5", "views", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_6", "views", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_7", "views", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_text_8", "views", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_time_1", "views", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_time_2", "views", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_views_slot_time_3", "views", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_views_tags", "views", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_views_trigrams", "views", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_views_updated_at", "views", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_views_slot_unique_1",
        "views",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_views_slot_unique_2",
        "views",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_views_slot_unique_3",
        "views",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_views_slot_unique_4",
        "views",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_views_slot_unique_5",
        "views",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "views")
    fence_table(op, "views")


def _create_webhook_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
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
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("event_types", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("filters", postgresql.JSONB(none_as_null=True, astext_type=Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("payload", sa.Text(), server_default=sa.text("'full'"), nullable=False),
        sa.Column("headers", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("rate_per_s", sa.Integer(), nullable=True),
        sa.Column("max_concurrency", sa.Integer(), server_default=sa.text("10"), nullable=False),
        sa.Column("ordering", sa.Text(), server_default=sa.text("'none'"), nullable=False),
        sa.Column("batch", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("debounce_s", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("exclude_own", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'enabled'"), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("acts_as", sa.Text(), server_default=sa.text("'organization'"), nullable=False),
        sa.Column("acting_user_id", sa.UUID(), nullable=True),
        sa.Column("app_id", sa.UUID(), nullable=True),
        sa.Column("grant_id", sa.UUID(), nullable=True),
        sa.Column("last_delivered_cursor", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("token_fields", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("token_id", sa.UUID(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("url_key", sa.Text(collation="C"), nullable=True),
        sa.Column("description_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_webhook_endpoints_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index("ix_webhook_endpoints_created_at", "webhook_endpoints", ["org_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_webhook_endpoints_grant_id", "webhook_endpoints", ["org_id", "grant_id"], unique=False, postgresql_where="grant_id IS NOT NULL"
    )
    op.create_index("ix_webhook_endpoints_owner_id", "webhook_endpoints", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_webhook_endpoints_search", "webhook_endpoints", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_webhook_endpoints_slot_date_1",
        "webhook_endpoints",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_date_2",
        "webhook_endpoints",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_date_3",
        "webhook_endpoints",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_1",
        "webhook_endpoints",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_10",
        "webhook_endpoints",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_2",
        "webhook_endpoints",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_3",
        "webhook_endpoints",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_4",
        "webhook_endpoints",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_5",
        "webhook_endpoints",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_6",
        "webhook_endpoints",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_7",
        "webhook_endpoints",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_8",
        "webhook_endpoints",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_id_9",
        "webhook_endpoints",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_number_1",
        "webhook_endpoints",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_number_2",
        "webhook_endpoints",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_number_3",
        "webhook_endpoints",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_number_4",
        "webhook_endpoints",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_number_5",
        "webhook_endpoints",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_1",
        "webhook_endpoints",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_2",
        "webhook_endpoints",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_3",
        "webhook_endpoints",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_4",
        "webhook_endpoints",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_5",
        "webhook_endpoints",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_6",
        "webhook_endpoints",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_7",
        "webhook_endpoints",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_text_8",
        "webhook_endpoints",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_time_1",
        "webhook_endpoints",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_time_2",
        "webhook_endpoints",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_webhook_endpoints_slot_time_3",
        "webhook_endpoints",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_webhook_endpoints_status", "webhook_endpoints", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_webhook_endpoints_tags", "webhook_endpoints", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_webhook_endpoints_trigrams", "webhook_endpoints", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_webhook_endpoints_updated_at", "webhook_endpoints", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_webhook_endpoints_slot_unique_1",
        "webhook_endpoints",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_webhook_endpoints_slot_unique_2",
        "webhook_endpoints",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_webhook_endpoints_slot_unique_3",
        "webhook_endpoints",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_webhook_endpoints_slot_unique_4",
        "webhook_endpoints",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_webhook_endpoints_slot_unique_5",
        "webhook_endpoints",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "webhook_endpoints")
    fence_table(op, "webhook_endpoints")


def _create_connection_secrets() -> None:
    op.create_table(
        "connection_secrets",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "connection_id"],
            ["connections.org_id", "connections.id"],
            name="fk_connection_secrets_connection_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "connection_id", name=op.f("pk_connection_secrets")),
    )
    place_table(op, "connection_secrets")
    fence_table(op, "connection_secrets")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
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
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
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
    op.create_index(
        "ix_contacts_slot_date_1",
        "contacts",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_date_2",
        "contacts",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_date_3",
        "contacts",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_id_1", "contacts", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_10",
        "contacts",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_id_2", "contacts", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_3", "contacts", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_4", "contacts", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_5", "contacts", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_6", "contacts", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_7", "contacts", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_8", "contacts", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_id_9", "contacts", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_contacts_slot_number_1",
        "contacts",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_number_2",
        "contacts",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_number_3",
        "contacts",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_number_4",
        "contacts",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_number_5",
        "contacts",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_1",
        "contacts",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_2",
        "contacts",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_3",
        "contacts",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_4",
        "contacts",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_5",
        "contacts",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_6",
        "contacts",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_7",
        "contacts",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_text_8",
        "contacts",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_time_1",
        "contacts",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_time_2",
        "contacts",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_contacts_slot_time_3",
        "contacts",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_contacts_tags", "contacts", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_contacts_trigrams", "contacts", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_contacts_updated_at", "contacts", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_contacts_email", "contacts", ["org_id", "email_key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
    op.create_index(
        "uq_contacts_slot_unique_1",
        "contacts",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contacts_slot_unique_2",
        "contacts",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contacts_slot_unique_3",
        "contacts",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contacts_slot_unique_4",
        "contacts",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_contacts_slot_unique_5",
        "contacts",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_stages_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "pipeline_id"], ["pipelines.org_id", "pipelines.id"], name="fk_stages_pipeline_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_stages")),
    )
    op.create_index("ix_stages_created_at", "stages", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_stages_owner_id", "stages", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_stages_pipeline_id", "stages", ["org_id", "pipeline_id", "id"], unique=False)
    op.create_index("ix_stages_position", "stages", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_stages_search", "stages", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_stages_slot_date_1",
        "stages",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_date_2",
        "stages",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_date_3",
        "stages",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_id_1", "stages", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_10", "stages", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_2", "stages", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_3", "stages", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_4", "stages", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_5", "stages", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_6", "stages", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_7", "stages", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_8", "stages", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_id_9", "stages", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_stages_slot_number_1",
        "stages",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_number_2",
        "stages",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_number_3",
        "stages",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_number_4",
        "stages",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_number_5",
        "stages",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_1",
        "stages",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_2",
        "stages",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_3",
        "stages",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_4",
        "stages",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_5",
        "stages",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_6",
        "stages",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_7",
        "stages",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_text_8",
        "stages",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_time_1",
        "stages",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_time_2",
        "stages",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_stages_slot_time_3",
        "stages",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_stages_tags", "stages", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_stages_trigrams", "stages", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_stages_updated_at", "stages", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_stages_slot_unique_1",
        "stages",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_stages_slot_unique_2",
        "stages",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_stages_slot_unique_3",
        "stages",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_stages_slot_unique_4",
        "stages",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_stages_slot_unique_5",
        "stages",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "stages")
    fence_table(op, "stages")


def _create_webhook_secrets() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "endpoint_id"],
            ["webhook_endpoints.org_id", "webhook_endpoints.id"],
            name="fk_webhook_secrets_endpoint_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_endpoint_id", "webhook_secrets", ["org_id", "endpoint_id", "id"], unique=False)
    place_table(op, "webhook_secrets")
    fence_table(op, "webhook_secrets")


def _create_webhook_states() -> None:
    op.create_table(
        "webhook_states",
        sa.Column("org_id", sa.UUID(), nullable=False),
        sa.Column("endpoint_id", sa.UUID(), nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("lease_id", sa.UUID(), nullable=True),
        sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("circuit", sa.Text(), server_default=sa.text("'closed'"), nullable=False),
        sa.Column("open_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("openings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("window_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("window_total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("window_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("told_failing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_success_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_failure_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "endpoint_id"],
            ["webhook_endpoints.org_id", "webhook_endpoints.id"],
            name="fk_webhook_states_endpoint_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "endpoint_id", name=op.f("pk_webhook_states")),
    )
    place_table(op, "webhook_states")
    fence_table(op, "webhook_states")


def _create_widgets() -> None:
    op.create_table(
        "widgets",
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
        sa.Column("type", sa.Text(), server_default=sa.text("'list'"), nullable=False),
        sa.Column("placement", sa.Text(), server_default=sa.text("'home'"), nullable=False),
        sa.Column("applies_to", sa.Text(), nullable=True),
        sa.Column("source_view_id", sa.UUID(), nullable=True),
        sa.Column("profile_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(none_as_null=True, astext_type=Text()), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("applies_to_key", sa.Text(collation="C"), nullable=True),
        sa.Column("profile_id_key", sa.Text(collation="C"), nullable=True),
        sa.Column("url_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_widgets_owner_id"),
        sa.ForeignKeyConstraint(["org_id", "source_view_id"], ["views.org_id", "views.id"], name="fk_widgets_source_view_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_widgets")),
    )
    op.create_index("ix_widgets_applies_to", "widgets", ["org_id", "applies_to_key", "id"], unique=False)
    op.create_index("ix_widgets_created_at", "widgets", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_widgets_name", "widgets", ["org_id", "name_key", "id"], unique=False)
    op.create_index("ix_widgets_owner_id", "widgets", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_widgets_placement", "widgets", ["org_id", "placement", "id"], unique=False)
    op.create_index("ix_widgets_position", "widgets", ["org_id", "position", "id"], unique=False)
    op.create_index("ix_widgets_search", "widgets", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_widgets_slot_date_1",
        "widgets",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_date_2",
        "widgets",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_date_3",
        "widgets",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_id_1", "widgets", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_10", "widgets", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_2", "widgets", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_3", "widgets", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_4", "widgets", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_5", "widgets", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_6", "widgets", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_7", "widgets", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_8", "widgets", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_id_9", "widgets", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_widgets_slot_number_1",
        "widgets",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_number_2",
        "widgets",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_number_3",
        "widgets",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_number_4",
        "widgets",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_number_5",
        "widgets",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_1",
        "widgets",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_2",
        "widgets",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_3",
        "widgets",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_4",
        "widgets",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_5",
        "widgets",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_6",
        "widgets",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_7",
        "widgets",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_text_8",
        "widgets",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_time_1",
        "widgets",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_time_2",
        "widgets",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_widgets_slot_time_3",
        "widgets",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_widgets_source_view_id", "widgets", ["org_id", "source_view_id", "id"], unique=False)
    op.create_index("ix_widgets_tags", "widgets", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_widgets_trigrams", "widgets", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_widgets_updated_at", "widgets", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_widgets_slot_unique_1",
        "widgets",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_widgets_slot_unique_2",
        "widgets",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_widgets_slot_unique_3",
        "widgets",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_widgets_slot_unique_4",
        "widgets",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_widgets_slot_unique_5",
        "widgets",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "widgets")
    fence_table(op, "widgets")


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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
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
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
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
    op.create_index(
        "ix_cases_slot_date_1", "cases", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_date_2", "cases", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_date_3", "cases", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_1", "cases", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_10", "cases", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_2", "cases", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_3", "cases", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_4", "cases", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_5", "cases", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_6", "cases", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_7", "cases", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_8", "cases", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_id_9", "cases", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_number_1",
        "cases",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_slot_number_2",
        "cases",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_slot_number_3",
        "cases",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_slot_number_4",
        "cases",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_slot_number_5",
        "cases",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_slot_text_1", "cases", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_2", "cases", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_3", "cases", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_4", "cases", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_5", "cases", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_6", "cases", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_7", "cases", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_text_8", "cases", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_time_1", "cases", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_time_2", "cases", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_cases_slot_time_3", "cases", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_cases_status", "cases", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_cases_subject", "cases", ["org_id", "subject_key", "id"], unique=False)
    op.create_index("ix_cases_tags", "cases", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_cases_trigrams", "cases", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_cases_updated_at", "cases", ["org_id", "updated_at", "id"], unique=False)
    op.create_index("uq_cases_number", "cases", ["org_id", "number"], unique=True)
    op.create_index(
        "uq_cases_slot_unique_1",
        "cases",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_cases_slot_unique_2",
        "cases",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_cases_slot_unique_3",
        "cases",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_cases_slot_unique_4",
        "cases",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_cases_slot_unique_5",
        "cases",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("amount_base", sa.Numeric(), nullable=True),
        sa.Column("weighted_amount_base", sa.Numeric(), nullable=True),
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
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
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
    op.create_index(
        "ix_deals_slot_date_1", "deals", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_date_2", "deals", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_date_3", "deals", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_1", "deals", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_10", "deals", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_2", "deals", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_3", "deals", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_4", "deals", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_5", "deals", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_6", "deals", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_7", "deals", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_8", "deals", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_id_9", "deals", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_number_1",
        "deals",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_deals_slot_number_2",
        "deals",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_deals_slot_number_3",
        "deals",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_deals_slot_number_4",
        "deals",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_deals_slot_number_5",
        "deals",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_deals_slot_text_1", "deals", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_2", "deals", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_3", "deals", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_4", "deals", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_5", "deals", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_6", "deals", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_7", "deals", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_text_8", "deals", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_time_1", "deals", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_time_2", "deals", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_deals_slot_time_3", "deals", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_deals_stage_id", "deals", ["org_id", "stage_id", "id"], unique=False)
    op.create_index("ix_deals_status", "deals", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_deals_tags", "deals", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_deals_trigrams", "deals", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_deals_updated_at", "deals", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_deals_slot_unique_1",
        "deals",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_deals_slot_unique_2",
        "deals",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_deals_slot_unique_3",
        "deals",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_deals_slot_unique_4",
        "deals",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_deals_slot_unique_5",
        "deals",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("body_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search_text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("trigrams", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple', search_text)", persisted=True), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "case_id"], ["cases.org_id", "cases.id"], name="fk_case_comments_case_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_case_comments_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_case_comments")),
    )
    op.create_index("ix_case_comments_case_id", "case_comments", ["org_id", "case_id", "id"], unique=False)
    op.create_index("ix_case_comments_created_at", "case_comments", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_case_comments_owner_id", "case_comments", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_case_comments_search", "case_comments", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_case_comments_slot_date_1",
        "case_comments",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_date_2",
        "case_comments",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_date_3",
        "case_comments",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_1",
        "case_comments",
        ["org_id", "slot_id_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_10",
        "case_comments",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_2",
        "case_comments",
        ["org_id", "slot_id_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_3",
        "case_comments",
        ["org_id", "slot_id_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_4",
        "case_comments",
        ["org_id", "slot_id_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_5",
        "case_comments",
        ["org_id", "slot_id_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_6",
        "case_comments",
        ["org_id", "slot_id_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_7",
        "case_comments",
        ["org_id", "slot_id_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_8",
        "case_comments",
        ["org_id", "slot_id_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_id_9",
        "case_comments",
        ["org_id", "slot_id_9", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_9 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_number_1",
        "case_comments",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_number_2",
        "case_comments",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_number_3",
        "case_comments",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_number_4",
        "case_comments",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_number_5",
        "case_comments",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_1",
        "case_comments",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_2",
        "case_comments",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_3",
        "case_comments",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_4",
        "case_comments",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_5",
        "case_comments",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_6",
        "case_comments",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_7",
        "case_comments",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_text_8",
        "case_comments",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_time_1",
        "case_comments",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_time_2",
        "case_comments",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_case_comments_slot_time_3",
        "case_comments",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_case_comments_tags", "case_comments", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_comments_trigrams", "case_comments", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_case_comments_updated_at", "case_comments", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_case_comments_slot_unique_1",
        "case_comments",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_case_comments_slot_unique_2",
        "case_comments",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_case_comments_slot_unique_3",
        "case_comments",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_case_comments_slot_unique_4",
        "case_comments",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_case_comments_slot_unique_5",
        "case_comments",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
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
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
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
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
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
    op.create_index(
        "ix_leads_slot_date_1", "leads", ["org_id", "slot_date_1", "id"], unique=False, postgresql_where=sa.text("slot_date_1 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_date_2", "leads", ["org_id", "slot_date_2", "id"], unique=False, postgresql_where=sa.text("slot_date_2 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_date_3", "leads", ["org_id", "slot_date_3", "id"], unique=False, postgresql_where=sa.text("slot_date_3 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_1", "leads", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_10", "leads", ["org_id", "slot_id_10", "id"], unique=False, postgresql_where=sa.text("slot_id_10 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_2", "leads", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_3", "leads", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_4", "leads", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_5", "leads", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_6", "leads", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_7", "leads", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_8", "leads", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_id_9", "leads", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_number_1",
        "leads",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_slot_number_2",
        "leads",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_slot_number_3",
        "leads",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_slot_number_4",
        "leads",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_slot_number_5",
        "leads",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_leads_slot_text_1", "leads", ["org_id", "slot_text_1", "id"], unique=False, postgresql_where=sa.text("slot_text_1 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_2", "leads", ["org_id", "slot_text_2", "id"], unique=False, postgresql_where=sa.text("slot_text_2 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_3", "leads", ["org_id", "slot_text_3", "id"], unique=False, postgresql_where=sa.text("slot_text_3 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_4", "leads", ["org_id", "slot_text_4", "id"], unique=False, postgresql_where=sa.text("slot_text_4 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_5", "leads", ["org_id", "slot_text_5", "id"], unique=False, postgresql_where=sa.text("slot_text_5 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_6", "leads", ["org_id", "slot_text_6", "id"], unique=False, postgresql_where=sa.text("slot_text_6 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_7", "leads", ["org_id", "slot_text_7", "id"], unique=False, postgresql_where=sa.text("slot_text_7 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_text_8", "leads", ["org_id", "slot_text_8", "id"], unique=False, postgresql_where=sa.text("slot_text_8 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_time_1", "leads", ["org_id", "slot_time_1", "id"], unique=False, postgresql_where=sa.text("slot_time_1 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_time_2", "leads", ["org_id", "slot_time_2", "id"], unique=False, postgresql_where=sa.text("slot_time_2 IS NOT NULL")
    )
    op.create_index(
        "ix_leads_slot_time_3", "leads", ["org_id", "slot_time_3", "id"], unique=False, postgresql_where=sa.text("slot_time_3 IS NOT NULL")
    )
    op.create_index("ix_leads_status", "leads", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_leads_tags", "leads", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_leads_trigrams", "leads", ["trigrams"], unique=False, postgresql_using="gin")
    op.create_index("ix_leads_updated_at", "leads", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_leads_slot_unique_1",
        "leads",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_leads_slot_unique_2",
        "leads",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_leads_slot_unique_3",
        "leads",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_leads_slot_unique_4",
        "leads",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_leads_slot_unique_5",
        "leads",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "leads")
    fence_table(op, "leads")


def _create_consents() -> None:
    op.create_table(
        "consents",
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
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("lead_id", sa.UUID(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), server_default=sa.text("'any'"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("display_name_key", sa.Text(collation="C"), nullable=True),
        sa.Column("custom_fields_key", postgresql.JSONB(astext_type=Text()), nullable=True),
        sa.Column("source_key", sa.Text(collation="C"), nullable=True),
        sa.Column("proof_key", sa.Text(collation="C"), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("external_ids", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("custom_fields", postgresql.JSONB(astext_type=Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("slot_text_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_5", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_6", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_7", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_text_8", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_number_1", sa.Numeric(), nullable=True),
        sa.Column("slot_number_2", sa.Numeric(), nullable=True),
        sa.Column("slot_number_3", sa.Numeric(), nullable=True),
        sa.Column("slot_number_4", sa.Numeric(), nullable=True),
        sa.Column("slot_number_5", sa.Numeric(), nullable=True),
        sa.Column("slot_date_1", sa.Date(), nullable=True),
        sa.Column("slot_date_2", sa.Date(), nullable=True),
        sa.Column("slot_date_3", sa.Date(), nullable=True),
        sa.Column("slot_time_1", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_2", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_time_3", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("slot_id_1", sa.UUID(), nullable=True),
        sa.Column("slot_id_2", sa.UUID(), nullable=True),
        sa.Column("slot_id_3", sa.UUID(), nullable=True),
        sa.Column("slot_id_4", sa.UUID(), nullable=True),
        sa.Column("slot_id_5", sa.UUID(), nullable=True),
        sa.Column("slot_id_6", sa.UUID(), nullable=True),
        sa.Column("slot_id_7", sa.UUID(), nullable=True),
        sa.Column("slot_id_8", sa.UUID(), nullable=True),
        sa.Column("slot_id_9", sa.UUID(), nullable=True),
        sa.Column("slot_id_10", sa.UUID(), nullable=True),
        sa.Column("slot_unique_1", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_2", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_3", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_4", sa.Text(collation="C"), nullable=True),
        sa.Column("slot_unique_5", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "contact_id"], ["contacts.org_id", "contacts.id"], name="fk_consents_contact_id"),
        sa.ForeignKeyConstraint(["org_id", "lead_id"], ["leads.org_id", "leads.id"], name="fk_consents_lead_id"),
        sa.ForeignKeyConstraint(["org_id", "owner_id"], ["members.org_id", "members.id"], name="fk_consents_owner_id"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_contact_id", "consents", ["org_id", "contact_id", "id"], unique=False)
    op.create_index("ix_consents_created_at", "consents", ["org_id", "created_at", "id"], unique=False)
    op.create_index("ix_consents_lead_id", "consents", ["org_id", "lead_id", "id"], unique=False)
    op.create_index("ix_consents_occurred_at", "consents", ["org_id", "occurred_at", "id"], unique=False)
    op.create_index("ix_consents_owner_id", "consents", ["org_id", "owner_id", "id"], unique=False)
    op.create_index("ix_consents_purpose", "consents", ["org_id", "purpose", "id"], unique=False)
    op.create_index(
        "ix_consents_slot_date_1",
        "consents",
        ["org_id", "slot_date_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_date_2",
        "consents",
        ["org_id", "slot_date_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_date_3",
        "consents",
        ["org_id", "slot_date_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_date_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_id_1", "consents", ["org_id", "slot_id_1", "id"], unique=False, postgresql_where=sa.text("slot_id_1 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_10",
        "consents",
        ["org_id", "slot_id_10", "id"],
        unique=False,
        postgresql_where=sa.text("slot_id_10 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_id_2", "consents", ["org_id", "slot_id_2", "id"], unique=False, postgresql_where=sa.text("slot_id_2 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_3", "consents", ["org_id", "slot_id_3", "id"], unique=False, postgresql_where=sa.text("slot_id_3 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_4", "consents", ["org_id", "slot_id_4", "id"], unique=False, postgresql_where=sa.text("slot_id_4 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_5", "consents", ["org_id", "slot_id_5", "id"], unique=False, postgresql_where=sa.text("slot_id_5 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_6", "consents", ["org_id", "slot_id_6", "id"], unique=False, postgresql_where=sa.text("slot_id_6 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_7", "consents", ["org_id", "slot_id_7", "id"], unique=False, postgresql_where=sa.text("slot_id_7 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_8", "consents", ["org_id", "slot_id_8", "id"], unique=False, postgresql_where=sa.text("slot_id_8 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_id_9", "consents", ["org_id", "slot_id_9", "id"], unique=False, postgresql_where=sa.text("slot_id_9 IS NOT NULL")
    )
    op.create_index(
        "ix_consents_slot_number_1",
        "consents",
        ["org_id", "slot_number_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_number_2",
        "consents",
        ["org_id", "slot_number_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_number_3",
        "consents",
        ["org_id", "slot_number_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_number_4",
        "consents",
        ["org_id", "slot_number_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_number_5",
        "consents",
        ["org_id", "slot_number_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_number_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_1",
        "consents",
        ["org_id", "slot_text_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_2",
        "consents",
        ["org_id", "slot_text_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_3",
        "consents",
        ["org_id", "slot_text_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_3 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_4",
        "consents",
        ["org_id", "slot_text_4", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_4 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_5",
        "consents",
        ["org_id", "slot_text_5", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_5 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_6",
        "consents",
        ["org_id", "slot_text_6", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_6 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_7",
        "consents",
        ["org_id", "slot_text_7", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_7 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_text_8",
        "consents",
        ["org_id", "slot_text_8", "id"],
        unique=False,
        postgresql_where=sa.text("slot_text_8 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_time_1",
        "consents",
        ["org_id", "slot_time_1", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_1 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_time_2",
        "consents",
        ["org_id", "slot_time_2", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_2 IS NOT NULL"),
    )
    op.create_index(
        "ix_consents_slot_time_3",
        "consents",
        ["org_id", "slot_time_3", "id"],
        unique=False,
        postgresql_where=sa.text("slot_time_3 IS NOT NULL"),
    )
    op.create_index("ix_consents_status", "consents", ["org_id", "status", "id"], unique=False)
    op.create_index("ix_consents_tags", "consents", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("ix_consents_updated_at", "consents", ["org_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_consents_slot_unique_1",
        "consents",
        ["org_id", "slot_unique_1"],
        unique=True,
        postgresql_where=sa.text("slot_unique_1 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_consents_slot_unique_2",
        "consents",
        ["org_id", "slot_unique_2"],
        unique=True,
        postgresql_where=sa.text("slot_unique_2 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_consents_slot_unique_3",
        "consents",
        ["org_id", "slot_unique_3"],
        unique=True,
        postgresql_where=sa.text("slot_unique_3 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_consents_slot_unique_4",
        "consents",
        ["org_id", "slot_unique_4"],
        unique=True,
        postgresql_where=sa.text("slot_unique_4 IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "uq_consents_slot_unique_5",
        "consents",
        ["org_id", "slot_unique_5"],
        unique=True,
        postgresql_where=sa.text("slot_unique_5 IS NOT NULL AND deleted_at IS NULL"),
    )
    place_table(op, "consents")
    fence_table(op, "consents")


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
    _create_audit_checkpoints()
    _create_audit_heads()
    _create_audit_log()
    _create_belongings()
    _create_board_positions()
    _create_config_snapshots()
    _create_counters()
    _create_credentials()
    _create_encryption_keys()
    _create_event_consumers()
    _create_event_snapshots()
    _create_event_tickets()
    _create_events()
    _create_external_ids()
    _create_failed_attempts()
    _create_field_definitions()
    _create_home_pages()
    _create_idempotency_keys()
    _create_job_due()
    _create_jobs()
    _create_journal()
    _create_journal_consumers()
    _create_journal_heads()
    _create_links()
    _create_mail_links()
    _create_mails()
    _create_oauth_clients()
    _create_oauth_codes()
    _create_oauth_device_codes()
    _create_oauth_grants()
    _create_oauth_requests()
    _create_object_definitions()
    _create_organizations()
    _create_outbox()
    _create_profiles()
    _create_recent_items()
    _create_record_shares()
    _create_recovery_codes()
    _create_roles()
    _create_sandboxes()
    _create_schema_versions()
    _create_second_factors()
    _create_session_devices()
    _create_sessions()
    _create_stage_changes()
    _create_suppressions()
    _create_timers()
    _create_tokens()
    _create_tombstones()
    _create_users()
    _create_webhook_attempts()
    _create_webhook_deliveries()
    _create_webhook_due()
    _create_webhook_queue()
    _create_job_chunks()
    _create_job_errors()
    _create_members()
    _create_accounts()
    _create_connections()
    _create_contact_roles()
    _create_custom_links()
    _create_custom_records()
    _create_exchange_rates()
    _create_layouts()
    _create_lead_statuses()
    _create_lifecycle_stages()
    _create_navigation_menus()
    _create_notes()
    _create_pipelines()
    _create_restriction_rules()
    _create_retention_policies()
    _create_segments()
    _create_sharing_rules()
    _create_tasks()
    _create_teams()
    _create_territories()
    _create_themes()
    _create_views()
    _create_webhook_endpoints()
    _create_connection_secrets()
    _create_contacts()
    _create_stages()
    _create_webhook_secrets()
    _create_webhook_states()
    _create_widgets()
    _create_cases()
    _create_deals()
    _create_case_comments()
    _create_leads()
    _create_consents()
    keep_rows(op, "audit_checkpoints")
    keep_rows(op, "audit_heads")
    keep_rows(op, "audit_log")
    keep_rows(op, "events")
    keep_organizations(op)
    _make_partitions()


def downgrade() -> None:
    """Drop everything."""
    op.execute("DROP POLICY kept ON audit_checkpoints")
    op.execute("DROP POLICY kept ON audit_heads")
    op.execute("DROP POLICY kept ON audit_log")
    op.execute("DROP POLICY kept ON events")
    op.drop_table("consents")
    op.drop_table("leads")
    op.drop_table("case_comments")
    op.drop_table("deals")
    op.drop_table("cases")
    op.drop_table("widgets")
    op.drop_table("webhook_states")
    op.drop_table("webhook_secrets")
    op.drop_table("stages")
    op.drop_table("contacts")
    op.drop_table("connection_secrets")
    op.drop_table("webhook_endpoints")
    op.drop_table("views")
    op.drop_table("themes")
    op.drop_table("territories")
    op.drop_table("teams")
    op.drop_table("tasks")
    op.drop_table("sharing_rules")
    op.drop_table("segments")
    op.drop_table("retention_policies")
    op.drop_table("restriction_rules")
    op.drop_table("pipelines")
    op.drop_table("notes")
    op.drop_table("navigation_menus")
    op.drop_table("lifecycle_stages")
    op.drop_table("lead_statuses")
    op.drop_table("layouts")
    op.drop_table("exchange_rates")
    op.drop_table("custom_records")
    op.drop_table("custom_links")
    op.drop_table("contact_roles")
    op.drop_table("connections")
    op.drop_table("accounts")
    op.drop_table("members")
    op.drop_table("job_errors")
    op.drop_table("job_chunks")
    op.drop_table("webhook_queue")
    op.drop_table("webhook_due")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_attempts")
    op.drop_table("users")
    op.drop_table("tombstones")
    op.drop_table("tokens")
    op.drop_table("timers")
    op.drop_table("suppressions")
    op.drop_table("stage_changes")
    op.drop_table("sessions")
    op.drop_table("session_devices")
    op.drop_table("second_factors")
    op.drop_table("schema_versions")
    op.drop_table("sandboxes")
    op.drop_table("roles")
    op.drop_table("recovery_codes")
    op.drop_table("record_shares")
    op.drop_table("recent_items")
    op.drop_table("profiles")
    op.drop_table("outbox")
    op.drop_table("organizations")
    op.drop_table("object_definitions")
    op.drop_table("oauth_requests")
    op.drop_table("oauth_grants")
    op.drop_table("oauth_device_codes")
    op.drop_table("oauth_codes")
    op.drop_table("oauth_clients")
    op.drop_table("mails")
    op.drop_table("mail_links")
    op.drop_table("links")
    op.drop_table("journal_heads")
    op.drop_table("journal_consumers")
    op.drop_table("journal")
    op.drop_table("jobs")
    op.drop_table("job_due")
    op.drop_table("idempotency_keys")
    op.drop_table("home_pages")
    op.drop_table("field_definitions")
    op.drop_table("failed_attempts")
    op.drop_table("external_ids")
    op.drop_table("events")
    op.drop_table("event_tickets")
    op.drop_table("event_snapshots")
    op.drop_table("event_consumers")
    op.drop_table("encryption_keys")
    op.drop_table("credentials")
    op.drop_table("counters")
    op.drop_table("config_snapshots")
    op.drop_table("board_positions")
    op.drop_table("belongings")
    op.drop_table("audit_log")
    op.drop_table("audit_heads")
    op.drop_table("audit_checkpoints")
