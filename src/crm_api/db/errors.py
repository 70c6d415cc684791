"""One place that reads database errors.

A distributed PostgreSQL reports violations without `constraint_name`, or with a shard number behind the name, so callers
ask here instead of looking at the exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import asyncpg

Kind = Literal["unique", "foreign_key", "not_null", "check", "retry", "lock_timeout", "timeout", "unavailable", "other"]

_KINDS: dict[str, Kind] = {
    "23505": "unique",
    "23503": "foreign_key",
    "23001": "foreign_key",
    "23502": "not_null",
    "23514": "check",
    "40P01": "retry",
    "40001": "retry",
    "55P03": "lock_timeout",
    "57014": "timeout",
    "57P01": "unavailable",
    "57P02": "unavailable",
    "57P03": "unavailable",
    "53300": "unavailable",
}
_CONSTRAINT = re.compile(r'constraint "([a-z0-9_]+?)(?:_\d{5,})?"')


@dataclass(frozen=True, slots=True)
class DatabaseError:
    """What went wrong: its kind and, for violations, the constraint's own name."""

    kind: Kind
    constraint: str | None


def classify(error: BaseException) -> DatabaseError:
    """The kind of any error that the driver or the socket below it raised."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return DatabaseError("retry", None)
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        kind = _KINDS.get(state, "unavailable" if state.startswith("08") else "other")
        name: str | None = getattr(error, "constraint_name", None)
        if name is not None:
            name = re.sub(r"_\d{5,}$", "", name)
        else:
            found = _CONSTRAINT.search(str(error))
            name = found.group(1) if found else None
            if state == "XX000" and found:
                kind = "foreign_key" if "foreign key" in str(error) else "unique"
        return DatabaseError(kind, name)
    # InternalClientError: what asyncpg raises on a connection that the server ended between two statements.
    if isinstance(error, (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)):
        return DatabaseError("unavailable", None)
    return DatabaseError("other", None)
