"""Many rows at once: what a large customer's tables look like, written by PostgreSQL itself."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg

from crm_api.settings import driver_url

CONTACTS: Final = 200_000
ACCOUNTS: Final = CONTACTS // 10
GIN: Final = tuple(f"ix_{table}_{column}" for table in ("accounts", "contacts") for column in ("search", "trigrams", "tags"))

ACTOR: Final = """'{"id": null, "type": "system"}'"""
_STAMPS = "org_id, id, version, created_at, updated_at, created_by, updated_by, display_name, display_name_key"
_TRIGRAMS = "array(SELECT substr(s, k, 3) FROM generate_series(1, length(s) - 2) k)"

_ACCOUNTS = f"""
INSERT INTO accounts ({_STAMPS}, name, name_key, domain, domain_key, industry, industry_key, employees, annual_revenue,
                      currency, search_text, trigrams)
SELECT $1, ('01900000-0000-7000-8001-' || lpad(to_hex(i), 12, '0'))::uuid, 1, at, at, {ACTOR}, {ACTOR}, s, s, s, s, d, d,
       branch, branch, i % 997, (i % 5000) * 1.5, 'USD', s, {_TRIGRAMS}
  FROM (SELECT i, 'account ' || i AS s, 'a' || i || '.example' AS d, timestamptz '2026-01-01' + i * interval '1 minute' AS at,
               (array['saas', 'retail', 'bank', null])[1 + i % 4] AS branch
          FROM generate_series(1, $2::int) i) x
"""
_CONTACTS = f"""
INSERT INTO contacts ({_STAMPS}, first_name, first_name_key, last_name, last_name_key, email, email_key, title, title_key,
                      account_id, lifecycle_stage, rating, tags, search_text, trigrams)
SELECT $1, ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 1,
       at, at + (i * 7919 % 1000000) * interval '1 second', {ACTOR}, {ACTOR},
       concat_ws(' ', f, l), concat_ws(' ', f, l), f, f, l, l, e, e, t, t,
       ('01900000-0000-7000-8001-' || lpad(to_hex(1 + i % $3::int), 12, '0'))::uuid,
       (array['lead', 'customer', null])[1 + i % 3], (array['hot', 'warm', 'cold', null])[1 + i % 4],
       CASE WHEN i % 500 = 0 THEN array['vip'] ELSE '{{}}' END, w, {_TRIGRAMS}
  FROM (SELECT *, concat_ws(' ', f, l, 'p' || i, 'x' || i % 100, 'example', t) AS w, concat_ws(' ', l, e, t) AS s
          FROM (SELECT i, timestamptz '2026-01-01' + i * interval '1 second' AS at,
                       (array['ada', 'grace', 'edsger', 'barbara'])[1 + i % 4] AS f,
                       CASE WHEN i % 10 = 0 THEN NULL ELSE 'name' || left(md5((i % 50000)::text), 8) END AS l,
                       'p' || i || '@x' || i % 100 || '.example' AS e, CASE WHEN i % 3 = 0 THEN NULL ELSE 'head of ' || i % 50 END AS t
                  FROM generate_series(1, $2::int) i) x) y
"""


def account_id(number: int) -> str:
    return str(UUID(f"01900000-0000-7000-8001-{number:012x}"))


async def fill(owner_url: str, org_id: UUID) -> None:
    """200,000 contacts at 20,000 accounts in one organisation, with statistics. A tenth of them has no last name."""
    connection = await asyncpg.connect(driver_url(owner_url))
    try:
        # building an index over all rows is several times faster than adding to it row by row
        made = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE indexname = ANY($1)", list(GIN))
        for name in GIN:
            await connection.execute(f"DROP INDEX {name}")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.org_id = '{org_id}'")
            await connection.execute(_ACCOUNTS, org_id, ACCOUNTS)
            await connection.execute(_CONTACTS, org_id, CONTACTS, ACCOUNTS)
        for row in made:
            await connection.execute(row["indexdef"])
        await connection.execute("VACUUM ANALYZE accounts")
        await connection.execute("VACUUM ANALYZE contacts")
    finally:
        await connection.close()
