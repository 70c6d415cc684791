"""What is wrong with a formula, and where in its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_api.core.errors import InvalidValue
from crm_api.kernel.formula.nodes import At


class FormulaError(InvalidValue):
    """A mistake at a place of the text: `params` hold its `line` and `column`, both counted from 1."""

    def __init__(self, code: str, at: At, *, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        super().__init__(code, allowed=allowed, line=at.line, column=at.column, **params)
