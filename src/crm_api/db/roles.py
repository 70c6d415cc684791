"""The second wall needs a role that can't climb it: no superuser, no BYPASSRLS, not the owner of the tables."""

import asyncpg


class UnsafeRole(Exception):
    """The application's database role could see every organisation's rows. The message says why and what to do."""


_FINDINGS = """
SELECT current_user AS name,
       r.rolsuper AS superuser,
       r.rolbypassrls AS bypass,
       (SELECT c.relname FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
           AND pg_has_role(current_user, c.relowner, 'MEMBER')
         ORDER BY c.relname LIMIT 1) AS owned
  FROM pg_roles r WHERE r.rolname = current_user
"""


async def refuse_unsafe_role(driver_url: str) -> None:
    """Raise `UnsafeRole` unless row-level security binds the role of `driver_url` (a `postgresql://` address)."""
    connection = await asyncpg.connect(driver_url)
    try:
        found = await connection.fetchrow(_FINDINGS)
    finally:
        await connection.close()
    if found is None:
        raise UnsafeRole("The database does not know the role that DATABASE_URL connects as.")
    reasons = []
    if found["superuser"]:
        reasons.append("is a superuser")
    if found["bypass"]:
        reasons.append("has BYPASSRLS")
    if found["owned"] and not found["superuser"]:
        reasons.append(f"owns tables (or is a member of their owner), for example {found['owned']}")
    if reasons:
        raise UnsafeRole(
            f"The role {found['name']} of DATABASE_URL {' and '.join(reasons)}, so row-level security would not bind it. "
            "Give DATABASE_URL a plain role, and keep the owner for DATABASE_OWNER_URL."
        )
