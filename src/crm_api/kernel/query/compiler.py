"""Plans as statements: each read is one SELECT that returns finished JSON."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.query.filters import LINKS, ORG, FilterCompiler, Source, Visibility, bind, live, related
from crm_api.kernel.query.plan import Expansion, Path, Plan
from crm_api.kernel.query.projection import record_columns
from crm_api.kernel.query.sorting import after, keys_of, order_by
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.events import Counter, Event, JournalEntry

MARK = f"~{secrets.token_hex(8)}"
"""Stands in JSON where an expanded list's cursor goes: only the application can sign one. Random, so no stored text imitates it."""

RANK_LIMIT = 2_000
AsOf = Callable[[AnyResource, str], FromClause]


@dataclass(frozen=True, slots=True)
class CompiledRead:
    """A statement and how to read its rows: `json`, sort keys `k0…`, `id`, and the header columns."""

    statement: Statement
    key_count: int
    has_marks: bool


class ReadCompiler:
    """Compiles plans over one registry for callers with one kind of visibility."""

    def __init__(self, registry: Registry, visibility: Visibility, as_of: AsOf | None = None) -> None:
        self.registry = registry
        self.visibility = visibility
        self._as_of = as_of

    def one(self, plan: Plan) -> CompiledRead:
        """Records by id, whatever their state: `json, id, version, deleted, merged_into`."""
        run = _Run(self, plan)
        resource = self.registry[plan.object]
        row = run.table(resource, "t")
        assert plan.ids is not None
        source = run.filters.source(resource, row)
        columns = run.columns(resource, row, plan.fields, plan.expand)
        seen = self.visibility.predicate(resource, row)
        query = (
            sa.select(
                _as_text(columns, row).label("json"),
                row.c.id,
                row.c.version,
                row.c.deleted_at.is_not(None).label("deleted"),
                row.c.merged_into,
                _head().label("head"),
            )
            .select_from(source.clause)
            .where(row.c.org_id == ORG, row.c.id == sa.func.any(bind(plan.ids, ARRAY(sa.Uuid()))))
        )
        return CompiledRead(compile_statement(query if seen is None else query.where(seen)), 0, run.marks)

    def page(self, plan: Plan) -> CompiledRead:
        """One page: a header (`head`, `count`, `parent`) on every row, and per record `json, k0…, id`."""
        run = _Run(self, plan)
        resource = self.registry[plan.object]
        inner, key_names = run.pick(resource)
        page_row = inner.subquery("p")
        columns = run.columns(resource, page_row, plan.fields, plan.expand)
        if plan.parent is not None and "link" in page_row.c:
            columns.append(page_row.c.link)
        picked = (
            sa.select(_as_text(columns, page_row).label("json"), *(page_row.c[name] for name in key_names), page_row.c.id)
            .order_by(page_row.c.n)
            .subquery("d")
        )
        header = [_head().label("head"), run.count(resource).label("count"), run.parent().label("parent")]
        if plan.text is not None:
            header.append(run.breadth(resource).label("breadth"))
        head = sa.select(*header).subquery("h")
        query = sa.select(head, picked).select_from(head.outerjoin(picked, sa.true()))
        return CompiledRead(compile_statement(query), len(key_names), run.marks)

    def matching_ids(self, plan: Plan) -> Statement:
        """The ids of all records that a plan's filter matches, for bulk work."""
        run = _Run(self, plan)
        return compile_statement(run.matching(self.registry[plan.object], lambda s: [s.row.c.id]))

    def counted(self, plan: Plan) -> Statement:
        """How many records a plan's filter matches."""
        run = _Run(self, plan)
        return compile_statement(
            sa.select(sa.func.count()).select_from(run.matching(self.registry[plan.object], lambda s: [s.row.c.id]).subquery())
        )


def _head() -> ColumnElement[Any]:
    """The journal's number at this statement's snapshot: every event up to it is contained in the answer."""
    counters = Counter.__table__
    return (
        sa.select(counters.c.value)
        .where(counters.c.org_id == ORG, counters.c.name == sa.literal_column("'journal'"))
        .correlate(None)
        .scalar_subquery()
    )


def _as_json(columns: Sequence[ColumnElement[Any]], row: FromClause) -> ColumnElement[Any]:
    """The select list of one row as a JSON object."""
    inner = sa.select(*columns).correlate(row).subquery("_r")
    return sa.select(sa.func.row_to_json(sa.literal_column("_r"))).select_from(inner).scalar_subquery()


def _as_text(columns: Sequence[ColumnElement[Any]], row: FromClause) -> ColumnElement[str]:
    return sa.cast(_as_json(columns, row), sa.Text)


class _Run:
    """The compilation of one plan."""

    def __init__(self, compiler: ReadCompiler, plan: Plan) -> None:
        self.compiler = compiler
        self.plan = plan
        self.registry = compiler.registry
        self.filters = FilterCompiler(compiler.registry, compiler.visibility, self.table)
        self.marks = False

    def table(self, resource: AnyResource, name: str) -> FromClause:
        """The table of an object under an alias, or as it was at the plan's instant."""
        if self.plan.as_of is not None and self.compiler._as_of is not None:
            return self.compiler._as_of(resource, f"v{self.plan.as_of}").alias(name)
        return resource.table.alias(name)

    # --- which records ------------------------------------------------------------------------------------------------

    def _scope(self, resource: AnyResource) -> tuple[Source, list[ColumnElement[bool]]]:
        plan = self.plan
        row = self.table(resource, "t")
        relation = self._parent_relation()
        link = LINKS.alias("pl") if relation is not None and relation.kind == "many_to_many" else None
        source = self.filters.source(resource, row, relation if link is not None else None, link)
        where: list[ColumnElement[bool]] = [row.c.org_id == ORG]
        if plan.deleted != "include":
            where.append(row.c.deleted_at.is_(None) if plan.deleted == "exclude" else row.c.deleted_at.is_not(None))
        seen = self.compiler.visibility.predicate(resource, row)
        if seen is not None:
            where.append(seen)
        if relation is not None:
            assert plan.parent is not None
            parent_id = bind(plan.parent.id, sa.Uuid())
            if link is None:
                assert relation.field is not None
                where.append(relation.field.value(row) == parent_id)
            else:
                here, there = (link.c.from_id, link.c.to_id) if relation.forward else (link.c.to_id, link.c.from_id)
                where += [
                    link.c.org_id == ORG,
                    link.c.relation == sa.literal_column(f"'{relation.link_name}'"),
                    here == parent_id,
                    there == row.c.id,
                ]
        if plan.ids is not None:
            where.append(row.c.id == sa.func.any(bind(plan.ids, ARRAY(sa.Uuid()))))
        if plan.since is not None:
            where.append(row.c.id.in_(_changed_since(resource, plan.since)))
        if plan.text is not None:
            where.append(row.c.search.op("@@", return_type=sa.Boolean())(_tsquery(plan.text)))
        if plan.filter is not None:
            where.append(self.filters.node(plan.filter, source))
        return source, where

    def _parent_relation(self) -> Relation | None:
        parent = self.plan.parent
        return None if parent is None else self.registry.relations[parent.object][parent.relation]

    def matching(self, resource: AnyResource, columns: Callable[[Source], list[ColumnElement[Any]]]) -> Select[Any]:
        """All matching rows, without order and limit."""
        source, where = self._scope(resource)
        query = sa.select(*columns(source)).select_from(_from(source)).where(*where)
        return query

    def pick(self, resource: AnyResource) -> tuple[Select[Any], list[str]]:
        """The page's rows with all their columns, the sort values `k0…` and their order `n`."""
        plan = self.plan
        source, where = self._scope(resource)
        if plan.text is not None and not plan.sort:
            return self._ranked(source, where)
        keys = keys_of(plan.sort, plan.seek, source)
        backwards = plan.seek is not None and plan.seek.backwards
        names = [f"k{i}" for i in range(len(keys))]
        last = keys[-1].descending
        row, clause = source.row, _from(source)
        assert plan.limit is not None
        limit = bind(plan.limit, sa.Integer())
        columns = [column for column in row.c if column.name not in ("search", "search_text", "trigrams")]
        if source.link_row is not None:
            columns.append(_link_json(source.link_row).label("link"))
        labelled = [key.expression.label(name) for key, name in zip(keys, names, strict=True)]

        def select(extra: list[ColumnElement[bool]], branched: bool, use_keys: Sequence[Any]) -> Select[Any]:
            order = order_by(use_keys, row.c.id, backwards, branched=branched, last=last)
            return sa.select(*columns, *labelled).select_from(clause).where(*where, *extra).order_by(*order).limit(limit)

        def seek(use_keys: Sequence[Any], branched: bool) -> list[ColumnElement[bool]]:
            if plan.seek is None:
                return []
            return [after(use_keys, row.c.id, bind(plan.seek.id, sa.Uuid()), backwards, branched=branched, last=last)]

        if not keys or not keys[0].nullable:
            ordered = select(seek(keys, False), False, keys).subquery("o")
            return sa.select(ordered, _numbered()), names
        first = keys[0].expression
        in_nulls = plan.seek is not None and plan.seek.values[0] is None
        present = select([first.is_not(None), *(seek(keys, True) if plan.seek is not None and not in_nulls else [])], True, keys)
        absent = select([first.is_(None), *(seek(keys[1:], False) if in_nulls else [])], False, keys[1:])
        branches = [present, absent]
        if plan.seek is not None:
            branches = ([absent, present] if in_nulls else [present]) if backwards else ([absent] if in_nulls else [present, absent])
        if len(branches) == 1:
            return sa.select(branches[0].subquery("o"), _numbered()), names
        parts = [
            sa.select(branch.subquery(f"b{i}"), sa.literal_column(str(i)).label("b"), _numbered()) for i, branch in enumerate(branches)
        ]
        union = sa.union_all(*parts).subquery("u")
        limited = (
            sa.select(*(column for column in union.c if column.name not in ("b", "n")))
            .order_by(union.c.b, union.c.n)
            .limit(limit)
            .subquery("o")
        )
        return sa.select(limited, _numbered()), names

    def _ranked(self, source: Source, where: list[ColumnElement[bool]]) -> tuple[Select[Any], list[str]]:
        """Full-text matches, best first, among the newest matches."""
        plan = self.plan
        assert plan.text is not None
        assert plan.limit is not None
        row = source.row
        rank = sa.func.round(sa.cast(sa.func.ts_rank_cd(row.c.search, _tsquery(plan.text)), sa.Numeric()), sa.literal_column("6"))
        columns = [column for column in row.c if column.name not in ("search", "search_text", "trigrams")]
        newest = (
            sa.select(*columns, rank.label("k0"))
            .select_from(_from(source))
            .where(*where)
            .order_by(row.c.created_at.desc(), row.c.id.desc())
            .limit(sa.literal_column(str(RANK_LIMIT)))
            .subquery("w")
        )
        backwards = plan.seek is not None and plan.seek.backwards
        query = sa.select(newest)
        if plan.seek is not None and plan.seek.values[0] is not None:
            here = sa.tuple_(newest.c.k0, newest.c.id)
            there = sa.tuple_(bind(plan.seek.values[0], sa.Numeric()), bind(plan.seek.id, sa.Uuid()))
            query = query.where(here > there if backwards else here < there)
        direction = [newest.c.k0.asc(), newest.c.id.asc()] if backwards else [newest.c.k0.desc(), newest.c.id.desc()]
        ordered = query.order_by(*direction).limit(bind(plan.limit, sa.Integer())).subquery("o")
        return sa.select(ordered, _numbered()), ["k0"]

    def breadth(self, resource: AnyResource) -> ColumnElement[Any]:
        """How many records match the text, counted up to one more than are ranked."""
        some = (
            self.matching(resource, lambda s: [sa.literal_column("1").label("one")])
            .limit(sa.literal_column(str(RANK_LIMIT + 1)))
            .subquery("br")
        )
        return sa.select(sa.func.count()).select_from(some).scalar_subquery()

    def count(self, resource: AnyResource) -> ColumnElement[Any]:
        """The number of matching records, if asked for; an estimate stops counting at 10,001."""
        if self.plan.count == "none":
            return sa.cast(sa.null(), sa.BigInteger())
        some = self.matching(resource, lambda s: [sa.literal_column("1").label("one")])
        if self.plan.count == "estimate":
            some = some.limit(sa.literal_column("10001"))
        return sa.select(sa.func.count()).select_from(some.subquery("ct")).scalar_subquery()

    def parent(self) -> ColumnElement[Any]:
        """Whether the record that the list hangs on is there for the caller."""
        parent = self.plan.parent
        if parent is None:
            return sa.true()
        resource = self.registry[parent.object]
        row = self.table(resource, "pt")
        return sa.exists(
            sa.select(sa.literal_column("1")).where(
                row.c.org_id == ORG, row.c.id == bind(parent.id, sa.Uuid()), *live(resource, row, self.compiler.visibility)
            )
        )

    # --- what they look like ------------------------------------------------------------------------------------------

    def columns(
        self, resource: AnyResource, row: FromClause, fields: tuple[Path, ...] | None, expand: tuple[Expansion, ...]
    ) -> list[ColumnElement[Any]]:
        """The select list of a record with its expansions; `fields=account.name` is an expansion with one field."""
        own = None if fields is None else [path[0] for path in fields if len(path) == 1 and path[0] in resource.fields]
        columns: list[ColumnElement[Any]] = list(record_columns(resource, row, own))
        wanted = {expansion.relation: expansion for expansion in expand}
        for path in fields or ():
            if len(path) == 2:
                held = wanted.get(path[0])
                if held is None:
                    wanted[path[0]] = Expansion(path[0], (path[1:],))
                elif held.fields is not None and path[1:] not in held.fields:
                    wanted[path[0]] = Expansion(held.relation, (*held.fields, path[1:]), held.expand)
        for name, expansion in wanted.items():
            relation = self.registry.relations[resource.name][name]
            columns.append(
                (self._one(relation, row, expansion) if relation.kind == "to_one" else self._many(relation, row, expansion)).label(name)
            )
        return columns

    def _one(self, relation: Relation, row: FromClause, expansion: Expansion) -> ColumnElement[Any]:
        target = self.registry[relation.target]
        far = self.table(target, self.filters.name("x"))
        assert relation.field is not None
        inner = (
            sa.select(*self.columns(target, far, expansion.fields, expansion.expand))
            .where(
                far.c.org_id == ORG,
                far.c.org_id == row.c.org_id,
                far.c.id == relation.field.value(row),
                *live(target, far, self.compiler.visibility),
            )
            .correlate(row)
            .subquery(self.filters.name("r"))
        )
        return sa.select(sa.func.row_to_json(sa.literal_column(inner.name))).select_from(inner).scalar_subquery()

    def _many(self, relation: Relation, row: FromClause, expansion: Expansion) -> ColumnElement[Any]:
        target = self.registry[relation.target]
        far = self.table(target, self.filters.name("x"))
        link = LINKS.alias(self.filters.name("xl")) if relation.kind == "many_to_many" else None
        source = self.filters.source(target, far, relation if link is not None else None, link)
        keys = keys_of(expansion.sort, None, source)
        where = [far.c.org_id == ORG, *related(relation, row, far, link), *live(target, far, self.compiler.visibility)]
        if expansion.filter is not None:
            where.append(self.filters.node(expansion.filter, source))
        assert expansion.limit is not None
        assert expansion.digest is not None
        limit = bind(expansion.limit, sa.Integer())
        labelled = [sa.cast(key.expression, sa.Text).label(f"k{i}") for i, key in enumerate(keys)]
        columns = [column for column in far.c if column.name not in ("search", "search_text", "trigrams")]
        if link is not None:
            columns.append(_link_json(link).label("link"))
        picked = (
            sa.select(*columns, *labelled)
            .select_from(_from(source))
            .where(*where)
            .order_by(*order_by(keys, far.c.id, False, branched=False, last=keys[-1].descending))
            .limit(limit + sa.literal_column("1"))
            .correlate(row)
            .subquery(self.filters.name("p"))
        )
        shown = self.columns(target, picked, expansion.fields, expansion.expand)
        if link is not None:
            shown.append(picked.c.link)
        json_ = _as_json(shown, picked)
        kinds = [key_kind(key.type) for key in keys]
        mark = self._mark(expansion, kinds, [picked.c[f"k{i}"] for i in range(len(keys))], picked.c.id)
        rows = sa.select(json_.label("j"), mark.label("m"), _numbered()).select_from(picked).subquery(self.filters.name("q"))
        more = sa.func.count() > limit
        cursor = sa.case((more, sa.func.max(rows.c.m).filter(rows.c.n == limit)), else_=sa.null())
        page = sa.func.json_build_object(
            sa.literal_column("'next_cursor'"), cursor, sa.literal_column("'prev_cursor'"), sa.null(), sa.literal_column("'has_more'"), more
        )
        data = sa.func.coalesce(sa.func.json_agg(_ordered(rows.c.j, rows.c.n)).filter(rows.c.n <= limit), sa.literal_column("'[]'::json"))
        return (
            sa.select(sa.func.json_build_object(sa.literal_column("'data'"), data, sa.literal_column("'page'"), page))
            .select_from(rows)
            .scalar_subquery()
        )

    def _mark(
        self, expansion: Expansion, kinds: list[str], keys: list[ColumnElement[Any]], id_column: ColumnElement[Any]
    ) -> ColumnElement[str]:
        """Where the cursor of an expanded list will stand: its sort values, for the application to sign."""
        self.marks = True
        assert expansion.digest is not None
        values = sa.func.json_build_array(*keys, id_column)
        packed = sa.func.encode(sa.func.convert_to(sa.cast(values, sa.Text), sa.literal_column("'UTF8'")), sa.literal_column("'hex'"))
        types = ",".join(kinds)
        return (
            sa.literal_column(f"'{MARK}:{types}:'")
            .concat(bind(expansion.digest, sa.Text()))
            .concat(sa.literal_column("':'"))
            .concat(packed)
        )


def key_kind(type_: Any) -> str:
    """The name under which a sort value's type travels in an expanded list's cursor; see `Reader`."""
    python = type_.python_type
    return str({datetime: "datetime", date: "date", Decimal: "number", int: "integer", UUID: "uuid", bool: "boolean"}.get(python, "text"))


def _from(source: Source) -> FromClause:
    clause = source.clause
    return clause if source.link_row is None else sa.join(clause, source.link_row, sa.true())


def _numbered() -> ColumnElement[int]:
    return sa.func.row_number().over().label("n")


def _ordered(value: ColumnElement[Any], by: ColumnElement[Any]) -> ColumnElement[Any]:
    from sqlalchemy.dialects.postgresql import aggregate_order_by

    return aggregate_order_by(value, by)


def _tsquery(slot: int) -> ColumnElement[Any]:
    return sa.func.to_tsquery(sa.literal_column("'simple'"), bind(slot, sa.Text()))


def _changed_since(resource: AnyResource, slot: int) -> Select[Any]:
    journal, events = JournalEntry.__table__, Event.__table__
    return sa.select(events.c.record_id).where(
        journal.c.org_id == ORG,
        journal.c.seq > bind(slot, sa.BigInteger()),
        events.c.org_id == journal.c.org_id,
        events.c.id == journal.c.event_id,
        events.c.object == sa.literal_column(f"'{resource.name}'"),
    )


def _link_json(link: FromClause) -> ColumnElement[Any]:
    """A link as the contract shows it."""
    text = sa.literal_column

    def end(object_: Any, id_: Any) -> ColumnElement[Any]:
        return sa.func.json_build_object(text("'object'"), object_, text("'id'"), id_)

    return sa.func.json_build_object(
        text("'id'"), link.c.id, text("'relation'"), link.c.relation, text("'from'"), end(link.c.from_object, link.c.from_id),
        text("'to'"), end(link.c.to_object, link.c.to_id), text("'attributes'"), link.c.attributes, text("'version'"), link.c.version,
    )  # fmt: skip


__all__ = ["MARK", "RANK_LIMIT", "CompiledRead", "ReadCompiler"]
