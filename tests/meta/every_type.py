"""A custom field of every type, and values for it."""

from __future__ import annotations

from typing import Any

VALUES: dict[str, tuple[Any, Any]] = {
    "a_text": ("Ärger", "other"),
    "a_long_text": ("Long\nstory", "short"),
    "an_integer": (7, 8),
    "a_number": (1.5, 2),
    "a_decimal": ("1.25", "1.5"),
    "a_currency": ("10.50", "11.00"),
    "a_boolean": (True, False),
    "a_date": ("2026-02-28", "2026-03-01"),
    "a_datetime": ("2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05.000001Z"),
    "an_email": ("ada@x.example", "bob@x.example"),
    "a_phone": ("+49 30 1234567", "+49 30 7654321"),
    "an_url": ("https://x.example/a", "https://x.example/b"),
    "a_picklist": ("gold", "tin"),
    "a_multi": (["gold", "tin"], ["tin"]),
    "a_json": ({"a": [1, None, "x"]}, [1]),
}
"""A field of every type that callers write, with two values."""

OPTIONS = [{"key": "gold", "label": "Gold"}, {"key": "tin", "label": "Tin"}]
TYPES = {"an_url": "url", "a_multi": "multi_picklist", "a_boolean": "boolean"}


def definitions() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for name in VALUES:
        kind = TYPES.get(name, name.partition("_")[2])
        options = {"options": OPTIONS} if kind in ("picklist", "multi_picklist") else {}
        made.append({"api_name": name, "type": kind, **options})
    made.append({"api_name": "a_code", "type": "text", "unique": True})
    made.append({"api_name": "a_number_of", "type": "autonumber", "prefix": "N-", "padding": 3})
    made.append({"api_name": "sponsor_id", "type": "reference", "target": "accounts", "inverse": "sponsored"})
    made.append({"api_name": "partners", "type": "reference", "target": "accounts", "multiple": True, "inverse": "partnered"})
    return made
