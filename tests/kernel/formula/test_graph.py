"""What follows from what: orders, circles, and definitions that would no longer make sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest

from crm_api.core.errors import ValidationFailed
from crm_api.kernel.catalog import build
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.formula.graph import MAX_CHAIN, Computations, check, complete
from crm_api.kernel.registry import Registry
from crm_api.models.columns import FieldType
from tests.kernel.objects import REGISTRY

KEY = (UUID(int=1), 1)


def formula(name: str, text: str, returns: str = "text", **more: Any) -> CustomField:
    object_name, _, api_name = name.partition(".")
    properties = {"formula": text, "returns": returns, **more}
    return CustomField(uuid5(KEY[0], name), object_name, api_name, api_name, FieldType.FORMULA, properties)


def rollup(name: str, relation: str, function: str, field: str | None = None, returns: str = "integer", **more: Any) -> CustomField:
    object_name, _, api_name = name.partition(".")
    properties = {"relation": relation, "function": function, "returns": returns, **({} if field is None else {"field": field}), **more}
    return CustomField(uuid5(KEY[0], name), object_name, api_name, api_name, FieldType.ROLLUP, properties)


def registry(*fields: CustomField) -> Registry:
    return build(REGISTRY, KEY, [], fields)


def computations(*fields: CustomField) -> Computations:
    found = registry(*fields).computations
    assert found is not None
    return found


def ranks(found: Computations) -> dict[str, tuple[int, int]]:
    return {f"{item.object}.{item.member}": (item.rank, item.level) for items in found.stored.values() for item in items}


CHAIN = (
    rollup("contacts.cases_count", "cases", "count"),
    rollup("accounts.cases_total", "contacts", "sum", "custom_fields.cases_count"),
    formula("accounts.busy", "custom_fields.cases_total > 2 and not custom_fields.quiet", "boolean"),
    formula("accounts.quiet", "name = 'Quiet'", "boolean"),
    formula("cases.busy", "contact.account.custom_fields.busy", "boolean"),
)


def test_ranks_rise_from_record_to_record_and_levels_within_one() -> None:
    found = computations(*CHAIN)
    assert ranks(found) == {
        "contacts.cases_count": (0, 0),
        "accounts.quiet": (0, 0),
        "accounts.cases_total": (1, 0),
        "accounts.busy": (1, 1),
        "cases.busy": (2, 0),
    }
    assert found.after(("contacts", "cases_count")) == [
        ("contacts", "cases_count"),
        ("accounts", "cases_total"),
        ("accounts", "busy"),
        ("cases", "busy"),
    ]
    assert found.after(("accounts", "quiet")) == [("accounts", "quiet"), ("accounts", "busy"), ("cases", "busy")]


def test_what_each_record_has_to_watch() -> None:
    found = computations(*CHAIN)
    watched = {name: {trigger.field.name for trigger in triggers} for name, triggers in found.triggers.items()}
    assert watched == {
        "cases": {"contact_id", "deleted_at"},
        "contacts": {"account_id", "deleted_at", "custom_fields.cases_count"},
        "accounts": {"deleted_at", "custom_fields.busy"},
    }
    assert found.reach["cases"] == {"contacts", "accounts", "cases"}
    assert found.ways == {"cases": {"contact_id": frozenset({"account_id"})}, "contacts": {"account_id": frozenset()}}
    assert [(field.name, parent) for field, parent in found.uplinks["cases"]] == [("contact_id", "contacts")]
    assert computations(CHAIN[0]).uplinks == {}


def problem_of(changed: str, *fields: CustomField) -> tuple[str, str, dict[str, Any]]:
    object_name, _, api_name = changed.partition(".")
    with pytest.raises(ValidationFailed) as caught:
        check(registry(*fields), (object_name, api_name))
    error = caught.value.errors[0]
    return error.code, str(error.pointer), dict(error.params or {})


def test_circles_are_found_wherever_they_lead() -> None:
    code, pointer, params = problem_of("accounts.a", formula("accounts.a", "custom_fields.a", "text"))
    assert (code, pointer, params["path"]) == ("formula_cycle", "/formula", "accounts.a → accounts.a")
    pair = (formula("accounts.a", "custom_fields.b"), formula("accounts.b", "custom_fields.a & 'x'"))
    assert problem_of("accounts.b", *pair)[2]["fields"] in (["accounts.a", "accounts.b"], ["accounts.b", "accounts.a"])
    tree = formula("accounts.path", "parent.custom_fields.path & '/' & name")
    assert problem_of("accounts.path", tree)[0] == "formula_cycle"
    around = (
        rollup("accounts.total", "contacts", "sum", "custom_fields.share", "number"),
        formula("contacts.share", "1 / account.custom_fields.total", "number"),
    )
    code, pointer, params = problem_of("accounts.total", *around)
    assert (code, pointer, set(params["fields"])) == ("formula_cycle", "/relation", {"accounts.total", "contacts.share"})
    filtered = (
        rollup("accounts.hot", "contacts", "count", filter={"field": "custom_fields.of_hot", "op": "gt", "value": 1}),
        formula("contacts.of_hot", "account.custom_fields.hot", "integer"),
    )
    assert problem_of("accounts.hot", *filtered)[0] == "formula_cycle"


def test_definitions_in_a_circle_keep_what_is_stored() -> None:
    found = computations(formula("accounts.a", "custom_fields.b"), formula("accounts.b", "custom_fields.a"), formula("accounts.c", "name"))
    assert list(ranks(found)) == ["accounts.c"]


def test_what_follows_from_a_field_that_is_being_built_is_worked_out_too() -> None:
    fields = [CHAIN[0], replace(CHAIN[1], state="building"), *CHAIN[2:]]
    found = registry(*fields)
    read = {f"{r.name}.{f.member}": f.expression is not None for r in found for f in r.custom.values()}
    assert read == {
        "contacts.cases_count": False,
        "accounts.cases_total": True,
        "accounts.busy": True,
        "accounts.quiet": False,
        "cases.busy": True,
    }


def test_chains_have_an_end() -> None:
    def chain(length: int) -> list[CustomField]:
        return [formula(f"accounts.f{n}", "name" if n == 0 else f"custom_fields.f{n - 1} & 'x'") for n in range(length)]

    check(registry(*chain(MAX_CHAIN)), ("accounts", "f0"))
    assert problem_of("accounts.f0", *chain(MAX_CHAIN + 1))[0] == "formula_chain"
    long = chain(MAX_CHAIN * MAX_CHAIN * 2)
    assert problem_of("accounts.f0", *long, *reversed(long))[0] in ("formula_chain", "formula_cycle")


def test_a_change_must_not_break_other_fields() -> None:
    text = formula("accounts.a", "name")
    user = formula("accounts.b", "upper(custom_fields.a)")
    check(registry(text, user), ("accounts", "a"))
    code, pointer, params = problem_of("accounts.a", formula("accounts.a", "1", "integer"), user)
    assert (code, pointer, params["field"]) == ("formula_broken", "", "accounts.b")
    code, _, params = problem_of("accounts.a", user)
    assert (code, params["field"]) == ("formula_broken", "accounts.b")
    code, _, params = problem_of("accounts.a", formula("accounts.a", "text(today())", volatile=True), user)
    assert (code, params["field"]) == ("formula_volatile", "accounts.b")
    assert computations(user).stored == {}


def test_what_follows_from_a_definition() -> None:
    accounts = REGISTRY["accounts"]
    found = complete(REGISTRY, accounts, FieldType.FORMULA, {"formula": "today()", "returns": "date"})
    assert found == {"formula": "today()", "returns": "date", "volatile": True}
    for function, field, returns in (
        ("count", None, "integer"),
        ("max", "birthdate", "date"),
        ("min", "created_at", "datetime"),
    ):
        body = {"relation": "contacts", "function": function, **({} if field is None else {"field": field})}
        assert complete(REGISTRY, accounts, FieldType.ROLLUP, body)["returns"] == returns
    assert (
        complete(REGISTRY, accounts, FieldType.ROLLUP, {"relation": "children", "function": "avg", "field": "annual_revenue"})["returns"]
        == "currency"
    )
    with pytest.raises(ValidationFailed) as caught:
        complete(REGISTRY, accounts, FieldType.FORMULA, {})
    assert [error.pointer for error in caught.value.errors] == ["/formula", "/returns"]
