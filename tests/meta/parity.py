"""Standard fields and custom ones that hold the same values, side by side in the same records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_api.models.columns import FieldType
from tests.api import Api, Record

RATINGS = [{"key": key, "label": key.title()} for key in ("hot", "warm", "cold")]
TAGS = [{"key": key, "label": key.upper()} for key in ("vip", "new", "old")]
WORDS = ["Acme", "acmé", "Straße", None, "STRASSE", "50%", "a_b", "a\\b", None, "zz", "Acme", "O'Neill"]


@dataclass(frozen=True)
class Pair:
    """A standard field, the custom type that is like it, what the records hold, and what to compare them with."""

    object: str
    standard: str
    type: FieldType
    values: Sequence[Any]
    operands: Sequence[Any]
    parts: Sequence[str] = ()
    properties: dict[str, Any] = field(default_factory=dict)
    stands_for: FieldType | None = None

    @property
    def api_name(self) -> str:
        return f"x_{self.type.value}"

    @property
    def indexable(self) -> bool:
        return self.type not in (FieldType.LONG_TEXT, FieldType.BOOLEAN, FieldType.MULTI_PICKLIST, FieldType.JSON)

    @property
    def names(self) -> tuple[str, ...]:
        """The custom fields: one with an index and one without, where the type may have one."""
        return (self.api_name, f"{self.api_name}_slot") if self.indexable else (self.api_name,)


def text_values(*texts: str) -> list[Any]:
    return [texts[n % len(texts)] if n % 5 else None for n in range(12)]


PAIRS = [
    Pair(
        "contacts",
        "title",
        FieldType.TEXT,
        WORDS,
        ["acme", "Acme", "strasse", "b", "zzz", "", "o'neill"],
        ["ac", "ss", "%", "_", "\\", "me"],
    ),
    Pair("contacts", "description", FieldType.LONG_TEXT, WORDS, [], ["ac", "ss", "%", "_", "\\", "me"]),
    Pair(
        "leads",
        "email",
        FieldType.EMAIL,
        text_values("Ada@acme.example", "ada@acme.example", "bob@b.example", "zoe@b.example"),
        ["ADA@acme.example", "bob@b.example", "c", "Ada@Acme.example"],
        ["ada", "acme", ".example", "b"],
    ),
    Pair(
        "leads",
        "phone",
        FieldType.PHONE,
        text_values("+49 30 1234567", "+49 (40) 765-4321", "+12125550199"),
        ["+49301234567", "+49 40 7654321", "+5"],
        ["30", "+49", "199", "1 2"],
    ),
    Pair(
        "accounts",
        "website",
        FieldType.URL,
        text_values("https://acme.example/A", "https://b.example/?q=50%25", "http://a.example"),
        ["HTTPS://acme.example/a", "https://b.example/?q=50%25", "https://b"],
        ["https", "/a", "b.ex"],
    ),
    Pair("accounts", "employees", FieldType.INTEGER, [3, 1, None, 20, 20, 0, None, 7, 3, 100000, 2, 11], [3, 0, 20, 11, 99]),
    Pair("accounts", "employees", FieldType.NUMBER, [3, 1, None, 20, 20, 0, None, 7, 3, 100000, 2, 11], [3, 0, 20, 11, 99]),
    Pair(
        "accounts",
        "annual_revenue",
        FieldType.CURRENCY,
        ["10.50", "9.00", None, "-3.00", "10.50", "0.00", "1000.00", None, "7.00", "8.00", "8.01", "0.01"],
        ["10.5", "9", "0", "8.005", "-3.00"],
    ),
    Pair(
        "accounts",
        "annual_revenue",
        FieldType.DECIMAL,
        ["10.50", "9.00", None, "-3.00", "10.50", "0.00", "1000.00", None, "7.00", "8.00", "8.01", "0.01"],
        ["10.5", "9", "0", "8.005", "-3.00"],
        properties={"scale": 2},
    ),
    Pair("contacts", "do_not_call", FieldType.BOOLEAN, [n % 3 == 0 for n in range(12)], [True, False]),
    Pair(
        "contacts",
        "birthdate",
        FieldType.DATE,
        [
            "1980-02-29",
            None,
            "2026-11-22",
            "2026-11-21",
            "2026-10-30",
            "1980-02-29",
            None,
            "2030-01-01",
            "1999-12-31",
            "2026-11-29",
            "2025-11-22",
            "1970-01-01",
        ],
        ["1980-02-29", "2026-11-21", "2000-01-01"],
    ),
    Pair(
        "tasks",
        "due_at",
        FieldType.DATETIME,
        [
            "2026-11-22T08:00:00.000000Z",
            None,
            "2026-11-22T08:00:00.000001Z",
            "2026-11-20T23:30:00.000000Z",
            "2026-12-24T00:00:00.000000Z",
            None,
            "2026-11-22T08:00:00.000000Z",
            "2030-01-01T00:00:00.000000Z",
            "1999-12-31T23:59:59.999999Z",
            "2026-11-21T22:30:00.000000Z",
            "2025-11-22T00:00:00.000000Z",
            "1970-01-01T00:00:00.000000Z",
        ],
        ["2026-11-22T08:00:00Z", "2026-11-22T09:00:00+01:00", "2026-11-21T00:00:00Z"],
    ),
    Pair(
        "contacts",
        "rating",
        FieldType.PICKLIST,
        ["hot", "cold", None, "warm", "hot", "cold", None, "warm", "warm", "hot", None, "cold"],
        ["hot", "WARM", "cold"],
        properties={"options": RATINGS},
    ),
    Pair(
        "contacts",
        "tags",
        FieldType.MULTI_PICKLIST,
        [["vip"], ["new", "old"], [], ["vip", "new"], ["old"], [], ["vip"], ["vip", "new", "old"], [], [], ["new"], ["old", "vip"]],
        ["vip", "new", "old", "none"],
        properties={"options": TAGS},
    ),
    Pair("leads", "qualification", FieldType.JSON, [{"a": n} if n % 2 else None for n in range(12)], []),
]

LABELS = [f"{pair.object}.{pair.standard}-{pair.type.value}" for pair in PAIRS]
REQUIRED = {"contacts": "last_name", "leads": "last_name", "accounts": "name", "tasks": "subject"}
OBJECTS = tuple(REQUIRED)


@dataclass
class World:
    """The organisation, the records of each object in the order of the values, and an instant at which nothing had changed."""

    api: Api
    records: dict[str, list[Record]]
    things: list[Record]
    before: str = ""

    def number(self, object_name: str) -> dict[str, int]:
        return {record["id"]: n for n, record in enumerate(self.things if object_name == "things" else self.records[object_name])}

    async def asked(self, object_name: str, body: dict[str, Any], **params: Any) -> list[int]:
        """The numbers of the records that a search finds, in its order."""
        page = await self.api.ok("POST", f"/v1/{object_name}/search", json={"limit": 200, "fields": [], **body}, params=params)
        numbers = self.number(object_name)
        return [numbers[row["id"]] for row in page["data"]]


async def make_world(api: Api) -> World:
    """Fills an organisation: every custom field on the standard objects, and all of them on an object of its own."""
    own: list[dict[str, Any]] = []
    for pair in PAIRS:
        for name in pair.names:
            body = {"api_name": name, "type": pair.type.value, "indexed": name.endswith("_slot"), **pair.properties}
            await api.ok("POST", f"/v1/meta/{pair.object}/fields", json=body, status=201)
            own.append(body)
    await api.ok(
        "POST",
        "/v1/meta/contacts/fields",
        json={"api_name": "x_account_id", "type": "reference", "target": "accounts", "inverse": "x_contacts"},
        status=201,
    )
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "things", "singular": "thing", "label": "Thing", "fields": own}, status=201)
    made: dict[str, list[Record]] = {}
    for object_name in OBJECTS[::-1]:
        bodies = [_body(object_name, n) for n in range(12)]
        if object_name == "contacts":
            for n, body in enumerate(bodies):
                account = None if n % 3 == 0 else made["accounts"][n % 4]["id"]
                body["account_id"] = account
                body["custom_fields"]["x_account_id"] = account
        made[object_name] = await _make(api, object_name, bodies)
    things: list[dict[str, Any]] = [{"name": f"Thing {n}"} for n in range(12)]
    for pair in PAIRS:
        for n, thing in enumerate(things):
            thing |= dict.fromkeys(pair.names, pair.values[n])
    return World(api, made, await _make(api, "things", things))


def _body(object_name: str, n: int) -> dict[str, Any]:
    body: dict[str, Any] = {REQUIRED[object_name]: f"Record {n}", "custom_fields": {}}
    for pair in PAIRS:
        if pair.object == object_name and pair.type is not FieldType.JSON:
            body[pair.standard] = pair.values[n]
        if pair.object == object_name:
            body["custom_fields"] |= dict.fromkeys(pair.names, pair.values[n])
    return body


async def _make(api: Api, object_name: str, bodies: list[dict[str, Any]]) -> list[Record]:
    answer = await api.ok(
        "POST", f"/v1/{object_name}/batch/create", json={"mode": "atomic", "items": bodies}, params={"allow_duplicates": "true"}
    )
    return [result["record"] for result in answer["results"]]
