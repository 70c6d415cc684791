"""Parts of a formula whose type is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.kinds import Kind
from crm_api.kernel.formula.nodes import At
from crm_api.kernel.formula.pieces import Env, Piece

Build = Callable[[Env], Piece]
NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Term:
    """A typed part. `constant` is its value if it is a literal; `options` the keys of the picklist that it is a value of."""

    kind: Kind
    at: At
    build: Build
    constant: Any = NOTHING
    options: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is a literal."""
        return self.constant is not NOTHING


NULLS: Final[dict[Kind, str]] = {
    Kind.TEXT: "CAST(NULL AS TEXT)",
    Kind.NUMBER: "CAST(NULL AS NUMERIC)",
    Kind.BOOLEAN: "CAST(NULL AS BOOLEAN)",
    Kind.DATE: "CAST(NULL AS DATE)",
    Kind.DATETIME: "CAST(NULL AS TIMESTAMPTZ)",
    Kind.KEYS: "CAST(NULL AS TEXT[])",
    Kind.NULL: "CAST(NULL AS TEXT)",
}


def expect(term: Term, *kinds: Kind) -> Term:
    """The term, if it is of one of these types; null takes the first. Raises FormulaError `formula_type`."""
    if term.kind is Kind.NULL:
        null = NULLS[kinds[0]]
        return Term(kinds[0], term.at, lambda env: (null,), term.constant)
    if term.kind not in kinds:
        expected = " or ".join(kind.value for kind in kinds)
        raise FormulaError("formula_type", term.at, expected=expected, found=term.kind.value)
    return term


def common(terms: list[Term]) -> tuple[Kind, list[Term]]:
    """The type that all of these share, with nulls brought to it. Raises FormulaError `formula_type` at the first that differs."""
    first = next((term for term in terms if term.kind is not Kind.NULL), None)
    if first is None:
        return Kind.NULL, terms
    return first.kind, [expect(term, first.kind) for term in terms]


def whole(term: Term, low: int, high: int) -> int:
    """The value of a term that has to be a whole number written out. Raises FormulaError `formula_constant`."""
    value = term.constant if term.kind is Kind.NUMBER and term.known else None
    if value is None or value != int(value) or not low <= value <= high:
        raise FormulaError("formula_constant", term.at, min=low, max=high)
    return int(value)
