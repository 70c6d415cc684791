"""Criteria patterns: `(1 and 2) or not 3`, where each number stands for a condition of a numbered list.

    expression = term { "or" term }
    term       = factor { "and" factor }
    factor     = "not" factor | "(" expression ")" | number

`and` binds closer than `or`, words are read in any case. Each condition is used at least once, so that none that somebody sees
in a list has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from crm_api.core.errors import InvalidValue

_TOKEN: Final = re.compile(r"\s*(?:([0-9]+)|([A-Za-z]+)|([()]))")
_WORDS: Final = ("and", "or", "not")
MAX_NESTING: Final = 20


def combine(conditions: Sequence[Any], pattern: str | None) -> dict[str, Any] | None:
    """The search tree of numbered conditions, put together as the pattern says, or by `and` without one; None for no conditions.

    Raises InvalidValue `invalid_pattern`.
    """
    if pattern is None:
        if not conditions:
            return None
        return dict(conditions[0]) if len(conditions) == 1 else {"and": list(conditions)}
    parser = _Parser(pattern, conditions)
    tree = parser.expression(0)
    if parser.position < len(parser.tokens):
        raise wrong(f"“{parser.tokens[parser.position]}” was not expected")
    unused = sorted(set(range(1, len(conditions) + 1)) - parser.used)
    if unused:
        raise wrong(f"condition {unused[0]} is not used")
    return tree


def wrong(reason: str) -> InvalidValue:
    """A mistake in a pattern."""
    return InvalidValue("invalid_pattern", reason=reason)


class _Parser:
    def __init__(self, pattern: str, conditions: Sequence[Any]) -> None:
        self.conditions = conditions
        self.tokens = _tokens(pattern)
        self.position = 0
        self.used: set[int] = set()

    def expression(self, depth: int) -> dict[str, Any]:
        return self._joined("or", depth)

    def _joined(self, word: str, depth: int) -> dict[str, Any]:
        items = [self._part(word, depth)]
        while self._next() == word:
            self.position += 1
            items.append(self._part(word, depth))
        return items[0] if len(items) == 1 else {word: items}

    def _part(self, word: str, depth: int) -> dict[str, Any]:
        return self._joined("and", depth) if word == "or" else self._factor(depth)

    def _factor(self, depth: int) -> dict[str, Any]:
        if depth > MAX_NESTING:
            raise wrong(f"it is nested more than {MAX_NESTING} levels deep")
        token = self._next()
        if token is None:
            raise wrong("it ends too early")
        self.position += 1
        if token == "not":
            return {"not": self._factor(depth + 1)}
        if token == "(":
            tree = self.expression(depth + 1)
            if self._next() != ")":
                raise wrong("a parenthesis is not closed")
            self.position += 1
            return tree
        if not token.isdigit():
            raise wrong(f"“{token}” was not expected")
        number = int(token)
        if not 1 <= number <= len(self.conditions):
            raise wrong(f"there is no condition {number}")
        self.used.add(number)
        return dict(self.conditions[number - 1])

    def _next(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None


def _tokens(pattern: str) -> list[str]:
    found, position, text = [], 0, pattern.rstrip()
    while position < len(text):
        matched = _TOKEN.match(text, position)
        if matched is None:
            raise wrong(f"“{text[position:].strip()[:1]}” was not expected")
        number, word, bracket = matched.groups()
        token = number or bracket or word.lower()
        if word is not None and token not in _WORDS:
            raise wrong(f"“{word}” was not expected")
        found.append(token if number is None or len(number) < 5 else "99999")
        position = matched.end()
    return found
