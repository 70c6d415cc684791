"""What Alembic adds by itself to a revision that makes tables."""

from typing import Any, cast

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateTableOp, DowngradeOps, DropTableOp, MigrationScript, UpgradeOps

from crm_api.db.generate import placed


def generated(*columns: sa.Column[Any]) -> list[str]:
    table = sa.Table("things", sa.MetaData(), *columns)
    script = MigrationScript("1", UpgradeOps([CreateTableOp.from_table(table)]), DowngradeOps([DropTableOp.from_table(table)]))
    placed(cast("Any", None), cast("Any", "head"), [script])
    assert script.upgrade_ops is not None
    assert script.downgrade_ops is not None
    assert "place" not in render_python_code(script.downgrade_ops)
    lines = [line.strip() for line in render_python_code(script.upgrade_ops).splitlines()]
    assert lines.count("op.create_table('things',") == 1
    return [line for line in lines if "_table(op" in line]


def test_a_tenants_table_is_placed_by_organisation_and_fenced() -> None:
    made = generated(sa.Column("org_id", sa.Uuid(), primary_key=True), sa.Column("id", sa.Uuid(), primary_key=True))
    assert made == ['place_table(op, "things")', 'fence_table(op, "things")']


def test_a_table_of_everybody_is_copied_to_all_nodes_and_open() -> None:
    assert generated(sa.Column("id", sa.Uuid(), primary_key=True)) == ['place_table(op, "things", None)']
