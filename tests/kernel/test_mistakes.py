"""Pydantic's findings as the contract's mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import ValidationError

from crm_api.kernel.mistakes import field_errors
from tests.kernel.objects import AccountCreate, ContactCreate


def codes(model: type[BaseModel], body: Any) -> dict[str | None, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return {error.pointer: error.code for error in field_errors(caught.value, body, model.model_fields)}


def test_places_inside_lists_and_objects() -> None:
    body = {"emails": [{"address": "a@x.example"}, {"type": "x", "is_primary": 1}, 5], "phones": [{"number": 1, "nope": 2}], "email": None}
    assert codes(ContactCreate, body) == {
        "/emails/1/address": "required",
        "/emails/1/is_primary": "type",
        "/emails/2": "type",
        "/phones/0/number": "type",
        "/phones/0/nope": "unknown_field",
    }


def test_values_of_every_kind() -> None:
    body = {
        "name": "",
        "annual_revenue": 5,
        "currency": "EURO",
        "parent_id": {"by": 1},
        "billing_address": {"city": 5, "nope": "x"},
        "id": "01976f6e-8a00-4000-8000-000000000001",
        "created_at": "yesterday",
        "tags": ["x" * 61],
        "a/b": 1,
    }
    assert codes(AccountCreate, body) == {
        "/name": "min_length",
        "/annual_revenue": "type",
        "/currency": "invalid_currency",
        "/parent_id": "type",
        "/billing_address/city": "type",
        "/billing_address/nope": "unknown_field",
        "/id": "invalid_id",
        "/created_at": "invalid_timestamp",
        "/tags/0": "max_length",
        "/a~1b": "unknown_field",
    }
    assert codes(AccountCreate, {}) == {"/name": "required"}


def test_what_a_value_is_says_more_than_what_other_branches_wanted() -> None:
    class Either(BaseModel):
        model_config = ConfigDict(strict=True)
        value: list[int] | int = Field(ge=3)

    class Loose(BaseModel):
        model_config = ConfigDict(strict=True)
        value: bool | str

    assert codes(Loose, {"value": 5}) == {"/value": "type"}
    assert codes(Either, {"value": "x"}) == {"/value": "type"}
