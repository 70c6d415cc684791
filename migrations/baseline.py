"""Writes versions/0001_baseline.py from the models: `python migrations/baseline.py`.

For use until the first release only. From then on 0001 is never touched again, this script goes, and changes are new
revisions (`alembic revision --autogenerate -m "…"`).
"""

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, DropTableOp, MigrateOperation, UpgradeOps
from sqlalchemy import Table

from crm_api.db.partitions import TABLES
from crm_api.models import Base
from crm_api.models.identity import PERSONAL
from crm_api.models.oauth import OAUTH
from crm_api.models.tickets import TICKETS

GLOBAL = {"organizations", "users", "credentials", "encryption_keys", "oauth_clients"}
"""Copied to every node; they belong to no organisation."""

LOOKED_UP_FIRST = {"tokens": "hash", **PERSONAL, **OAUTH, **TICKETS}
"""Found by this column before the organisation is known, hence without a fence and spread by themselves."""

UNFENCED = {*GLOBAL, *LOOKED_UP_FIRST, "outbox", "job_due", "timers", "journal_heads", "journal_consumers", "webhook_due"}

KEPT = {"events", "audit_log", "audit_heads", "audit_checkpoints"}
"""Only ever added to."""

HEADER = '''"""The first schema: every table of the models, placed and fenced, with partitions for the first weeks.

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
'''

TAIL = """

def _make_partitions() -> None:
    now = SystemClock().now()
    for table in partitions.TABLES:
        for statement in partitions.default_creation(table):
            op.execute(statement)
        for partition in partitions.needed(table, now, partitions.AHEAD):
            for statement in partitions.creation(partition):
                op.execute(statement)
"""


def _code(operations: list[MigrateOperation]) -> str:
    # The renderer marks its output for people who edit it; nobody edits this file.
    lines = render_python_code(UpgradeOps(operations)).splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("# ###"))


def _create(table: Table) -> str:
    operations: list[MigrateOperation] = [CreateTableOp.from_table(table)]
    operations += [CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    lines = [_code(operations)]
    if table.name in GLOBAL:
        lines.append(f'    place_table(op, "{table.name}", None)')
    elif table.name in LOOKED_UP_FIRST:
        lines.append(f'    place_table(op, "{table.name}", "{LOOKED_UP_FIRST[table.name]}", colocate=False)')
    else:
        lines.append(f'    place_table(op, "{table.name}")')
    if table.name not in UNFENCED:
        if "org_id" not in table.c:
            raise SystemExit(f"{table.name} has no org_id: say in this script where it belongs")
        lines.append(f'    fence_table(op, "{table.name}")')
    return "\n".join(lines)


def main() -> None:
    """Write the file."""
    tables = Base.metadata.sorted_tables
    missing = {table.name for table in TABLES} - {table.name for table in tables}
    if missing:
        raise SystemExit(f"db/partitions.py names unknown tables: {sorted(missing)}")
    ups = [f"def _create_{table.name}() -> None:\n{_create(table)}\n" for table in tables]
    calls = "\n".join(f"    _create_{table.name}()" for table in tables)
    kept = "\n".join(f'    keep_rows(op, "{name}")' for name in sorted(KEPT))
    released = "\n".join(f'    op.execute("DROP POLICY kept ON {name}")' for name in sorted(KEPT))
    drops = _code([DropTableOp.from_table(table) for table in reversed(tables)])
    text = "\n\n".join(
        [
            HEADER.rstrip() + "\n",
            *ups,
            TAIL.strip() + "\n",
            f'def upgrade() -> None:\n    """Make everything."""\n{calls}\n{kept}\n    keep_organizations(op)\n    _make_partitions()\n',
            f'def downgrade() -> None:\n    """Drop everything."""\n{released}\n{drops}\n',
        ]
    )
    target = Path(__file__).parent / "versions" / "0001_baseline.py"
    target.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(target)], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "check", "--fix", "--quiet", str(target)], check=True)


if __name__ == "__main__":
    main()
