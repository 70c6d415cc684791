"""Functions of dates and instants. Days without a zone of their own are counted in UTC, so that stored results stay true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm_api.db.statement import NOW, TODAY
from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.functions import DATE, DATETIME, NUMBER, TEXT, Function, Make
from crm_api.kernel.formula.kinds import Kind
from crm_api.kernel.formula.nodes import At
from crm_api.kernel.formula.pieces import Env, Piece, parameter, piece, text_literal
from crm_api.kernel.formula.terms import Term, expect

FIRST, LAST = "DATE '0001-01-01'", "DATE '9999-12-31'"
_FIRST_SECOND, _LAST_SECOND = -62135596800, 253402300799
UTC: Final[Piece] = ("'UTC'",)
UNITS: Final = ("minutes", "hours", "days", "weeks", "months", "years")
STARTS: Final = ("week", "month", "quarter", "year")


def _zone(terms: list[Term], index: int) -> Piece:
    """The time zone that an argument names, UTC if it is left out."""
    if len(terms) <= index:
        return UTC
    term = terms[index]
    name = _word(term)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FormulaError("invalid_time_zone", term.at) from None
    return text_literal(name)


def _word(term: Term) -> str:
    """The value of a text that has to be written out. Raises FormulaError `formula_text_constant`."""
    if not isinstance(term.constant, str):
        raise FormulaError("formula_text_constant", term.at)
    return term.constant


def _choice(term: Term, words: tuple[str, ...]) -> str:
    word = _word(term)
    if word not in words:
        raise FormulaError("enum", term.at, allowed=list(words))
    return word


def _local(term: Term, env: Env, zone: Piece = UTC) -> Piece:
    """A date or instant as a TIMESTAMP without a zone."""
    if term.kind is DATE:
        return piece("CAST({} AS TIMESTAMP)", term.build(env))
    return piece("(({}) AT TIME ZONE {})", term.build(env), zone)


def _part(name: str, *, time: bool = False) -> Make:
    """A part of a date or instant (`time`: of an instant only), in a zone if one is named."""

    def make(terms: list[Term], at: At) -> Term:
        term = expect(terms[0], DATETIME) if time else expect(terms[0], DATE, DATETIME)
        if len(terms) > 1:
            expect(term, DATETIME)
        zone = _zone(terms, 1)
        return Term(NUMBER, at, lambda env: piece(f"CAST(extract({name} FROM {{}}) AS NUMERIC)", _local(term, env, zone)))

    return make


def _date(terms: list[Term], at: At) -> Term:
    if len(terms) == 3:
        parts = [expect(term, NUMBER) for term in terms]
        return Term(DATE, at, lambda env: env.lets([part.build(env) for part in parts], _made))
    term = terms[0]
    if term.kind is DATETIME:
        zone = _zone(terms, 1)
        return Term(DATE, at, lambda env: piece("CAST({} AS DATE)", _local(term, env, zone)))
    if len(terms) == 2:
        expect(term, DATETIME)
    text = expect(term, TEXT)
    return Term(DATE, at, lambda env: env.let(text.build(env), _spelled))


def _made(year: Piece, month: Piece, day: Piece) -> Piece:
    y, m, d = year[0], month[0], day[0]
    bounded = f"{y} BETWEEN 1 AND 9999 AND abs({m}) <= 1200 AND abs({d}) <= 36600"
    rest = f"make_interval(months => CAST(trunc({m}) AS INTEGER) - 1, days => CAST(trunc({d}) AS INTEGER) - 1)"
    return (f"CASE WHEN {bounded} THEN CAST(make_date(CAST(trunc({y}) AS INTEGER), 1, 1) + {rest} AS DATE) END",)


def _spelled(text: Piece) -> Piece:
    """`YYYY-MM-DD` of a day that there is."""
    v = text[0]
    first = f"make_date(CAST(left({v}, 4) AS INTEGER), CAST(substr({v}, 6, 2) AS INTEGER), 1)"
    day = f"CAST(substr({v}, 9, 2) AS INTEGER)"
    shaped = rf"{v} ~ '^[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' AND left({v}, 4) <> '0000'"
    there = f"{day} <= extract(day FROM {first} + INTERVAL '1 month - 1 day')"
    return (f"CASE WHEN {shaped} THEN CASE WHEN {there} THEN {first} + ({day} - 1) END END",)


def _datetime(terms: list[Term], at: At) -> Term:
    day, zone = expect(terms[0], DATE), _zone(terms, 1)
    return Term(DATETIME, at, lambda env: piece("(CAST({} AS TIMESTAMP) AT TIME ZONE {})", day.build(env), zone))


def add_days(terms: list[Term], at: At) -> Term:
    """A day or instant so many days later; null beyond the years 1 to 9999."""
    start, count = expect(terms[0], DATE, DATETIME), expect(terms[1], NUMBER)
    if start.kind is DATETIME:
        return _later(start, count, 86400, at)

    def body(day: Piece, n: Piece) -> Piece:
        bounded = piece(f"abs({{}}) <= 3700000 AND ({{}} - {FIRST}) + trunc({{}}) BETWEEN 0 AND ({LAST} - {FIRST})", n, day, n)
        return piece("CASE WHEN {} THEN {} + CAST(trunc({}) AS INTEGER) END", bounded, day, n)

    return Term(DATE, at, lambda env: env.lets([start.build(env), count.build(env)], body))


def _add_hours(terms: list[Term], at: At) -> Term:
    return _later(expect(terms[0], DATETIME), expect(terms[1], NUMBER), 3600, at)


def _later(start: Term, count: Term, seconds: int, at: At) -> Term:
    def body(instant: Piece, n: Piece) -> Piece:
        within = piece(f"extract(epoch FROM {{}}) + {{}} * {seconds} BETWEEN {_FIRST_SECOND} AND {_LAST_SECOND}", instant, n)
        moved = piece(f"{{}} + make_interval(secs => CAST({{}} * {seconds} AS DOUBLE PRECISION))", instant, _fine(n))
        return piece("CASE WHEN {} THEN {} END", within, moved)

    return Term(DATETIME, at, lambda env: env.lets([start.build(env), count.build(env)], body))


def _fine(number: Piece) -> Piece:
    """A number with no more decimals than a float holds; without this a tiny one would be out of range."""
    return piece("round({}, 12)", number)


def _add_months(terms: list[Term], at: At) -> Term:
    start, count = expect(terms[0], DATE, DATETIME), expect(terms[1], NUMBER)

    def body(day: Piece, n: Piece) -> Piece:
        month = piece("extract(year FROM {}) * 12 + extract(month FROM {}) - 1 + trunc({})", day, day, n)
        bounded = piece("abs({}) <= 120000 AND {} BETWEEN 12 AND 119999", n, month)
        return piece("CASE WHEN {} THEN {} + make_interval(months => CAST(trunc({}) AS INTEGER)) END", bounded, day, n)

    def build(env: Env) -> Piece:
        moved = env.lets([_local(start, env), count.build(env)], body)
        return piece("CAST({} AS DATE)", moved) if start.kind is DATE else piece("({} AT TIME ZONE 'UTC')", moved)

    return Term(start.kind, at, build)


def _both(first: Term, second: Term) -> tuple[Term, Term]:
    """Two days or two instants."""
    first = expect(first, second.kind if first.kind is Kind.NULL and second.kind is DATETIME else DATE, DATETIME)
    return first, expect(second, first.kind)


def days_between(terms: list[Term], at: At) -> Term:
    """Whole days from the first to the second, negative if that is earlier."""
    first, second = _both(terms[0], terms[1])
    if first.kind is DATE:
        return Term(NUMBER, at, lambda env: piece("CAST(({}) - ({}) AS NUMERIC)", second.build(env), first.build(env)))
    return Term(NUMBER, at, lambda env: _span(env, first, second, 86400))


def _span(env: Env, first: Term, second: Term, seconds: int) -> Piece:
    return piece(f"trunc(extract(epoch FROM ({{}}) - ({{}})) / {seconds})", _local(second, env), _local(first, env))


def _date_diff(terms: list[Term], at: At) -> Term:
    first, second = _both(terms[0], terms[1])
    unit = _choice(terms[2], UNITS)
    seconds = {"minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}.get(unit)
    if seconds is not None:
        return Term(NUMBER, at, lambda env: _span(env, first, second, seconds))
    months = "extract(year FROM {}) * 12 + extract(month FROM {})" if unit == "months" else "extract(year FROM {})"

    def body(age: Piece) -> Piece:
        return piece(f"CAST({months} AS NUMERIC)", *([age] * months.count("{}")))

    return Term(NUMBER, at, lambda env: env.let(piece("age({}, {})", _local(second, env), _local(first, env)), body))


def _start_of(terms: list[Term], at: At) -> Term:
    day, unit = expect(terms[0], DATE), _choice(terms[1], STARTS)
    return Term(DATE, at, lambda env: piece(f"CAST(date_trunc('{unit}', {{}}) AS DATE)", _local(day, env)))


def _today(terms: list[Term], at: At) -> Term:
    return Term(DATE, at, lambda env: parameter(TODAY))


def _now(terms: list[Term], at: At) -> Term:
    return Term(DATETIME, at, lambda env: parameter(NOW))


DATES: Final[Mapping[str, Function]] = {
    "today": Function("today()", "The day that it is in the organisation's time zone.", 0, 0, _today, True),
    "now": Function("now()", "The present instant.", 0, 0, _now, True),
    "date": Function(
        "date(value[, zone])",
        "The day of an instant (in UTC, if no zone is named), of a text `2026-11-30`, or of `date(year, month, day)`, where months and days"
        " beyond the end go on into the next year and month.",
        1,
        3,
        _date,
    ),
    "datetime": Function("datetime(date[, zone])", "The instant at which a day begins, in UTC if no zone is named.", 1, 2, _datetime),
    "year": Function("year(value[, zone])", "The year of a day, or of an instant.", 1, 2, _part("year")),
    "month": Function("month(value[, zone])", "The month, 1 to 12.", 1, 2, _part("month")),
    "day": Function("day(value[, zone])", "The day of the month.", 1, 2, _part("day")),
    "weekday": Function("weekday(value[, zone])", "1 for Monday to 7 for Sunday.", 1, 2, _part("isodow")),
    "hour": Function("hour(instant[, zone])", "The hour, 0 to 23.", 1, 2, _part("hour", time=True)),
    "minute": Function("minute(instant[, zone])", "The minute.", 1, 2, _part("minute", time=True)),
    "add_days": Function("add_days(value, count)", "So many days later, or earlier; like `value + count`.", 2, 2, add_days),
    "add_hours": Function("add_hours(instant, count)", "So many hours later, or earlier.", 2, 2, _add_hours),
    "add_months": Function("add_months(value, count)", "So many months later; the 31st becomes the last day.", 2, 2, _add_months),
    "days_between": Function(
        "days_between(from, to)", "Whole days from one day or instant to the other; like `to - from`.", 2, 2, days_between
    ),
    "date_diff": Function("date_diff(from, to, unit)", f"Whole units between two days or instants: {', '.join(UNITS)}.", 3, 3, _date_diff),
    "start_of": Function(
        "start_of(date, unit)", f"The first day of the {', '.join(STARTS)} that a day is in; weeks begin on Monday.", 2, 2, _start_of
    ),
}

__all__ = ["DATES", "FIRST", "LAST", "add_days", "days_between"]
