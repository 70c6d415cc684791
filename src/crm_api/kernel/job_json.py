"""A job as the contract shows it, built by PostgreSQL: the same in answers and in the `job.finished` event."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.fields import timestamp_text

JOBS: Final = "jobs"
"""The object's name; jobs are no records of the registry."""


def job_columns(row: FromClause) -> list[ColumnElement[Any]]:
    """The select list of a job, in the order of the answer."""
    text = sa.literal_column
    progress = sa.func.json_build_object(
        text("'done'"), row.c.done, text("'total'"), row.c.total, text("'failed'"), row.c.failed, type_=JSONB()
    )
    path = sa.cast(text("'/v1/jobs/'"), sa.Text) + sa.cast(row.c.id, sa.Text)
    return [
        text(f"'{JOBS}'").label("object"),
        row.c.id,
        row.c.type,
        row.c.status,
        progress.label("progress"),
        row.c.request,
        row.c.result,
        (path + text("'/errors'")).label("errors_url"),
        # Undoing a job is not offered yet; the member is part of the contract.
        sa.cast(sa.null(), sa.Text).label("undo_until"),
        timestamp_text(row.c.created_at).label("created_at"),
        timestamp_text(row.c.started_at).label("started_at"),
        timestamp_text(row.c.finished_at).label("finished_at"),
        timestamp_text(row.c.expires_at).label("expires_at"),
        row.c.created_by,
    ]


def job_json(row: FromClause) -> ColumnElement[str]:
    """The JSON text of one row of `jobs`."""
    inner = sa.select(*job_columns(row)).correlate(row).subquery("_j")
    return sa.cast(sa.select(sa.func.row_to_json(sa.literal_column("_j"))).select_from(inner).scalar_subquery(), sa.Text)
