"""Formulas that are refused: with a code, the place, and what would have been right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.formula.sheet import refused

MISTAKES: list[tuple[str, str, str, tuple[int, int] | None]] = [
    ("", "text", "formula_syntax", (1, 1)),
    ("1 +", "number", "formula_syntax", (1, 4)),
    ("name &\n  ", "text", "formula_syntax", (2, 3)),
    ("1 ~ 2", "number", "formula_syntax", (1, 3)),
    ("'abc", "text", "formula_syntax", (1, 1)),
    ("1 < 2 < 3", "boolean", "formula_syntax", (1, 7)),
    ("name.", "text", "formula_syntax", (1, 6)),
    ("nme", "text", "unknown_field", (1, 1)),
    ("1 +\n  parent.nme", "number", "unknown_field", (2, 3)),
    ("parent", "text", "unknown_field", (1, 1)),
    ("parent.parent.parent.name", "text", "too_many_hops", (1, 1)),
    ("contacts.email", "text", "unknown_field", (1, 1)),
    ("version", "integer", "formula_field_type", (1, 1)),
    ("display_name", "text", "formula_field_type", (1, 1)),
    ("custom_fields.tier", "text", "unknown_field", (1, 1)),
    ("billing_address", "text", "formula_field_type", (1, 1)),
    ("1 + frobnicate(2)", "number", "formula_function", (1, 5)),
    ("len()", "integer", "formula_arguments", (1, 1)),
    ("today(1)", "date", "formula_arguments", (1, 1)),
    ("name + 1", "text", "formula_type", (1, 1)),
    ("1 + name", "number", "formula_type", (1, 5)),
    ("name", "number", "formula_type", (1, 1)),
    ("1", "text", "formula_type", (1, 1)),
    ("if(name, 1, 2)", "number", "formula_type", (1, 4)),
    ("if(true, 1, 'x')", "number", "formula_type", (1, 13)),
    ("case(currency, 1, 2)", "number", "formula_type", (1, 16)),
    ("not 1", "boolean", "formula_type", (1, 5)),
    ("1 = '1'", "boolean", "formula_type", (1, 5)),
    ("true < false", "boolean", "formula_type", (1, 1)),
    ("tags = 'x'", "boolean", "formula_type", (1, 1)),
    ("tags & 'x'", "text", "formula_type", (1, 1)),
    ("today() > now()", "boolean", "formula_type", (1, 11)),
    ("today() - now()", "integer", "formula_type", (1, 1)),
    ("days_between(today(), now())", "integer", "formula_type", (1, 23)),
    ("hour(today())", "integer", "formula_type", (1, 6)),
    ("name = null", "boolean", "formula_null", (1, 8)),
    ("round(1, len(name))", "number", "formula_constant", (1, 10)),
    ("round(1, 99)", "number", "formula_constant", (1, 10)),
    ("date_diff(today(), today(), name)", "number", "formula_text_constant", (1, 29)),
    ("date_diff(today(), today(), 'eons')", "number", "enum", (1, 29)),
    ("date(now(), 'Mars/Olympus')", "date", "invalid_time_zone", (1, 13)),
    ("1" * 31, "number", "max_digits", (1, 1)),
    ("(" * 30 + "1" + ")" * 30, "number", "formula_depth", (1, 1)),
    ("not " * 30 + "true", "boolean", "formula_depth", (1, 1)),
    ("(" * 1999 + "1" + ")" * 1999, "number", "formula_depth", (1, 1)),
    ("1" + "/1" * 30, "number", "formula_depth", (1, 1)),
    ("1" + "+1" * 400, "number", "formula_size", (1, 1)),
    ("x" * 4001, "text", "max_length", None),
    ("'\x00'", "text", "invalid_characters", None),
    ("1", "json", "enum", None),
]


@pytest.mark.parametrize(("text", "returns", "code", "place"), MISTAKES, ids=[text[:20] for text, *_ in MISTAKES])
def test_each_mistake_is_named_with_its_place(text: str, returns: str, code: str, place: tuple[int, int] | None) -> None:
    error = refused("accounts", text, returns)
    assert error.code == code, error
    assert place == ((error.params["line"], error.params["column"]) if "line" in error.params else None)


def test_a_picklist_is_compared_with_its_own_keys_only() -> None:
    for text, column in (("rating = 'Hot'", 10), ("'Hot' != rating", 1), ("case(rating, 'hot', 1, 'x', 2) = 1", 24)):
        error = refused("contacts", text, "boolean")
        assert (error.code, error.params["column"], error.allowed) == ("enum", column, ["hot", "warm", "cold"])


def test_what_is_allowed_is_said() -> None:
    allowed: Any = refused("accounts", "nme", "text").allowed
    assert {"name", "annual_revenue", "parent.…"} <= set(allowed) or "parent" in allowed
    assert "if" in (refused("accounts", "iff(true, 1)", "number").allowed or ())
    assert "the end" in (refused("accounts", "1 2", "number").allowed or ())
    assert refused("accounts", "len()", "number").params["usage"] == "len(text)"
