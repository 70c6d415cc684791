"""What the rows of the measured databases hold, and the SQL that makes them."""

# ruff: noqa: E501

from __future__ import annotations

FIRST = [
    "Ada", "Alan", "Amira", "Anna", "Ben", "Carla", "Chen", "Dana", "David", "Elena", "Emil", "Fatima", "Felix", "Grace", "Hana",
    "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Karim", "Lara", "Leo", "Lina", "Luis", "Maja", "Marco", "Mila", "Nadia", "Noah", "Olga",
    "Omar", "Paula", "Pedro", "Rosa", "Sami", "Sofia", "Tariq", "Vera", "Yuki"
]  # fmt: skip
LAST = [
    "Adler", "Bauer", "Becker", "Costa", "Diaz", "Engel", "Fischer", "Garcia", "Haas", "Ivanov", "Jansen", "Kaya", "Keller", "Lang",
    "Lopez", "Maier", "Moreau", "Nowak", "Okafor", "Olsen", "Peters", "Popov", "Quist", "Reyes", "Rossi", "Sato", "Schmidt", "Silva",
    "Tanaka", "Ulrich", "Vogel", "Wagner", "Weber", "Winter", "Xu", "Yilmaz", "Young", "Zeman", "Ziegler", "Zhou"
]  # fmt: skip
MORE = [
    "Ackermann", "Berg", "Brandt", "Clark", "Dahl", "Ford", "Frank", "Grant", "Hill", "Hoff", "Kern", "Klein", "Koch", "Lind", "Marsh",
    "Nord", "Park", "Ross", "Stone", "West"
]  # fmt: skip
INDUSTRIES = [
    "Agriculture", "Aviation", "Banking", "Chemicals", "Construction", "Consulting", "Education", "Energy", "Fashion", "Food", "Health",
    "Insurance", "Logistics", "Machinery", "Media", "Pharma", "Retail", "Software", "Telecom", "Travel"
]  # fmt: skip
TITLES = [
    "Head of Purchasing", "Sales Manager", "Engineer", "Buyer", "Chief Financial Officer", "Assistant", "Consultant",
    "Director of Operations"
]  # fmt: skip
STAGES = [
    "subscriber", "lead", "mql", "sql", "opportunity", "customer"
]  # fmt: skip
DEPARTMENTS = [
    "Purchasing", "Sales", "Engineering", "Finance", "Operations", "Marketing"
]  # fmt: skip
SOURCES = [
    "trade fair", "web", "referral", "cold call", "partner"
]  # fmt: skip


def _choice(words: list[str], salt: int) -> str:
    """SQL that picks one of some words by the row's number."""
    texts = ",".join("'" + word + "'" for word in words)
    return f"(ARRAY[{texts}])[1 + (hashint8extended(i, {salt}) & 9223372036854775807) % {len(words)}]"


CHOICES = {
    "first": _choice(FIRST, 1),
    "last": _choice(LAST, 2) + " || CASE WHEN i % 3 = 0 THEN '' ELSE '-' || " + _choice(MORE, 3) + " END",
    "industry": _choice(INDUSTRIES, 4),
    "title": _choice(TITLES, 5),
    "stage": _choice(STAGES, 6),
    "department": _choice(DEPARTMENTS, 7),
    "source": _choice(SOURCES, 8),
    "company": _choice(LAST, 9) + " || ' ' || " + _choice(MORE, 10),
}

# A row's time of creation, and an id (UUIDv7) of that time.
_TIMES = """
    FROM generate_series({low}::bigint, {high}::bigint) i,
    LATERAL (SELECT date_trunc('milliseconds', now()) - interval '1 day' - interval '700 days' * ({rows} - i) / {rows} AS at) a
"""
_ID = "(lpad(to_hex((extract(epoch from {at}) * 1000)::bigint), 12, '0') || '7' || substr(md5({salt} || {i}), 1, 3) || '8' || substr(md5({salt} || {i}), 4, 15))::uuid"
_TRIGRAMS = "(SELECT array_agg(DISTINCT substr(t, n, 3) ORDER BY substr(t, n, 3)) FROM generate_series(1, length(t) - 2) n)"
_ACTOR = "jsonb_build_object('type', 'user', 'id', '{user}')"

STATEMENTS = {
    "accounts": """
INSERT INTO accounts (org_id, id, version, display_name, created_at, updated_at, created_by, updated_by, owner_id, name, domain, website, industry,
    employees, annual_revenue, currency, billing_address, display_name_key, name_key, domain_key, website_key, industry_key, billing_address_key, search_text, trigrams)
SELECT '{org}', id, 1, name, at, at, ACTOR, ACTOR, '{user}', name, domain, 'https://' || domain, industry,
    10 + (hashint8extended(i, 20) & 9223372036854775807) % 20000, ((hashint8extended(i, 21) & 9223372036854775807) % 100000000)::numeric / 100, 'EUR',
    '{{"street": null, "city": "Berlin", "region": null, "postal_code": "10115", "country": "DE"}}', lower(name), lower(name), domain, 'https://' || domain, lower(industry),
    '{{"city": "berlin", "postal_code": "10115", "country": "de"}}', t, TRIGRAMS
FROM (SELECT *, lower(name) || ' ' || domain || ' https://' || domain AS t FROM (SELECT i, at, md5('a' || i)::uuid AS id,
    {company} || ' ' || i AS name, 'company' || i || '.example' AS domain, {industry} AS industry TIMES) x) y""",
    "contacts": """
INSERT INTO contacts (org_id, id, version, display_name, created_at, updated_at, created_by, updated_by, owner_id, kind, first_name, last_name, email, emails, phone, phones,
    title, department, account_id, lifecycle_stage, rating, source, birthdate, address, display_name_key, first_name_key, last_name_key, email_key, phone_key, title_key,
    department_key, source_key, address_key, tags, search_text, trigrams)
SELECT '{org}', id, 1, name, at, at, ACTOR, ACTOR, '{user}', 'person', first, last, email,
    jsonb_build_array(jsonb_build_object('address', email, 'type', 'work', 'is_primary', true)), phone,
    jsonb_build_array(jsonb_build_object('number', phone, 'type', 'work', 'is_primary', true)), title, department, md5('a' || (1 + i % {accounts}))::uuid, stage,
    CASE i % 4 WHEN 0 THEN 'hot' WHEN 1 THEN 'warm' WHEN 2 THEN 'cold' END, source, CASE WHEN i % 2 = 0 THEN date '1950-01-01' + (i % 18000)::int END,
    '{{"street": null, "city": "Hamburg", "region": null, "postal_code": "20095", "country": "DE"}}', lower(name), lower(first), lower(last), email, replace(phone, ' ', ''),
    lower(title), lower(department), lower(source), '{{"city": "hamburg", "postal_code": "20095", "country": "de"}}',
    CASE WHEN i % 10 = 0 THEN ARRAY['newsletter'] ELSE '{{}}'::text[] END, t, TRIGRAMS
FROM (SELECT *, lower(first) || ' ' || lower(last) || ' ' || email || ' ' || phone || ' ' || replace(phone, ' ', '') || ' ' || lower(title) || ' ' || lower(department) AS t
    FROM (SELECT *, first || ' ' || last AS name, lower(first) || '.' || i || '@company' || (1 + i % {accounts}) || '.example' AS email
    FROM (SELECT i, at, ID AS id, {first} AS first, {last} AS last, '+49 30 ' || (1000000 + i) AS phone, {title} AS title, {department} AS department,
    {stage} AS stage, {source} AS source TIMES) x) y) z""",
    "deals": """
INSERT INTO deals (org_id, id, version, display_name, created_at, updated_at, created_by, updated_by, owner_id, name, account_id, pipeline_id, stage_id, stage_entered_at,
    amount, currency, close_date, opened_at, status, display_name_key, name_key, search_text, trigrams)
SELECT '{org}', y.id, 1, name, at, at, ACTOR, ACTOR, '{user}', name, md5('a' || (1 + i % {accounts}))::uuid, s.pipeline_id, s.id, at,
    ((hashint8extended(i, 30) & 9223372036854775807) % 10000000)::numeric / 100, 'EUR', at::date + 60, at, 'open', lower(name), lower(name), t, TRIGRAMS
FROM (SELECT *, lower(name) AS t FROM (SELECT i, at, ID AS id, {company} || ' deal ' || i AS name TIMES) x) y,
    LATERAL (SELECT pipeline_id, id FROM stages WHERE org_id = '{org}' AND category = 'open' ORDER BY position OFFSET i % 4 LIMIT 1) s""",
}  # fmt: skip
for _table, _sql in STATEMENTS.items():
    STATEMENTS[_table] = (
        _sql.replace("TIMES", _TIMES).replace("ID AS id", _ID.format(at="at", i="i", salt="'r'") + " AS id")
        .replace("ACTOR", _ACTOR).replace("TRIGRAMS", _TRIGRAMS)
    )  # fmt: skip

_CUSTOM = """jsonb_build_object('x_last_name', last, 'x_email', email, 'x_account_id', md5('a' || (1 + i % {accounts}))::uuid,
    'x_created_at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), jsonb_build_object('x_last_name', lower(last), 'x_email', email),
    lower(last), email, at, md5('a' || (1 + i % {accounts}))::uuid"""
_COLUMNS = "custom_fields, custom_fields_key, slot_text_1, slot_text_2, slot_time_1, slot_id_1"
CUSTOM_CONTACTS = (
    STATEMENTS["contacts"].replace("search_text, trigrams)", f"search_text, trigrams, {_COLUMNS})")
    .replace(f"t, {_TRIGRAMS}", f"t, {_TRIGRAMS}, {_CUSTOM}")
)  # fmt: skip
"""The contacts with what their custom fields hold, as the API would have stored it: see benchmarks/custom.py."""

OWNERS = 1_000
OWNED_CONTACTS = STATEMENTS["contacts"].replace(f"{_ACTOR}, {_ACTOR}, '{{user}}'", f"{_ACTOR}, {_ACTOR}, md5('m' || (i % {OWNERS}))::uuid")
"""The contacts, owned in turn by all members."""

_PERSON = """'{org}', md5('%s' || n)::uuid, 1, '%s ' || n, now(), now(), jsonb_build_object('type', 'user', 'id', '{user}'),
    jsonb_build_object('type', 'user', 'id', '{user}'), '%s ' || n, lower('%s ' || n), lower('%s ' || n)"""
_WHO = "org_id, id, version, display_name, created_at, updated_at, created_by, updated_by, name, display_name_key, name_key"
MEMBERS = [
    # a tree of which each role has ten below it
    f"INSERT INTO roles ({_WHO}, parent_id) SELECT {_PERSON % (('r',) + ('Role',) * 4)}, "
    f"CASE WHEN n > 0 THEN md5('r' || (n - 1) / 10)::uuid END FROM generate_series(0, {OWNERS - 1}) n",
    f"INSERT INTO members ({_WHO}, email, email_key, status, profile_id, role_id) SELECT {_PERSON % (('m',) + ('Member',) * 4)}, "
    "'m' || n || '@bench.example', 'm' || n || '@bench.example', 'active', p.id, md5('r' || n)::uuid "
    f"FROM generate_series(0, {OWNERS - 1}) n, profiles p WHERE p.org_id = '{{org}}' AND p.key = 'standard'",
    # a hundred rules, every tenth of which reaches the member who asks
    f"INSERT INTO sharing_rules ({_WHO}, applies_to, share_with, owned_by, criteria, access, is_active) SELECT "
    f"{_PERSON % (('s',) + ('Rule',) * 4)}, 'contacts', jsonb_build_object('type', 'role', 'id', md5('r' || CASE WHEN n % 10 = 0 THEN 50 ELSE n END)::uuid), "
    "CASE WHEN n % 20 <> 0 THEN jsonb_build_object('type', 'role', 'id', md5('r' || (500 + n % 11))::uuid) END, "
    "CASE WHEN n % 20 = 0 THEN jsonb_build_object('field', 'email', 'value', 'nobody' || n || '@bench.example') END, 'read', true "
    "FROM generate_series(0, 99) n",
    """UPDATE organizations SET settings = '{{"sharing": {{"defaults": {{"contacts": "private"}}}}}}', access_version = access_version + 1
    WHERE id = '{org}'""",
]
"""A thousand roles and members and a hundred sharing rules; role 50 has ten roles below it, so its member reaches 11 owners' contacts."""
