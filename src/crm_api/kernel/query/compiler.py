"""Plans as statements: each read is one SELECT that returns finished JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CTE
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.query.abilities import Abilities
from crm_api.kernel.query.expand import Expander
from crm_api.kernel.query.filters import LINKS, ONE, ORG, FilterCompiler, Source, Visibility, live
from crm_api.kernel.query.plan import ANY_SORT_ROWS, COUNT_ESTIMATE, RANK_LIMIT, Plan
from crm_api.kernel.query.projection import as_text, link_json, stored_columns
from crm_api.kernel.query.sorting import Key, after, follows_positions, keys_of, needs_value, order_by
from crm_api.kernel.query.visible_text import matches, words_of
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.events import Counter, Event, JournalEntry

AsOf = Callable[[AnyResource, str], FromClause]
_SEEK_ID: sa.BindParameter[Any] = sa.bindparam("seek_id", type_=sa.Uuid())
_PARENT_ID: sa.BindParameter[Any] = sa.bindparam("parent_id", type_=sa.Uuid())
_ID: sa.BindParameter[Any] = sa.bindparam("id", type_=sa.Uuid())
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))


@dataclass(frozen=True, slots=True)
class CompiledRead:
    """A statement and what is needed to read its rows."""

    statement: Statement
    key_count: int
    has_marks: bool


class ReadCompiler:
    """Compiles plans over one registry for callers with one kind of visibility.

    `labels` are the objects whose names they may see, needed where a plan asks for labels; `abilities` is needed where it asks for those.
    """

    def __init__(
        self,
        registry: Registry,
        visibility: Visibility,
        as_of: AsOf | None = None,
        labels: frozenset[str] = frozenset(),
        abilities: Abilities | None = None,
    ) -> None:
        self.labels = labels
        self.abilities = abilities
        self.registry = registry
        self.visibility = visibility
        self.as_of = as_of

    def one(self, plan: Plan, *, many: bool = False) -> CompiledRead:
        """A record (or many) by id, whatever its state: `json, id, version, deleted, merged_into, head`.

        One id is compared by `=`: for a list of unknown length PostgreSQL would plan anew on each call, at three times the cost.
        """
        run = _Run(self, plan)
        row = run.table(run.resource, "t")
        seen = self.visibility.predicate(run.resource, row)
        query = sa.select(
            as_text(run.expander.columns(run.resource, row, plan.fields, plan.expand), row).label("json"),
            row.c.id,
            row.c.version,
            row.c.deleted_at.is_not(None).label("deleted"),
            row.c.merged_into,
            journal_head().label("head"),
        ).where(row.c.org_id == ORG, row.c.id == (sa.func.any(_IDS) if many else _ID), *run.resource.scope(row))
        return CompiledRead(compile_statement(query if seen is None else query.where(seen)), 0, run.expander.marked)

    def page(self, plan: Plan) -> CompiledRead:
        """One page as one row: `head, count, parent, few, breadth`, the records' JSON in `data` (one more than asked for tells
        that there are more), and the sort values of its first and last row, `f0…, first_id` and `l0…, last_id`."""
        run = _Run(self, plan)
        picked, key_count = run.pick()
        row = picked.subquery("p")
        columns = run.expander.columns(run.resource, row, plan.fields, plan.expand)
        if "link" in row.c:
            columns.append(row.c.link)
        keys = [row.c[f"k{i}"] for i in range(key_count)]
        lists = [sa.func.array_agg(as_text(columns, row)).label("data"), sa.func.array_agg(row.c.id).label("ids")]
        lists += [sa.func.array_agg(key).label(f"k{i}") for i, key in enumerate(keys)]
        rows = sa.select(*lists).select_from(row).subquery("a")
        shown: list[ColumnElement[Any]] = [rows.c.data, *_ends(rows, "ids", "first_id", "last_id", plan.limit)]
        for i in range(key_count):
            shown += _ends(rows, f"k{i}", f"f{i}", f"l{i}", plan.limit)
        query = sa.select(journal_head().label("head"), *run.header(), *shown).select_from(rows)
        return CompiledRead(compile_statement(query), key_count, run.expander.marked)

    def matching_ids(self, plan: Plan, limit: int | None = None) -> Statement:
        """The ids of the records that a plan's filter matches, in their order, at most `limit`; for bulk work."""
        query = _Run(self, plan).matching(lambda source: [source.row.c.id])
        query = query.order_by(query.selected_columns[0])
        return compile_statement(query if limit is None else query.limit(_number(limit)))

    def scope(self, plan: Plan) -> tuple[Source, list[ColumnElement[bool]]]:
        """Where the records of a plan come from and which conditions choose them, for figures over them."""
        return _Run(self, plan).scope()

    def parts(self, plan: Plan) -> tuple[Source, list[ColumnElement[bool]], Expander]:
        """The same, with what makes the columns of their JSON, for statements that show records otherwise than as a page."""
        run = _Run(self, plan)
        return *run.scope(), run.expander

    def counted(self, plan: Plan) -> Statement:
        """How many records a plan's filter matches."""
        found = _Run(self, plan).matching(lambda source: [source.row.c.id])
        return compile_statement(sa.select(sa.func.count()).select_from(found.subquery("m")))


def journal_head() -> ColumnElement[Any]:
    """The journal's number at this statement's snapshot: every event up to it is contained in the answer."""
    counters = Counter.__table__
    found = sa.select(counters.c.value).where(counters.c.org_id == ORG, counters.c.name == sa.literal_column("'journal'"))
    return found.correlate(None).scalar_subquery()


def _number(value: int) -> ColumnElement[int]:
    return sa.literal_column(str(value))


def _ends(rows: sa.Subquery, name: str, first: str, last: str, limit: int) -> list[ColumnElement[Any]]:
    """The first element of an array and the one that ends the page."""
    return [sa.literal_column(f"{rows.name}.{name}[{n}]").label(label) for n, label in ((1, first), (limit, last))]


class _Run:
    """The compilation of one plan."""

    def __init__(self, compiler: ReadCompiler, plan: Plan) -> None:
        self.compiler = compiler
        self.plan = plan
        self.resource = compiler.registry[plan.object]
        self.filters = FilterCompiler(compiler.registry, compiler.visibility, self.table)
        self.expander = Expander(self.filters, compiler.labels if plan.labels else None, compiler.abilities if plan.abilities else None)
        self._found: CTE | None = None
        self._few: ColumnElement[Any] | None = None

    def table(self, resource: AnyResource, name: str) -> FromClause:
        """The table of an object under an alias, or as it was at the plan's instant."""
        if self.plan.as_of and self.compiler.as_of is not None:
            return self.compiler.as_of(resource, "as_of").alias(name)
        return resource.table.alias(name)

    # --- which records ------------------------------------------------------------------------------------------------

    def scope(self) -> tuple[Source, list[ColumnElement[bool]]]:
        """The object's table with the plan's conditions; the conditions may join more to it."""
        plan, resource = self.plan, self.resource
        row = self.table(resource, "t")
        relation = self._parent_relation()
        link = LINKS.alias("pl") if relation is not None and relation.kind == "many_to_many" else None
        known_live = plan.deleted == "exclude" and not plan.as_of
        source = self.filters.source(resource, row, relation if link is not None else None, link, live=known_live)
        where: list[ColumnElement[bool]] = [row.c.org_id == ORG, *resource.scope(row)]
        if plan.deleted != "include":
            where.append(row.c.deleted_at.is_(None) if plan.deleted == "exclude" else row.c.deleted_at.is_not(None))
        seen = self.compiler.visibility.predicate(resource, row)
        if seen is not None:
            where.append(seen)
        if relation is not None:
            where += _belongs(relation, row, link)
        if plan.ids:
            where.append(row.c.id == sa.func.any(_IDS))
        if plan.since:
            where.append(row.c.id.in_(_changed_since(resource)))
        if plan.text:
            where += matches(resource, row, _tsquery())
        if plan.filter is not None:
            where.append(self.filters.node(plan.filter, source))
        if plan.guarded:
            where.append(self.few() <= _number(ANY_SORT_ROWS))
        return source, where

    def _parent_relation(self) -> Relation | None:
        parent = self.plan.parent
        return None if parent is None else self.compiler.registry.relations[parent.object][parent.relation]

    def matching(self, columns: Callable[[Source], list[ColumnElement[Any]]]) -> Select[Any]:
        """All matching rows, without order and limit."""
        source, where = self.scope()
        return sa.select(*columns(source)).select_from(source.whole).where(*where)

    # --- in which order, from where on --------------------------------------------------------------------------------

    def pick(self) -> tuple[Select[Any], int]:
        """The page's rows in order, with all their columns and the sort values `k0…`; and the number of sort values."""
        plan = self.plan
        if plan.text and not plan.sort:
            return self._ranked(), 1
        source, where = self.scope()
        keys = keys_of(plan.sort, plan.seek, source)
        columns = stored_columns(source.row) + [key.expression.label(f"k{i}") for i, key in enumerate(keys)]
        if source.link_row is not None:
            columns.append(link_json(source.link_row).label("link"))
        order = _Order(keys, source.row.c.id, plan.seek is not None and plan.seek.backwards)
        base = sa.select(*columns).select_from(source.whole).where(*where)
        limit = _number(plan.limit + 1)
        if not keys[0].nullable:
            return order.applied(base, plan.seek is not None).limit(limit), len(keys)
        if self._all_have_the_first_key():
            present = order.applied(base.where(keys[0].expression.is_not(None)), plan.seek is not None, branched=True)
            return present.limit(limit), len(keys)
        branches = [branch.limit(limit) for branch in order.branches(base, plan.seek is not None)]
        if len(branches) == 1:
            return branches[0], len(keys)
        if keys[0].sparse and not order.starts_in_nulls(plan.seek is not None):
            branches = _one_if_needed(branches[0], branches[1], limit)
        parts = []
        for i, branch in enumerate(branches):
            rows = branch.subquery(f"b{i}")
            parts.append(sa.select(*rows.c, _number(i).label("b"), sa.func.row_number().over().label("n")))
        union = sa.union_all(*parts).subquery("u")
        shown = [column for column in union.c if column.name not in ("b", "n")]
        return sa.select(*shown).order_by(union.c.b, union.c.n).limit(limit), len(keys)

    def _all_have_the_first_key(self) -> bool:
        """Whether the filter leaves out the rows without a value to sort by first, so that there is nothing to put last."""
        first = self.plan.sort[0]
        if follows_positions(self.compiler.registry, self.resource, first.name):
            return False  # a choice that is no longer there has no position
        return needs_value(self.plan.filter, first.path)

    def _ranked(self) -> Select[Any]:
        """Full-text matches, best first, among the newest matches."""
        found, plan = self.found(), self.plan
        row = self.resource.table.alias("w")
        backwards = plan.seek is not None and plan.seek.backwards
        best = sa.select(found)
        if plan.seek is not None:
            here, there = sa.tuple_(found.c.k0, found.c.id), sa.tuple_(sa.bindparam("s0", type_=sa.Numeric()), _SEEK_ID)
            best = best.where(here > there if backwards else here < there)
        order = [found.c.k0.asc(), found.c.id.asc()] if backwards else [found.c.k0.desc(), found.c.id.desc()]
        top = best.order_by(*order).limit(_number(plan.limit + 1)).subquery("o")
        columns = [*stored_columns(row), *(column for column in top.c if column.name != "id")]
        order = [top.c.k0.asc(), top.c.id.asc()] if backwards else [top.c.k0.desc(), top.c.id.desc()]
        return sa.select(*columns).select_from(top.join(row, sa.and_(row.c.org_id == ORG, row.c.id == top.c.id))).order_by(*order)

    def found(self) -> CTE:
        """The newest full-text matches with their ranks; one more than are ranked tells that there are more."""
        if self._found is None:
            source, where = self.scope()
            row = source.row
            rank = sa.func.round(sa.cast(sa.func.ts_rank_cd(words_of(self.resource, row), _tsquery()), sa.Numeric()), _number(6))
            columns = [row.c.id, rank.label("k0")]
            if source.link_row is not None:
                columns.append(link_json(source.link_row).label("link"))
            newest = sa.select(*columns).select_from(source.whole).where(*where).order_by(row.c.created_at.desc(), row.c.id.desc())
            self._found = newest.limit(_number(RANK_LIMIT + 1)).cte("f")
        return self._found

    def few(self) -> ColumnElement[Any]:
        """The number of live records of the object, counted up to one more than may be sorted without an index."""
        if self._few is None:
            row = self.resource.table.alias("g")
            mine = (row.c.org_id == ORG, row.c.deleted_at.is_(None), *self.resource.scope(row))
            some = sa.select(ONE).where(*mine).limit(_number(ANY_SORT_ROWS + 1)).subquery("gs")
            counted = sa.select(sa.func.count().label("n")).select_from(some).cte("gc")
            self._few = sa.select(counted.c.n).scalar_subquery()
        return self._few

    # --- what is said about the page ----------------------------------------------------------------------------------

    def header(self) -> list[ColumnElement[Any]]:
        """What the answer tells besides its records, as far as the plan asks for it."""
        plan = self.plan
        columns: list[ColumnElement[Any]] = []
        if plan.count != "none":
            columns.append(self._count().label("count"))
        if plan.parent is not None:
            columns.append(self._parent(plan.parent.object).label("parent"))
        if plan.guarded:
            columns.append(self.few().label("few"))
        if self._found is not None:
            columns.append(sa.select(sa.func.count()).select_from(self._found).scalar_subquery().label("breadth"))
        return columns

    def _count(self) -> ColumnElement[Any]:
        """The number of matching records; an estimate stops counting at one more than it is asked to tell apart."""
        some = self.matching(lambda source: [ONE.label("one")])
        if self.plan.count == "estimate":
            some = some.limit(_number(COUNT_ESTIMATE + 1))
        return sa.select(sa.func.count()).select_from(some.subquery("ct")).scalar_subquery()

    def _parent(self, name: str) -> ColumnElement[Any]:
        """Whether the record that the list hangs on is there for the caller."""
        resource = self.compiler.registry[name]
        row = self.table(resource, "pt")
        conditions = [row.c.org_id == ORG, row.c.id == _PARENT_ID, *live(resource, row, self.compiler.visibility)]
        return sa.exists(sa.select(ONE).where(*conditions)).correlate(None)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order and the way through it, put on a select."""

    keys: Sequence[Key]
    id: ColumnElement[Any]
    backwards: bool

    def applied(self, base: Select[Any], seeks: bool, keys: Sequence[Key] | None = None, *, branched: bool = False) -> Select[Any]:
        """The select ordered by `keys` (all, if none are named), from the page's start on if it `seeks`."""
        keys = self.keys if keys is None else keys
        last = self.keys[-1].descending
        if seeks:
            base = base.where(after(keys, self.id, _SEEK_ID, self.backwards, branched=branched, last=last))
        return base.order_by(*order_by(keys, self.id, self.backwards, branched=branched, last=last))

    def starts_in_nulls(self, seeks: bool) -> bool:
        """Whether the page starts after a row without a value of the first key."""
        return seeks and self.keys[0].seek is None

    def branches(self, base: Select[Any], seeks: bool) -> list[Select[Any]]:
        """The rows with a value of the first key and those without, in the order in which they come; those passed are left out."""
        first = self.keys[0].expression
        in_nulls = self.starts_in_nulls(seeks)
        present = self.applied(base.where(first.is_not(None)), seeks and not in_nulls, branched=True)
        absent = self.applied(base.where(first.is_(None)), in_nulls, self.keys[1:])
        if not seeks:
            return [present, absent]
        if self.backwards:
            return [absent, present] if in_nulls else [present]
        return [absent] if in_nulls else [present, absent]


def _one_if_needed(first: Select[Any], second: Select[Any], limit: ColumnElement[int]) -> list[Select[Any]]:
    """The same two branches, where PostgreSQL begins with the second only if the first does not fill the page.

    A LIMIT of zero never starts what is below it. The second keeps its own constant limit, by which it is planned.
    """
    rows = first.cte("c0")  # named twice, and so materialised
    found = sa.select(limit - sa.func.count()).select_from(rows).scalar_subquery()
    return [sa.select(*rows.c), sa.select(*second.subquery("c1").c).limit(found)]


def _belongs(relation: Relation, row: FromClause, link: FromClause | None) -> list[ColumnElement[bool]]:
    """The rows that hang on the parent."""
    if link is None:
        assert relation.field is not None
        return [relation.field.comparable(row) == _PARENT_ID]
    here, there = (link.c.from_id, link.c.to_id) if relation.forward else (link.c.to_id, link.c.from_id)
    return [link.c.org_id == ORG, link.c.relation == sa.literal_column(f"'{relation.link_name}'"), here == _PARENT_ID, there == row.c.id]


def _tsquery() -> ColumnElement[Any]:
    return sa.func.to_tsquery(sa.literal_column("'simple'"), sa.bindparam("q", type_=sa.Text()))


def _changed_since(resource: AnyResource) -> Select[Any]:
    journal, events = JournalEntry.__table__, Event.__table__
    return sa.select(events.c.record_id).where(
        journal.c.org_id == ORG,
        journal.c.seq > sa.bindparam("since", type_=sa.BigInteger()),
        events.c.org_id == ORG,
        events.c.id == journal.c.event_id,
        events.c.object == sa.literal_column(f"'{resource.name}'"),
    )


__all__ = ["AsOf", "CompiledRead", "ReadCompiler"]
