"""Amounts of a record in its currency: with the currency's digits, also those that are stored when the currency changes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crm_api.core.errors import InvalidValue, join_pointer
from crm_api.core.money import currency_digits, decimal_text, parse_money, quantize
from crm_api.kernel.custom.writing import COLUMN
from crm_api.kernel.resource import Draft
from crm_api.kernel.writes.shape import Shape


def bring_to_currency(shape: Shape, default: str, draft: Draft, given: Mapping[str, Any]) -> None:
    """All amounts of a record are in its `currency`; a change of currency checks the stored amounts again."""
    row = draft.new
    if "currency" in row and row["currency"] is None:
        row["currency"] = default
    currency = row.get("currency") or default
    recheck = draft.old is not None and draft.old.get("currency") != currency
    for field in shape.amounts:
        amount = row[field.column]
        if amount is None or not (field.name in given or recheck):
            continue
        try:
            row[field.column] = _amount(amount, currency)
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=join_pointer(field.name)))
    for field in shape.own_amounts if recheck else ():
        stored = field.get(row)
        if stored is None or field.member in (given.get(COLUMN) or {}):
            continue
        try:
            field.put(row, decimal_text(_amount(Decimal(stored), currency)))
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=join_pointer(*field.name.split("."))))


def _amount(amount: Any, currency: str) -> Decimal:
    if not isinstance(amount, Decimal):
        return parse_money(amount, currency)
    scale = currency_digits(currency)
    exact = quantize(amount, currency)
    if exact != amount:
        raise InvalidValue("digits", scale=scale)
    if abs(exact) >= 10 ** (18 - scale):
        raise InvalidValue("max_digits", max_digits=18 - scale)
    return exact
