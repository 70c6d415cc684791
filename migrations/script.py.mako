"""${message}

Revision: ${up_revision}
Follows: ${down_revision | comma,n}

One DDL statement per execute and one subcommand per ALTER. A new table is placed (`place_table`) and, if it belongs to a
tenant, fenced (`fence_table`). An index on a table that may be large is made CONCURRENTLY in an autocommit block.
"""

import sqlalchemy as sa
from alembic import op

from crm_api.db.ddl import fence_table, place_table
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | None = ${repr(branch_labels)}
depends_on: str | None = ${repr(depends_on)}


def upgrade() -> None:
    """Apply the change."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take it back."""
    ${downgrades if downgrades else "pass"}
