"""What migrations say about a table beyond its columns: where its rows live, who may see them, what the application may do."""

from typing import Protocol

from sqlalchemy import Connection, text

APP_ROLE = "crm_app"

PRIVILEGES = {
    "alembic_version": "SELECT",  # readyz compares it
    # Only ever added to; purging and erasing blank the values. Rows of a sandbox go with it, see `keep_rows`.
    "events": "SELECT, INSERT, UPDATE (changes, visibility, cause), DELETE",
    "journal": "SELECT, INSERT, DELETE",
    "event_snapshots": "SELECT, INSERT, DELETE",
    "audit_log": "SELECT, INSERT, UPDATE (salt, personal, erased_at), DELETE",
    "audit_checkpoints": "SELECT, INSERT, DELETE",
    "organizations": "SELECT, INSERT, UPDATE, DELETE",  # only sandboxes are ever deleted
}
"""Tables on which the application's role gets less than the usual SELECT, INSERT, UPDATE, DELETE."""

FIXED = {"organizations": frozenset({"id", "environment", "parent_id", "created_at"})}
"""Columns that stay as they were made: an organisation never becomes a sandbox, whose rows alone may be deleted (`keep_rows`)."""

_USUAL = "SELECT, INSERT, UPDATE, DELETE"


class Operations(Protocol):
    """The part of `alembic.op` that is needed here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


def place_table(op: Operations, name: str, column: str | None = "org_id", *, colocate: bool = True) -> None:
    """Spread a new table's rows over the nodes by `column`, or copy it to all of them (`column=None`); nothing without Citus.

    Tables that are looked up before the organisation is known are spread by their own hash and stand alone
    (`colocate=False`), since they are never joined.
    """
    if column is None:
        placed = f"create_reference_table('{_checked(name)}')"
    else:
        alone = "" if colocate else ", colocate_with => 'none'"
        placed = f"create_distributed_table('{_checked(name)}', '{_checked(column)}'{alone})"
    # In a DO block, so that the same text also serves `upgrade --sql`; plpgsql looks functions up only when it runs them.
    op.execute(f"DO $place$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN PERFORM {placed}; END IF; END $place$")


def fence_table(op: Operations, name: str, column: str = "org_id") -> None:
    """Let every role, the owner included, see and write only rows of the transaction's `app.org_id`; none where it is not set."""
    table = _checked(name)
    # As a sub-select it is worked out once per statement instead of once per row.
    mine = f"{_checked(column)} = (SELECT nullif(current_setting('app.org_id', true), '')::uuid)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")


def keep_rows(op: Operations, name: str) -> None:
    """Let nobody delete rows of a table, except those of a sandbox: what is only ever added to goes when its organisation does."""
    sandbox = f"EXISTS (SELECT FROM organizations o WHERE o.id = {_checked(name)}.org_id AND o.environment = 'sandbox')"
    op.execute(f"CREATE POLICY kept ON {_checked(name)} AS RESTRICTIVE FOR DELETE USING ({sandbox})")


def keep_organizations(op: Operations) -> None:
    """Let nobody delete an organisation, except a sandbox. Otherwise everybody sees and writes all of them, as they have no fence."""
    op.execute("ALTER TABLE organizations ENABLE ROW LEVEL SECURITY")
    rules = {"SELECT": "USING (true)", "INSERT": "WITH CHECK (true)", "UPDATE": "USING (true)", "DELETE": "USING (environment = 'sandbox')"}
    for command, rule in rules.items():
        op.execute(f"CREATE POLICY kept_{command.lower()} ON organizations FOR {command} {rule}")


def partitions(connection: Connection) -> set[str]:
    """Names of all partitions in the current schema."""
    found = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace"
        )
    )
    return set(found.scalars())


def grant_to_application(connection: Connection, role: str = APP_ROLE) -> None:
    """Give the application's role what it needs on every table; repeated after each upgrade, so no migration can forget it.

    Partitions are reached through their parents and get nothing. Raises LookupError if the role does not exist.
    """
    if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar() is None:
        raise LookupError(f"The application's role {role} does not exist: CREATE ROLE {role} LOGIN, then migrate again.")
    tables = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = current_schema()::regnamespace AND pg_get_userbyid(relowner) = current_user ORDER BY relname"
        )
    )
    grantee = _quoted(role)
    for table in list(tables.scalars()):
        privileges = PRIVILEGES.get(table, _USUAL)
        if table in FIXED:
            privileges = privileges.replace("UPDATE", f"UPDATE ({', '.join(_changing(connection, table))})")
        if privileges != _USUAL:
            connection.exec_driver_sql(f"REVOKE ALL ON TABLE {_quoted(table)} FROM {grantee}")
        connection.exec_driver_sql(f"GRANT {privileges} ON TABLE {_quoted(table)} TO {grantee}")
    connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {grantee}")


def _changing(connection: Connection, table: str) -> list[str]:
    found = connection.execute(
        text(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS text)::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum"
        ),
        {"table": table},
    )
    return [_quoted(name) for name in found.scalars() if name not in FIXED[table]]


def _checked(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"not a plain name: {name!r}")
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
