"""The functions of the language: what each takes, gives and means, and its SQL. Dates are in `dates`.

Whatever the values are, no function raises an error in the database: what has no answer is null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crm_api.kernel.fields import TIMESTAMP_FORMAT
from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.kinds import Kind
from crm_api.kernel.formula.nodes import At
from crm_api.kernel.formula.pieces import Env, Piece, joined, piece
from crm_api.kernel.formula.terms import Term, common, expect, whole

MAX_TEXT: Final = 32_000
"""Characters of a text that is put together; the rest is cut off."""

MAX_REPLACEMENT: Final = 255
MAX_ROUND: Final = 15

TEXT, NUMBER, BOOLEAN, DATE, DATETIME, KEYS = Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME, Kind.KEYS
ORDERED: Final = (NUMBER, DATE, DATETIME)

Make = Callable[[list[Term], At], Term]


@dataclass(frozen=True, slots=True)
class Function:
    """`usage` is how it is written and `says` what it gives; `least` and `most` bound its arguments. `volatile`: depends on now."""

    usage: str
    says: str
    least: int
    most: int
    make: Make
    volatile: bool = False


MANY: Final = 50


def strict(result: Kind, template: str, *kinds: Kind) -> Make:
    """A function of arguments of fixed types whose SQL is a template."""

    def make(terms: list[Term], at: At) -> Term:
        parts = [expect(term, kind) for term, kind in zip(terms, kinds, strict=False)]
        return Term(result, at, lambda env: piece(template, *(part.build(env) for part in parts)))

    return make


def as_text(term: Term) -> Term:
    """Any single value as text."""
    if term.kind in (TEXT, Kind.NULL):
        return expect(term, TEXT)
    templates = {
        NUMBER: "CAST(trim_scale({}) AS TEXT)",
        BOOLEAN: "CAST({} AS TEXT)",
        DATE: "to_char({}, 'YYYY-MM-DD')",
        DATETIME: f"to_char(({{}}) AT TIME ZONE 'UTC', '{TIMESTAMP_FORMAT}')",
    }
    template = templates.get(term.kind)
    if template is None:
        raise FormulaError("formula_type", term.at, expected="text", found=term.kind.value)
    return Term(TEXT, term.at, lambda env: piece(template, term.build(env)))


def concatenated(terms: list[Term], at: At) -> Term:
    """Texts in a row; null counts as no text."""
    parts = [as_text(term) for term in terms]
    return Term(TEXT, at, lambda env: piece(f"left(concat({{}}), {MAX_TEXT})", joined(", ", [part.build(env) for part in parts])))


def check_option(left: Term, right: Term) -> None:
    """A picklist can only be compared with keys that it has."""
    for one, other in ((left, right), (right, left)):
        if one.options and isinstance(other.constant, str) and other.constant not in one.options:
            raise FormulaError("enum", other.at, allowed=list(one.options))


def _if(terms: list[Term], at: At) -> Term:
    condition = expect(terms[0], BOOLEAN)
    kind, branches = common(terms[1:])
    options = tuple(dict.fromkeys(option for branch in branches for option in branch.options))

    def build(env: Env) -> Piece:
        parts = [condition.build(env), *(branch.build(env) for branch in branches)]
        return piece("CASE WHEN {} THEN {} ELSE {} END" if len(parts) == 3 else "CASE WHEN {} THEN {} END", *parts)

    return Term(kind, at, _grouped(build), options=options if all(branch.options for branch in branches) else ())


def _case(terms: list[Term], at: At) -> Term:
    subject, *rest = terms
    default = [rest.pop()] if len(rest) % 2 else []
    _, (subject, *keys) = common([subject, *rest[::2]])
    _ordinary(subject)
    for key in keys:
        check_option(subject, key)
    kind, results = common([*rest[1::2], *default])

    def build(env: Env) -> Piece:
        whens = [piece("WHEN {} THEN {}", k.build(env), r.build(env)) for k, r in zip(keys, results, strict=False)]
        other = piece(" ELSE {}", results[-1].build(env)) if default else ()
        return piece("CASE {} {}{} END", subject.build(env), joined(" ", whens), other)

    return Term(kind, at, _grouped(build))


def _coalesce(terms: list[Term], at: At) -> Term:
    kind, parts = common(terms)
    return Term(kind, at, lambda env: piece("COALESCE({})", joined(", ", [part.build(env) for part in parts])))


def _is_null(terms: list[Term], at: At) -> Term:
    return Term(BOOLEAN, at, lambda env: piece("(({}) IS NULL)", terms[0].build(env)))


def _is_blank(terms: list[Term], at: At) -> Term:
    term = terms[0]
    template = {KEYS: "(COALESCE(cardinality({}), 0) = 0)", TEXT: "(COALESCE(btrim({}), '') = '')"}.get(term.kind, "(({}) IS NULL)")
    return Term(BOOLEAN, at, lambda env: piece(template, term.build(env)))


def _extreme(function: str) -> Make:
    def make(terms: list[Term], at: At) -> Term:
        kind, parts = common(terms)
        for part in parts:
            expect(part, *ORDERED)
        return Term(kind, at, lambda env: piece(f"{function}({{}})", joined(", ", [part.build(env) for part in parts])))

    return make


def _rounded(terms: list[Term], at: At) -> Term:
    term = expect(terms[0], NUMBER)
    digits = whole(terms[1], 0, MAX_ROUND) if len(terms) > 1 else 0
    return Term(NUMBER, at, lambda env: piece(f"round({{}}, {digits})", term.build(env)))


def _text(terms: list[Term], at: At) -> Term:
    if len(terms) == 1:
        return as_text(terms[0])
    number, digits = expect(terms[0], NUMBER), whole(terms[1], 0, MAX_ROUND)
    return Term(TEXT, at, lambda env: piece(f"CAST(round({{}}, {digits}) AS TEXT)", number.build(env)))


def _length(terms: list[Term], at: At) -> Term:
    term = terms[0]
    if term.kind is KEYS:
        return Term(NUMBER, at, lambda env: piece("CAST(COALESCE(cardinality({}), 0) AS NUMERIC)", term.build(env)))
    return strict(NUMBER, "CAST(char_length({}) AS NUMERIC)", TEXT)(terms, at)


def _end(function: str) -> Make:
    """`left` and `right`: so many characters, none if fewer than one."""

    def make(terms: list[Term], at: At) -> Term:
        text, count = expect(terms[0], TEXT), expect(terms[1], NUMBER)
        return Term(
            TEXT,
            at,
            lambda env: env.lets(
                [text.build(env), count.build(env)],
                lambda t, n: piece(f"CASE WHEN {{}} IS NOT NULL THEN {function}({{}}, {{}}) END", n, t, _count(n)),
            ),
        )

    return make


def _count(number: Piece, least: int = 0) -> Piece:
    return piece(f"CAST(trunc(LEAST(GREATEST({{}}, {least}), {MAX_TEXT})) AS INTEGER)", number)


def _substring(terms: list[Term], at: At) -> Term:
    parts = [expect(terms[0], TEXT), *(expect(term, NUMBER) for term in terms[1:])]

    def body(text: Piece, start: Piece, count: Piece | None = None) -> Piece:
        if count is None:
            return piece("CASE WHEN {} IS NOT NULL THEN substr({}, {}) END", start, text, _count(start, 1))
        found = piece("substr({}, {}, {})", text, _count(start, 1), _count(count))
        return piece("CASE WHEN {} IS NOT NULL AND {} IS NOT NULL THEN {} END", start, count, found)

    return Term(TEXT, at, lambda env: env.lets([part.build(env) for part in parts], body))


def _includes(terms: list[Term], at: At) -> Term:
    keys, *wanted = terms
    expect(keys, KEYS)
    for term in wanted:
        check_option(keys, expect(term, TEXT))

    def build(env: Env) -> Piece:
        found = [piece("{} = ANY(CAST({} AS TEXT[]))", expect(term, TEXT).build(env), keys.build(env)) for term in wanted]
        return piece("COALESCE({}, FALSE)", joined(" OR ", found))

    return Term(BOOLEAN, at, build)


def _grouped(build: Callable[[Env], Piece]) -> Callable[[Env], Piece]:
    return lambda env: piece("({})", build(env))


def _ordinary(term: Term) -> None:
    if term.kind is KEYS:
        raise FormulaError("formula_type", term.at, expected="a single value", found=term.kind.value)


_NUMBER_PATTERN: Final = r"^\s*(-?[0-9]{1,30}(?:\.[0-9]{1,30})?)\s*$"

FUNCTIONS: Final[Mapping[str, Function]] = {
    "if": Function("if(condition, then[, else])", "`then` where the condition is true, else `else`, or null.", 2, 3, _if),
    "case": Function(
        "case(value, key, result, …[, default])",
        "The result beside the first key that equals the value, else the default, or null.",
        3,
        MANY,
        _case,
    ),
    "coalesce": Function("coalesce(value, …)", "The first value that is not null.", 1, MANY, _coalesce),
    "is_null": Function("is_null(value)", "Whether there is no value.", 1, 1, _is_null),
    "is_blank": Function("is_blank(value)", "Whether there is no value, only white space, or no key.", 1, 1, _is_blank),
    "includes": Function("includes(keys, key, …)", "Whether tags or a multi-select hold at least one of the keys.", 2, MANY, _includes),
    "min": Function("min(value, …)", "The least of numbers, dates or instants; nulls are skipped.", 1, MANY, _extreme("LEAST")),
    "max": Function("max(value, …)", "The greatest of numbers, dates or instants; nulls are skipped.", 1, MANY, _extreme("GREATEST")),
    "abs": Function("abs(number)", "The number without its sign.", 1, 1, strict(NUMBER, "abs({})", NUMBER)),
    "ceil": Function("ceil(number)", "The next whole number upwards.", 1, 1, strict(NUMBER, "ceil({})", NUMBER)),
    "floor": Function("floor(number)", "The next whole number downwards.", 1, 1, strict(NUMBER, "floor({})", NUMBER)),
    "round": Function(
        "round(number[, digits])", f"Rounded to 0 or up to {MAX_ROUND} decimals; halves away from zero.", 1, 2, _rounded
    ),
    "concat": Function("concat(value, …)", "All values as one text, like `&`; null counts as no text.", 1, MANY, concatenated),
    "text": Function("text(value[, digits])", "A value as text; a number with so many decimals, if they are given.", 1, 2, _text),
    "number": Function(
        "number(text)", "The number that a text spells (`12.50`), else null.", 1, 1,
        strict(NUMBER, f"CAST(substring({{}} FROM '{_NUMBER_PATTERN}') AS NUMERIC)", TEXT),
    ),
    "len": Function("len(text)", "The number of characters; of keys, how many there are.", 1, 1, _length),
    "upper": Function("upper(text)", "In capitals.", 1, 1, strict(TEXT, "upper({})", TEXT)),
    "lower": Function("lower(text)", "In small letters.", 1, 1, strict(TEXT, "lower({})", TEXT)),
    "trim": Function("trim(text)", "Without white space at both ends.", 1, 1, strict(TEXT, r"btrim({}, E' \t\n\r')", TEXT)),
    "contains": Function(
        "contains(text, part)", "Whether the part occurs in the text, letter for letter.", 2, 2,
        strict(BOOLEAN, "(strpos({}, {}) > 0)", TEXT, TEXT),
    ),
    "starts_with": Function(
        "starts_with(text, part)", "Whether the text starts with the part.", 2, 2, strict(BOOLEAN, "starts_with({}, {})", TEXT, TEXT)
    ),
    "ends_with": Function(
        "ends_with(text, part)", "Whether the text ends with the part.", 2, 2,
        strict(BOOLEAN, "starts_with(reverse({}), reverse({}))", TEXT, TEXT),
    ),
    "left": Function("left(text, count)", "The first characters.", 2, 2, _end("left")),
    "right": Function("right(text, count)", "The last characters.", 2, 2, _end("right")),
    "substring": Function(
        "substring(text, start[, count])", "Characters from `start` on (the first is 1), to the end without `count`.", 2, 3, _substring
    ),
    "replace": Function(
        "replace(text, part, by)", f"With each occurrence of the part replaced (by at most {MAX_REPLACEMENT} characters).", 3, 3,
        strict(TEXT, f"left(replace({{}}, {{}}, left({{}}, {MAX_REPLACEMENT})), {MAX_TEXT})", TEXT, TEXT, TEXT),
    ),
}  # fmt: skip
