"""The check of statements finds what it is for."""

import pytest

from tests.statements import problems_of

GOOD = (
    "SELECT t.id FROM contacts AS t WHERE t.org_id = $1::UUID AND t.id = $2",
    "SELECT id FROM contacts WHERE org_id = $1 AND deleted_at IS NULL",
    "SELECT t.id FROM contacts t JOIN accounts a ON a.org_id = t.org_id AND a.id = t.account_id WHERE t.org_id = $1",
    "WITH w AS (INSERT INTO contacts (org_id, id) SELECT $1, u.id FROM json_to_recordset($2) AS u(id UUID, links JSONB) RETURNING id)"
    " SELECT id FROM w",
    "UPDATE contacts SET name = $2 WHERE contacts.org_id = $1::UUID",
    "SELECT id FROM tokens WHERE hash = $1",
    "BEGIN; SET LOCAL app.org_id = '01976f6e-8a00-7000-8000-0000000000c0'",
    "SELECT DISTINCT org_id FROM outbox",
    "SELECT ' FROM contacts ' AS text",
)
BAD = (
    "SELECT id FROM contacts",
    "SELECT t.id FROM contacts AS t JOIN accounts AS a ON a.id = t.account_id WHERE t.org_id = $1",
    "SELECT t.id FROM contacts t, accounts a WHERE t.org_id = $1",
    "SELECT id FROM contacts WHERE org_id = current_setting('app.org_id')::uuid",
    "INSERT INTO contacts (id, org_id) VALUES ($1, $2)",
    "UPDATE contacts SET updated_at = now() WHERE org_id = $1",
    "UPDATE contacts SET id = gen_random_uuid() WHERE org_id = $1",
    "DELETE FROM contacts WHERE id = $1",
    "SET app.org_id = 'x'",
    "SELECT set_config('app.org_id', $1, false)",
    "MERGE INTO contacts USING x ON true WHEN MATCHED THEN DELETE",
    "INSERT INTO contacts (org_id, id) VALUES ($1, (SELECT max(id) FROM contacts WHERE org_id = $1))",
)


@pytest.mark.parametrize("sql", GOOD)
def test_what_keeps_the_rules_passes(sql: str) -> None:
    assert not list(problems_of(sql))


@pytest.mark.parametrize("sql", BAD)
def test_what_breaks_one_is_found(sql: str) -> None:
    assert list(problems_of(sql))
