"""From nodes to typed terms: names are found, types agree, arguments are counted. The first mistake ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import InvalidValue
from crm_api.kernel.fields import Field
from crm_api.kernel.formula.dates import DATES, add_days, days_between
from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.functions import FUNCTIONS, Function, check_option, concatenated
from crm_api.kernel.formula.kinds import KIND_OF, Kind
from crm_api.kernel.formula.nodes import At, Call, Chain, Group, Literal, Name, Node, Unary
from crm_api.kernel.formula.pieces import Env, Fragment, Piece, joined, number_literal, piece, text_literal
from crm_api.kernel.formula.terms import NULLS, Term, expect
from crm_api.kernel.query.comparison import ORG, quoted
from crm_api.kernel.query.paths import ResolvedPath, resolve
from crm_api.kernel.query.plan import MAX_HOPS
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

ALL: Final[Mapping[str, Function]] = {**FUNCTIONS, **DATES}
COMPARISONS: Final = {"=": "=", "==": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
EQUALITIES: Final = ("=", "<>")
UNSTEADY: Final = frozenset({"version", "updated_at", "updated_by", "display_name"})
"""Fields that change with every change of the record; a formula over them would follow itself."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A field that a value depends on, and the relations that lead from the value's record to the field's."""

    steps: tuple[Relation, ...]
    object: str
    field: str


@dataclass(slots=True)
class Checker:
    """Checks one formula of `resource`, and notes what it depends on and whether it depends on the present moment."""

    registry: Registry
    resource: AnyResource
    dependencies: dict[Dependency, None] = field(default_factory=dict)
    volatile: bool = False

    def term(self, node: Node) -> Term:
        """The typed part. Raises FormulaError."""
        if isinstance(node, Group):
            return self.term(node.item)
        if isinstance(node, Literal):
            return _literal(node)
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Unary):
            return self._unary(node)
        return self._chain(node)

    # --- names -------------------------------------------------------------------------------------------------------

    def _name(self, node: Name) -> Term:
        try:
            found = resolve(self.registry, self.resource, node.path)
        except InvalidValue as error:
            raise FormulaError(error.code, node.at, allowed=error.allowed, **error.params) from None
        if found.to_many or found.field is None:
            raise self._unknown(node, found)
        kind = KIND_OF.get(found.field.type)
        if kind is None or found.field.name in UNSTEADY:
            raise FormulaError("formula_field_type", node.at, type=found.field.type.value)
        self.depend(found.steps, found.field)
        build = _reader(self.registry, self.resource, found)
        return Term(kind, node.at, build, options=found.field.spec.options if kind in (Kind.TEXT, Kind.KEYS) else ())

    def _unknown(self, node: Name, found: ResolvedPath) -> FormulaError:
        """A path that ends at a relation, or crosses one to many records."""
        at = self.resource
        for step in found.steps:
            if step.kind != "to_one":
                break
            at = self.registry[step.target]
        allowed = [name for name, item in at.all_fields.items() if item.type in KIND_OF and name not in UNSTEADY]
        if len(found.steps) < MAX_HOPS:
            allowed += [f"{name}.…" for name, relation in self.registry.relations[at.name].items() if relation.kind == "to_one"]
        return FormulaError("unknown_field", node.at, allowed=allowed)

    def depend(self, steps: tuple[Relation, ...], found: Field) -> None:
        """Notes a field, and what the way to it depends on: its references, and whether the related records are there."""
        current = self.resource
        for index, step in enumerate(steps):
            if step.field is not None:
                holder, way = (current.name, index) if step.kind == "to_one" else (step.target, index + 1)
                self.dependencies[Dependency(steps[:way], holder, step.field.name)] = None
            current = self.registry[step.target]
            self.dependencies[Dependency(steps[: index + 1], current.name, "deleted_at")] = None
        name = found.name.partition(".")[0] if found.member is None else found.name
        self.dependencies[Dependency(steps, current.name, name)] = None
        if steps and own_money(found) and _has_currency(current) and _has_currency(self.resource):
            self.dependencies[Dependency(steps, current.name, "currency")] = None
            self.dependencies[Dependency((), self.resource.name, "currency")] = None
        if found.definition is not None and found.definition.properties.get("volatile"):
            self.volatile = True

    # --- functions and operators -------------------------------------------------------------------------------------

    def _call(self, node: Call) -> Term:
        function = ALL.get(node.name)
        if function is None:
            raise FormulaError("formula_function", node.at, name=node.name, allowed=sorted(ALL))
        if not function.least <= len(node.arguments) <= function.most:
            raise FormulaError("formula_arguments", node.at, usage=function.usage, given=len(node.arguments))
        self.volatile = self.volatile or function.volatile
        return function.make([self.term(argument) for argument in node.arguments], node.at)

    def _unary(self, node: Unary) -> Term:
        if node.operator == "not":
            item = expect(self.term(node.item), Kind.BOOLEAN)
            return Term(Kind.BOOLEAN, node.at, lambda env: piece("(NOT {})", item.build(env)))
        item = expect(self.term(node.item), Kind.NUMBER)
        if item.known and item.constant is not None:
            return _literal(Literal(-item.constant, node.at))
        return Term(Kind.NUMBER, node.at, lambda env: piece("(- {})", item.build(env)))

    def _chain(self, node: Chain) -> Term:
        terms = [self.term(item) for item in node.items]
        operator = node.operators[0]
        if operator in ("and", "or"):
            parts = [expect(term, Kind.BOOLEAN) for term in terms]
            word = f" {operator.upper()} "
            return Term(Kind.BOOLEAN, node.at, lambda env: piece("({})", joined(word, [part.build(env) for part in parts])))
        if operator in COMPARISONS:
            return _comparison(COMPARISONS[operator], terms, node.at)
        if operator == "&":
            return concatenated(terms, node.at)
        if operator in "+-" and terms[0].kind in (Kind.DATE, Kind.DATETIME):
            return _moved(node, terms)
        return _arithmetic(node.operators, [expect(term, Kind.NUMBER) for term in terms], node.at)


def _literal(node: Literal) -> Term:
    value = node.value
    if value is None:
        return Term(Kind.NULL, node.at, lambda env: (NULLS[Kind.NULL],), None)
    if isinstance(value, bool):
        return Term(Kind.BOOLEAN, node.at, lambda env: (str(value).upper(),), value)
    if isinstance(value, str):
        return Term(Kind.TEXT, node.at, lambda env: text_literal(value), value)
    return Term(Kind.NUMBER, node.at, lambda env: number_literal(value), value)


def _arithmetic(operators: tuple[str, ...], terms: list[Term], at: At) -> Term:
    def build(env: Env) -> Piece:
        found = [piece("({}", terms[0].build(env))]
        for operator, term in zip(operators, terms[1:], strict=True):
            found.append(piece(f" {operator} NULLIF({{}}, 0)" if operator in "/%" else f" {operator} {{}}", term.build(env)))
        return piece("{})", joined("", found))

    return Term(Kind.NUMBER, at, build)


def _moved(node: Chain, terms: list[Term]) -> Term:
    """`date + days`, `date - days`, `date - date`."""
    first, *rest = terms
    if len(rest) == 1 and node.operators == ("-",) and rest[0].kind in (Kind.DATE, Kind.DATETIME):
        return days_between([rest[0], first], node.at)
    days = [expect(term, Kind.NUMBER) for term in rest]
    signs = ("+" if node.operators[0] == "+" else "-", *node.operators[1:])

    def build(env: Env) -> Piece:
        return piece("({})", joined("", [piece(f" {sign} {{}}", day.build(env)) for sign, day in zip(signs, days, strict=True)]))

    return add_days([first, Term(Kind.NUMBER, days[0].at, build)], node.at)


def _comparison(operator: str, terms: list[Term], at: At) -> Term:
    for term in terms:
        if term.kind is Kind.NULL:
            raise FormulaError("formula_null", term.at)
        if term.kind is Kind.KEYS:
            raise FormulaError("formula_type", term.at, expected="a single value", found=term.kind.value)
    left, right = terms
    right = expect(right, left.kind)
    if operator not in EQUALITIES and left.kind is Kind.BOOLEAN:
        raise FormulaError("formula_type", left.at, expected="number or text or date or datetime", found=left.kind.value)
    check_option(left, right)
    template = f'(({{}}) COLLATE "C" {operator} {{}})' if left.kind is Kind.TEXT else f"({{}} {operator} {{}})"
    return Term(Kind.BOOLEAN, at, lambda env: piece(template, left.build(env), right.build(env)))


# --- fields -----------------------------------------------------------------------------------------------------------


def own_money(found: Field) -> bool:
    """Whether a field is an amount in its record's own currency, not in the organisation's."""
    return found.type is FieldType.CURRENCY and found.spec.base_of is None


def _has_currency(resource: AnyResource) -> bool:
    found = resource.fields.get("currency")
    return found is not None and found.member is None


def stored(found: Field, env_row: FromClause, *, inside: bool) -> ColumnElement[Any]:
    """A field's value in a row; `inside` the computation of the row's own fields, those computed before are in the row."""
    if inside and found.expression is not None and not (found.definition is not None and found.definition.properties.get("volatile")):
        found = replace(found, expression=None)
    return found.value(env_row)


def _reader(registry: Registry, resource: AnyResource, found: ResolvedPath) -> Callable[[Env], Piece]:
    item = found.field
    assert item is not None

    def build(env: Env) -> Piece:
        if not found.steps:
            return _typed(item, found.part, stored(item, env.row, inside=env.stored), env.row)
        return (far(registry, resource, found.steps, env.row, lambda row: _typed(item, found.part, item.value(row), row), item),)

    return build


def same_organisation(far: FromClause, near: FromClause) -> list[ColumnElement[bool]]:
    """What keeps a related record in the organisation; a row that stands for a table's own may come without its `org_id`."""
    return [far.c.org_id == ORG, *([far.c.org_id == near.c.org_id] if "org_id" in near.c else [])]


def far(
    registry: Registry,
    resource: AnyResource,
    steps: tuple[Relation, ...],
    row: FromClause,
    value: Callable[[FromClause], Piece],
    item: Field,
) -> ColumnElement[Any]:
    """A value of the record that to-one steps lead to, null where there is none; amounts only in the record's own currency."""
    guarded = own_money(item) and _has_currency(registry[steps[-1].target]) and _has_currency(resource)
    aliases: list[FromClause] = []
    for index, step in enumerate(steps):
        onward = steps[index + 1].field if index + 1 < len(steps) else item
        aliases.append(_slim(registry[step.target], onward, *(("currency",) if guarded and onward is item else ())))
    where: list[ColumnElement[bool]] = []
    for (near, alias), step in zip(pairwise([row, *aliases]), steps, strict=True):
        assert step.field is not None
        where += [*same_organisation(alias, near), alias.c.id == step.field.value(near)]
        where += [alias.c.deleted_at.is_(None), *registry[step.target].scope(alias)]
    last = aliases[-1]
    if guarded:
        where.append(last.c.currency == row.c.currency)
    return sa.select(Fragment(value(last), sa.Text())).select_from(*aliases).where(*where).correlate(row).scalar_subquery()


def _slim(resource: AnyResource, item: Field | None, *more: str) -> FromClause:
    """The object's table with the columns that are needed: an alias makes all of them, and tables of records have many."""
    table = resource.table
    if item is None or item.expression is not None:
        return table.alias()
    names = dict.fromkeys(["org_id", "id", "deleted_at", item.column, *more, *(["object"] if resource.made is not None else [])])
    return sa.table(table.name, *(sa.column(name, table.c[name].type) for name in names)).alias()


def _typed(item: Field, part: str | None, value: ColumnElement[Any], row: FromClause) -> Piece:
    """A field's value as the language sees it."""
    if part is not None:
        return piece("({})", (row.c[item.column].op("->>", return_type=sa.Text())(quoted(part)),))
    match item.type:
        case FieldType.INTEGER | FieldType.NUMBER | FieldType.DECIMAL | FieldType.CURRENCY:
            return piece("CAST({} AS NUMERIC)", (value,))
        case FieldType.REFERENCE | FieldType.UUID:
            return piece("CAST({} AS TEXT)", (value,))
        case FieldType.MULTI_PICKLIST if item.member is not None:
            return piece(
                "(SELECT array_agg(e) FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof({}) = 'array' THEN {} END) AS e)",
                (value,),
                (value,),
            )
        case _:
            return piece("({})", (value,))
