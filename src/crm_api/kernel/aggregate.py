"""Counts, sums and other figures over the records that a filter matches, in groups, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import FieldError, InvalidValue, TooExpensive, ValidationFailed
from crm_api.core.fiscal import FiscalYear
from crm_api.core.money import decimal_text
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.fiscal_groups import FISCAL, fiscal_arguments, fiscal_key, fiscal_name
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.compiler import ReadCompiler, journal_head
from crm_api.kernel.query.digest import touched
from crm_api.kernel.query.filters import Source
from crm_api.kernel.query.parse import QueryParser, under
from crm_api.kernel.query.paths import resolve
from crm_api.kernel.query.plan import Path, Plan
from crm_api.kernel.query.values import Locale
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

MAX_GROUP_BY: Final = 3
MAX_MEASURES: Final = 10
MAX_GROUPS: Final = 1_000
KEYS: Final = ("filter", "group_by", "measures")
OPS: Final = ("count", "sum", "avg", "min", "max", "median", "checksum")
PARTS: Final = ("day", "week", "month", "quarter", "year", *FISCAL)
_FORMATS: Final = {"day": "YYYY-MM-DD", "week": 'IYYY-"W"IW', "month": "YYYY-MM", "quarter": 'YYYY-"Q"Q', "year": "YYYY"}
_NUMERIC: Final = (FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL, FieldType.CURRENCY)
_ORDERED: Final = (*_NUMERIC, FieldType.DATE, FieldType.DATETIME)
_GROUPABLE: Final = (
    FieldType.TEXT,
    FieldType.EMAIL,
    FieldType.PHONE,
    FieldType.URL,
    FieldType.PICKLIST,
    FieldType.REFERENCE,
    FieldType.BOOLEAN,
    FieldType.UUID,
    FieldType.DATE,
    FieldType.DATETIME,
    FieldType.INTEGER,
    FieldType.NUMBER,
)


@dataclass(frozen=True, slots=True)
class Group:
    """What records are grouped by: a field, or the period that a date or instant falls into."""

    path: Path
    by: str | None = None

    @property
    def name(self) -> str:
        """The member of `group` that holds the value."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a group."""

    op: str
    field: str | None = None

    @property
    def name(self) -> str:
        """`count`, `checksum`, `sum_amount`, …"""
        return self.op if self.field is None else f"{self.op}_{self.field}"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A request: its plan (object and filter), groups and measures."""

    plan: Plan
    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]


def parse_aggregate(context: Context, resource: AnyResource, body: Any, locale: Locale) -> tuple[Aggregate, list[Any]]:
    """Reads the body. Raises ValidationFailed with every mistake at once."""
    parser = QueryParser(context.registry, locale, "body")
    root = {"pointer": ""}
    if not isinstance(body, dict):
        raise ValidationFailed([InvalidValue("invalid_body", expected="object").at(pointer="")])
    for key in body:
        if key not in KEYS:
            parser.wrong(InvalidValue("unknown_field", allowed=list(KEYS)), under(root, key))
    tree = None if body.get("filter") is None else parser.tree(body["filter"], resource, under(root, "filter"))
    groups = [_group(parser, context, resource, raw, i) for i, raw in enumerate(_listed(parser, body, "group_by", MAX_GROUP_BY))]
    raw_measures = _listed(parser, body, "measures", MAX_MEASURES) or [{"op": "count"}]
    measures = [_measure(parser, resource, raw, i) for i, raw in enumerate(raw_measures)]
    parser.finish()
    plan = Plan(resource.name, filter=tree)
    found = Aggregate(plan, tuple(g for g in groups if g), tuple(dict.fromkeys(m for m in measures if m)))
    return found, list(parser.values)


def _listed(parser: QueryParser, body: Mapping[str, Any], key: str, most: int) -> Sequence[Any]:
    value = body.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        parser.wrong(InvalidValue("type", expected="array"), {"pointer": f"/{key}"})
        return ()
    if len(value) > most:
        parser.wrong(InvalidValue("too_many_items", max_items=most), {"pointer": f"/{key}"})
    return value[:most]


def _group(parser: QueryParser, context: Context, resource: AnyResource, raw: Any, index: int) -> Group | None:
    at = {"pointer": f"/group_by/{index}"}
    by = None
    name = raw
    if isinstance(raw, dict):
        for key in raw:
            if key not in ("field", "by"):
                parser.wrong(InvalidValue("unknown_field", allowed=["field", "by"]), under(at, key))
        name, by = raw.get("field"), raw.get("by")
    if not isinstance(name, str):
        parser.wrong(InvalidValue("type", expected="field name"), at)
        return None
    path = tuple(name.split("."))
    try:
        resolved = resolve(context.registry, resource, path)
    except InvalidValue as error:
        parser.wrong(error, at)
        return None
    field = resolved.field
    if field is None or resolved.to_many or resolved.part is not None or field.type not in _GROUPABLE:
        parser.wrong(InvalidValue("enum", allowed=[n for n, f in resource.all_fields.items() if f.type in _GROUPABLE]), at)
        return None
    dated = field.type in (FieldType.DATE, FieldType.DATETIME)
    if dated and by not in PARTS:
        parser.wrong(InvalidValue("enum" if by is not None else "required", allowed=list(PARTS)), under(at, "by"))
        return None
    if by is not None and not dated:
        parser.wrong(InvalidValue("unknown_field", allowed=["field"]), under(at, "by"))
        return None
    return Group(path, by)


def _measure(parser: QueryParser, resource: AnyResource, raw: Any, index: int) -> Measure | None:
    at = {"pointer": f"/measures/{index}"}
    if not isinstance(raw, dict):
        parser.wrong(InvalidValue("type", expected="object"), at)
        return None
    op, name = raw.get("op"), raw.get("field")
    for key in raw:
        if key not in ("op", "field") or (key == "field" and op in ("count", "checksum")):
            parser.wrong(InvalidValue("unknown_field", allowed=["op", "field"]), under(at, key))
    if op not in OPS:
        parser.wrong(InvalidValue("enum", allowed=list(OPS)), under(at, "op"))
        return None
    if op in ("count", "checksum"):
        return Measure(op)
    allowed = [n for n, f in resource.all_fields.items() if f.type in (_ORDERED if op in ("min", "max") else _NUMERIC)]
    if name not in allowed:
        parser.wrong(InvalidValue("enum" if name is not None else "required", allowed=allowed), under(at, "field"))
        return None
    return Measure(op, name)


async def aggregate(context: Context, resource: AnyResource, body: Any, locale: Locale) -> tuple[list[dict[str, Any]], int]:
    """The groups with their figures, in the order of their values, and the journal's number that the answer contains.

    Raises ValidationFailed (also where money of several currencies would be added up) and TooExpensive for too many groups.
    """
    asked, values = parse_aggregate(context, resource, body, locale)
    policy = context.policy
    context.plan_by_values(resource)
    paths = tuple(group.path for group in asked.groups)
    policy.require_read(touched(context.registry, resource, asked.plan))
    for path in paths:
        policy.require_read(step.target for step in resolve(context.registry, resource, path).steps)
    by_weeks = locale.fiscal.by_weeks
    shape = ("aggregate", context.registry.key, policy.shape, asked, by_weeks)
    statement = context.statements.get(shape, lambda: _statement(context, policy, resource, asked, by_weeks))
    who = {"org_id": context.principal.org_id, **context.policy.values}
    arguments = {**who, "zone": locale.zone.key, **{f"v{i}": value for i, value in enumerate(values)}}
    arguments.update(fiscal_arguments((group.by for group in asked.groups), locale.fiscal))
    rows = await context.uow.fetch(statement, arguments)
    if len(rows) > MAX_GROUPS:
        raise TooExpensive("groups", MAX_GROUPS)
    found = [row for row in rows if row["present"]]
    _check_currency(asked, resource, found)
    return [_shown(asked, resource, row, locale.fiscal) for row in found], rows[0]["head"] or 0


def _statement(context: Context, policy: Policy, resource: AnyResource, asked: Aggregate, by_weeks: bool) -> Statement:
    source, where = ReadCompiler(context.registry, policy).scope(asked.plan)
    keys = [_key(source, group, by_weeks).label(f"g{i}") for i, group in enumerate(asked.groups)]
    figures = [_figure(source, measure).label(f"m{i}") for i, measure in enumerate(asked.measures)]
    if _money(asked, resource):
        currency = source.row.c.currency
        figures += [sa.func.min(currency).label("c_low"), sa.func.max(currency).label("c_high")]
    grouped = sa.select(*keys, *figures, sa.true().label("present")).select_from(source.whole).where(*where)
    if keys:
        numbers: list[ColumnElement[Any]] = [sa.literal_column(str(i + 1)) for i in range(len(keys))]
        grouped = grouped.group_by(*numbers).order_by(*numbers)
    rows = grouped.limit(sa.literal_column(str(MAX_GROUPS + 1))).subquery("a")
    head = sa.select(journal_head().label("head")).subquery("h")
    return compile_statement(sa.select(head, rows).select_from(head.outerjoin(rows, sa.true())))


def _key(source: Source, group: Group, by_weeks: bool) -> ColumnElement[Any]:
    resolved = resolve(source.registry, source.resource, group.path)
    assert resolved.field is not None
    _, row = source.join(resolved.steps)
    value = resolved.field.value(row)
    if group.by is None:
        return value
    if resolved.field.type is FieldType.DATETIME:
        value = value.op("AT TIME ZONE")(sa.bindparam("zone", type_=sa.Text()))
    if group.by in FISCAL:
        return fiscal_key(value, group.by, by_weeks)
    pattern = _FORMATS[group.by].replace("'", "''")
    return sa.func.to_char(sa.cast(value, sa.DateTime()), sa.literal_column(f"'{pattern}'"))


def _figure(source: Source, measure: Measure) -> ColumnElement[Any]:
    row = source.row
    if measure.op == "count":
        return sa.func.count()
    if measure.op == "checksum":
        text = sa.cast(row.c.id, sa.Text).concat(sa.literal_column("':'")).concat(sa.cast(row.c.version, sa.Text))
        digest = sa.func.encode(
            sa.func.substr(sa.func.sha256(sa.func.convert_to(text, sa.literal_column("'UTF8'"))), *map(_literal, (1, 8))),
            sa.literal_column("'hex'"),
        )
        return sa.func.coalesce(sa.func.sum(sa.cast(sa.cast(sa.literal_column("'x'").concat(digest), _Bits()), sa.BigInteger)), _literal(0))
    assert measure.field is not None
    value = source.resource.all_fields[measure.field].value(row)
    if measure.op == "median":
        return sa.func.percentile_cont(sa.literal_column("0.5")).within_group(sa.cast(value, sa.Double()).asc())
    figure: ColumnElement[Any] = getattr(sa.func, measure.op)(value)
    return figure


class _Bits(sa.types.UserDefinedType[str]):
    """`bit(64)`, through which PostgreSQL reads a hexadecimal number."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in SQL."""
        return "bit(64)"


def _literal(value: int) -> ColumnElement[int]:
    return sa.literal_column(str(value))


def _money(asked: Aggregate, resource: AnyResource) -> bool:
    return "currency" in resource.fields and any(_in_own_currency(resource, measure) for measure in asked.measures)


def _in_own_currency(resource: AnyResource, measure: Measure) -> bool:
    """Whether a figure is about amounts that each record has in a currency of its own."""
    if measure.field is None:
        return False
    found = resource.all_fields[measure.field]
    return found.type is FieldType.CURRENCY and found.spec.base_of is None


def _check_currency(asked: Aggregate, resource: AnyResource, rows: Sequence[asyncpg.Record]) -> None:
    """Amounts of two currencies have no sum, and no order either."""
    if not _money(asked, resource) or any(group.path == ("currency",) for group in asked.groups):
        return
    seen = {row[name] for row in rows for name in ("c_low", "c_high")} - {None}
    if len(seen) > 1:
        raise ValidationFailed(
            [
                FieldError("mixed_currencies", pointer=f"/measures/{i}/field", params={"currencies": ", ".join(sorted(seen))})
                for i, measure in enumerate(asked.measures)
                if _in_own_currency(resource, measure)
            ]
        )


def _shown(asked: Aggregate, resource: AnyResource, row: asyncpg.Record, fiscal: FiscalYear) -> dict[str, Any]:
    group = {g.name: _plain(fiscal_name(row[f"g{i}"], g.by, fiscal)) for i, g in enumerate(asked.groups)}
    figures = {m.name: _figure_text(m, resource, row[f"m{i}"]) for i, m in enumerate(asked.measures)}
    return {"group": group, **figures}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _figure_text(measure: Measure, resource: AnyResource, value: Any) -> Any:
    """Counts are numbers; what is exact or may be long is a string, as money is everywhere."""
    if measure.op == "count":
        return value
    if measure.op == "checksum":
        return str(int(value) % 2**64)
    if value is None:
        return None
    assert measure.field is not None
    kind = resource.all_fields[measure.field].type
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if measure.op in ("avg", "median"):
        rounded = Decimal(str(value)).quantize(Decimal("0.000001"))
        value = rounded.quantize(Decimal(1)) if rounded == rounded.to_integral_value() else rounded.normalize()
    if kind is FieldType.INTEGER and measure.op in ("sum", "min", "max"):
        return int(value)
    if kind is FieldType.NUMBER:
        return _plain(Decimal(value))
    return decimal_text(Decimal(value))
