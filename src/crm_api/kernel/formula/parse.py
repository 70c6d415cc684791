"""From text to nodes."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from crm_api.core.errors import InvalidValue
from crm_api.core.text import check_text
from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.nodes import At, Call, Chain, Group, Literal, Name, Node, Unary

MAX_LENGTH: Final = 4_000
MAX_NESTING: Final = 30
MAX_PARTS: Final = 400
MAX_DIGITS: Final = 30

GRAMMAR: Final = r"""
?start: disjunction
?disjunction: conjunction (OR conjunction)*
?conjunction: negation (AND negation)*
?negation: comparison
    | NOT negation -> unary
?comparison: concatenation (COMPARE concatenation)?
?concatenation: sum (AMPERSAND sum)*
?sum: product ((PLUS | MINUS) product)*
?product: sign ((STAR | SLASH | PERCENT) sign)*
?sign: atom
    | MINUS sign -> unary
?atom: NUMBER -> number
    | STRING -> string
    | (TRUE | FALSE | NULL) -> constant
    | NAME "(" [disjunction ("," disjunction)*] ")" -> call
    | NAME ("." NAME)* -> name
    | LEFT disjunction ")" -> group

LEFT: "("
OR.2: /or\b/i
AND.2: /and\b/i
NOT.2: /not\b/i
TRUE.2: /true\b/i
FALSE.2: /false\b/i
NULL.2: /null\b/i
COMPARE: "==" | "=" | "!=" | "<>" | "<=" | ">=" | "<" | ">"
AMPERSAND: "&"
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
PERCENT: "%"
NUMBER: /[0-9]+(\.[0-9]+)?/
STRING: /"(\\.|[^"\\])*"/s | /'(\\.|[^'\\])*'/s
NAME: /[A-Za-z_][A-Za-z0-9_]*/

%import common.WS
%ignore WS
"""

_SPOKEN: Final = {
    "OR": "or", "AND": "and", "NOT": "not", "TRUE": "true", "FALSE": "false", "NULL": "null", "COMPARE": "a comparison",
    "AMPERSAND": "&", "PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/", "PERCENT": "%", "NUMBER": "a number", "STRING": "a text",
    "NAME": "a name", "LEFT": "(", "LPAR": "(", "RPAR": ")", "COMMA": ",", "DOT": ".", "$END": "the end",
}  # fmt: skip
_ESCAPES: Final = {"n": "\n", "t": "\t"}
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def parse(text: str) -> Node:
    """The formula as nodes. Raises FormulaError with the place of the mistake, InvalidValue if the text is too long."""
    if not isinstance(text, str):
        raise InvalidValue("type", expected="string")
    check_text(text)
    if len(text) > MAX_LENGTH:
        raise InvalidValue("max_length", max_length=MAX_LENGTH)
    return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    try:
        root: Node = _parser().parse(text)  # type: ignore[assignment]  # the transformer makes nodes of lark's trees
    except UnexpectedInput as error:
        raise _mistake(error, text) from None
    if root.depth > MAX_NESTING:
        raise FormulaError("formula_depth", root.at, max=MAX_NESTING)
    if root.size > MAX_PARTS:
        raise FormulaError("formula_size", root.at, max=MAX_PARTS)
    return root


def _mistake(error: UnexpectedInput, text: str) -> FormulaError:
    if isinstance(error, UnexpectedCharacters):
        return FormulaError("formula_syntax", At(error.line, error.column), found=error.char)
    assert isinstance(error, UnexpectedToken)
    names = {_SPOKEN.get(name, name) for name in error.accepts or error.expected}
    if error.token.type == "$END":
        lines = text.split("\n")
        return FormulaError("formula_syntax", At(len(lines), len(lines[-1]) + 1), found="the end", allowed=sorted(names))
    return FormulaError("formula_syntax", At(error.line, error.column), found=str(error.token), allowed=sorted(names))


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", transformer=_Nodes(), maybe_placeholders=False)


def _at(token: Token) -> At:
    return At(token.line or 1, token.column or 1)


class _Nodes(Transformer[Token, Any]):
    """Makes a node of each rule while the parser runs, so that no tree of any depth is walked."""

    def number(self, items: list[Token]) -> Literal:
        token = items[0]
        if sum(char.isdigit() for char in token) > MAX_DIGITS:
            raise FormulaError("max_digits", _at(token), max_digits=MAX_DIGITS)
        return Literal(Decimal(token), _at(token))

    def string(self, items: list[Token]) -> Literal:
        token = items[0]
        return Literal(_ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1]), _at(token))

    def constant(self, items: list[Token]) -> Literal:
        token = items[0]
        return Literal({"TRUE": True, "FALSE": False, "NULL": None}[token.type], _at(token))

    def name(self, items: list[Token]) -> Name:
        return Name(tuple(str(token) for token in items), _at(items[0]))

    def call(self, items: list[Any]) -> Call:
        name, *arguments = items
        depth = 1 + max((item.depth for item in arguments), default=0)
        return Call(name.lower(), tuple(arguments), _at(name), depth, 1 + sum(item.size for item in arguments))

    def group(self, items: list[Any]) -> Group:
        left, item = items
        return Group(item, _at(left), item.depth + 1, item.size)

    def unary(self, items: list[Any]) -> Unary:
        token, item = items
        return Unary(token.lower(), item, _at(token), item.depth + 1, item.size + 1)

    def disjunction(self, items: list[Any]) -> Chain:
        operands = tuple(items[::2])
        operators = tuple(str(token).lower() for token in items[1::2])
        nested = 1 + sum(operator in "/%" for operator in operators)
        return Chain(operators, operands, operands[0].at, nested + max(item.depth for item in operands), 1 + sum(i.size for i in operands))

    conjunction = comparison = concatenation = sum = product = disjunction


__all__ = ["GRAMMAR", "MAX_LENGTH", "MAX_NESTING", "MAX_PARTS", "parse"]
