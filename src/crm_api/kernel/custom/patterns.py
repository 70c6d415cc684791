"""Regular expressions that organisations give: RE2, whose time is linear in the text, since both come from strangers.

RE2 has neither back-references nor look-around; who asks for them hears so when the field is made.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

import re2

from crm_api.core.errors import InvalidValue

MAX_MEMORY: Final = 1 << 20
"""Bytes that one compiled expression and its matching may take."""


class Pattern(Protocol):
    """A compiled expression."""

    @property
    def pattern(self) -> str:
        """Its text."""

    def fullmatch(self, text: str) -> object | None:
        """Something if the whole text matches."""


@lru_cache(maxsize=2048)
def compile_pattern(text: str) -> Pattern:
    """Raises InvalidValue `invalid_pattern` for what RE2 doesn't understand or finds too large."""
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(text, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise InvalidValue("invalid_pattern", reason=reason.decode() if isinstance(reason, bytes) else str(reason)) from None
    return compiled
