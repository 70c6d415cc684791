"""All formulas and roll-ups of an organisation together: what follows from what, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import FieldError, InvalidValue, Problem, ValidationFailed
from crm_api.kernel.custom.definitions import COMPUTED, CustomField
from crm_api.kernel.fields import SQL_TYPES, Expression, Field
from crm_api.kernel.formula.compiled import Computed, compile_formula
from crm_api.kernel.formula.rollup import Rollup, compile_rollup
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

MAX_CHAIN: Final = 15
"""How many computed fields may follow from one another in a row."""

Key = tuple[str, str]
"""An object and the name of one of its fields."""


@dataclass(frozen=True, eq=False)
class Computation:
    """A computed field. `rank`: it needs only values of lower ranks, and of its own object's of the same rank with a lower `level`."""

    field: Field
    computed: Computed
    rank: int
    level: int

    @property
    def object(self) -> str:
        """The object that it is a field of."""
        return self.computed.resource.name

    @property
    def member(self) -> str:
        """The member of `custom_fields` that holds its value."""
        assert self.field.member is not None
        return self.field.member


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change of `field` in a related record that `computation` follows; `steps` lead from its record to that one."""

    computation: Computation
    steps: tuple[Relation, ...]
    field: Field


class Computations:
    """The computed fields of one registry, compiled when they are first needed.

    A definition that no longer compiles, because something it uses is archived, keeps the values that are stored.
    """

    def __init__(self) -> None:
        self._registry: Registry | None = None
        self._fields: list[CustomField] = []

    def bind(self, registry: Registry) -> None:
        """Says which registry the definitions belong to, once it is there."""
        self._registry = registry

    def expression(self, definition: CustomField) -> Expression | None:
        """How a computed field is read: worked out while its stored values aren't complete, and always if it depends on the present."""
        if definition.type not in COMPUTED:
            return None
        self._fields.append(definition)
        if definition.state == "active" and not definition.properties.get("volatile"):
            return None

        def value(row: FromClause) -> ColumnElement[Any]:
            found = self._compiled.get((definition.object, definition.api_name))
            if found is None:
                return sa.cast(sa.null(), SQL_TYPES.get(definition.value_type, sa.Text()))
            return found.sql(row)

        return value

    @property
    def unsettled(self) -> frozenset[Key]:
        """Fields whose stored values are complete but may be out of date, since they follow from a field that is being built."""
        waiting = [(one.object, one.api_name) for one in self._fields if one.state != "active"]
        found = {key for start in waiting for key in self.after(start)}
        return frozenset(found.difference(waiting))

    @property
    def present(self) -> bool:
        """Whether there are computed fields at all."""
        return bool(self._fields)

    @property
    def registry(self) -> Registry:
        """The registry they belong to."""
        assert self._registry is not None
        return self._registry

    @cached_property
    def _compiled(self) -> Mapping[Key, Computed]:
        found = {}
        for definition in self._fields:
            resource = self.registry.get(definition.object)
            if resource is None:
                continue
            try:
                found[definition.object, definition.api_name] = compiled(self.registry, resource, definition)
            except (InvalidValue, Problem):
                continue
        return found

    @property
    def all(self) -> Mapping[Key, Computed]:
        """Every computed field that compiles, also those that depend on the present moment."""
        return self._compiled

    @cached_property
    def stored(self) -> Mapping[str, tuple[Computation, ...]]:
        """The computations of each object whose results are stored, in the order in which they can be made."""
        nodes = {key: computed for key, computed in self._compiled.items() if not computed.volatile}
        ranks, levels, _ = _ordered(nodes)
        found: defaultdict[str, list[Computation]] = defaultdict(list)
        for key in sorted(ranks, key=lambda key: (ranks[key], levels[key], key)):
            field = next(f for f in self.registry[key[0]].custom.values() if f.member == key[1])
            found[key[0]].append(Computation(field, nodes[key], ranks[key], levels[key]))
        return {name: tuple(items) for name, items in found.items()}

    @cached_property
    def triggers(self) -> Mapping[str, tuple[Trigger, ...]]:
        """By object: the changes of its records that computations of related records follow."""
        found: defaultdict[str, list[Trigger]] = defaultdict(list)
        for items in self.stored.values():
            for item in items:
                for dependency in item.computed.dependencies:
                    field = self.registry[dependency.object].field_named(dependency.field)
                    if dependency.steps and field is not None:
                        found[dependency.object].append(Trigger(item, dependency.steps, field))
        return {name: tuple(triggers) for name, triggers in found.items()}

    @cached_property
    def reach(self) -> Mapping[str, frozenset[str]]:
        """By object: the objects whose records may change after a change of one of its records."""
        direct = {name: {trigger.computation.object for trigger in triggers} for name, triggers in self.triggers.items()}
        found: dict[str, frozenset[str]] = {}
        for start in direct:
            seen: set[str] = set()
            waiting = [start]
            while waiting:
                for name in direct.get(waiting.pop(), ()):
                    if name not in seen:
                        seen.add(name)
                        waiting.append(name)
            found[start] = frozenset(seen)
        return found

    @cached_property
    def uplinks(self) -> Mapping[str, tuple[tuple[Field, str], ...]]:
        """By object: the references to records that roll it up, and their object, where changes flow back down from those too."""
        found: defaultdict[str, dict[str, tuple[Field, str]]] = defaultdict(dict)
        for name, triggers in self.triggers.items():
            for trigger in triggers:
                step, parent = trigger.steps[-1], trigger.computation.object
                if step.kind == "to_many" and step.field is not None and parent != name and name in self.reach.get(parent, ()):
                    found[name][step.field.name] = (step.field, parent)
        return {name: tuple(fields.values()) for name, fields in found.items()}

    @cached_property
    def ways(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """By object and reference field: the further reference fields that computations follow from the record referred to."""
        found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for items in self.stored.values():
            for item in items:
                for dependency in item.computed.dependencies:
                    current = item.object
                    for index, step in enumerate(dependency.steps):
                        if step.kind != "to_one" or step.field is None:
                            break
                        onward = found[current][step.field.name]
                        following = dependency.steps[index + 1].field if index + 1 < len(dependency.steps) else None
                        if following is not None:
                            onward.add(following.name)
                        current = step.target
        return {name: {key: frozenset(onward) for key, onward in fields.items()} for name, fields in found.items()}

    def after(self, key: Key) -> list[Key]:
        """A computed field and all that depend on it, in the order in which they can be made anew."""
        every = [item for items in self.stored.values() for item in items]
        every.sort(key=lambda item: (item.rank, item.level))
        found = {key}
        for item in every:
            if any((d.object, _member_of(self.registry[d.object], d.field)) in found for d in item.computed.dependencies):
                found.add((item.object, item.member))
        order = [(item.object, item.member) for item in every]
        return [one for one in order if one in found]


def compiled(registry: Registry, resource: AnyResource, definition: CustomField) -> Computed:
    """What a definition says. Raises InvalidValue for a formula, ValidationFailed for a roll-up."""
    properties = definition.properties
    if definition.type is FieldType.FORMULA:
        return compile_formula(registry, resource, properties["formula"], definition.value_type, scale=properties.get("scale"))
    return compile_rollup(registry, resource, properties)


def _member_of(resource: AnyResource, name: str) -> str:
    field = resource.field_named(name)
    return name if field is None or field.member is None else field.member


def _inputs(computed: Computed, nodes: Mapping[Key, Computed]) -> list[tuple[Key, bool]]:
    """The computations that one needs, and whether each belongs to the same record."""
    found = []
    for dependency in computed.dependencies:
        other = (dependency.object, dependency.field.removeprefix("custom_fields."))
        if other in nodes:
            found.append((other, not dependency.steps))
    return found


def _ordered(nodes: Mapping[Key, Computed]) -> tuple[dict[Key, int], dict[Key, int], list[Key]]:
    """Ranks and levels of all that don't depend on themselves; and one circle, if there is one."""
    ranks: dict[Key, int] = {}
    levels: dict[Key, int] = {}
    cycle: list[Key] = []
    path: list[Key] = []
    hopeless: set[Key] = set()

    def visit(key: Key) -> bool:
        """Whether the computation can be made at all."""
        if key in ranks or key in hopeless:
            return key in ranks
        if key in path or len(path) > MAX_CHAIN * MAX_CHAIN:
            cycle[:] = cycle or path[path.index(key) if key in path else 0 :]
            return False
        path.append(key)
        inputs = _inputs(nodes[key], nodes)
        good = all(visit(other) for other, _ in inputs)
        path.pop()
        if good:
            ranks[key] = max((ranks[other] + (0 if same else 1) for other, same in inputs), default=0)
            levels[key] = max((levels[other] + 1 for other, same in inputs if same and ranks[other] == ranks[key]), default=0)
        else:
            hopeless.add(key)
        return good

    for key in nodes:
        visit(key)
    return ranks, levels, cycle


# --- what the metadata asks --------------------------------------------------------------------------------------------


def complete(registry: Registry, resource: AnyResource, kind: FieldType, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a formula or roll-up that is about to be stored, with what follows from them.

    A formula needs `formula` and `returns`; `volatile` says whether it depends on the present moment. Of a roll-up (`relation`,
    `function`, `field`, `filter`) `returns` follows. Raises ValidationFailed with pointers into the body.
    """
    found = dict(properties)
    if kind is FieldType.ROLLUP:
        found["returns"] = compile_rollup(registry, resource, properties).type.value
        return found
    errors = [FieldError("required", pointer=f"/{name}") for name in ("formula", "returns") if properties.get(name) is None]
    if errors:
        raise ValidationFailed(errors)
    try:
        returns = FieldType(properties["returns"])
    except ValueError:
        returns = FieldType.JSON  # refused below, with what is allowed
    try:
        formula = compile_formula(registry, resource, properties["formula"], returns, scale=properties.get("scale"))
    except InvalidValue as error:
        raise ValidationFailed([error.at(pointer="/returns" if returns is FieldType.JSON else "/formula")]) from None
    found["volatile"] = formula.volatile
    return found


def check(registry: Registry, changed: Key) -> None:
    """Checks all computed fields of a registry that a definition is about to change: `changed`, an object and a field.

    Raises ValidationFailed: `formula_cycle` names the fields that would depend on each other; `formula_broken` those that would
    no longer make sense, `formula_volatile` those that can't be stored any longer (or now can).
    """
    nodes: dict[Key, Computed] = {}
    for resource in registry:
        for field in resource.custom.values():
            definition = field.definition
            if definition is None or definition.type not in COMPUTED:
                continue
            key = (resource.name, definition.api_name)
            try:
                nodes[key] = compiled(registry, resource, definition)
            except InvalidValue as error:
                raise _broken(key, changed, [error.at(pointer="/formula")]) from None
            except Problem as problem:
                raise _broken(key, changed, problem.errors) from None
            if key != changed and nodes[key].volatile != bool(definition.properties.get("volatile")):
                raise ValidationFailed([FieldError("formula_volatile", pointer="/formula", params={"field": ".".join(key)})])
    ranks, levels, cycle = _ordered(nodes)
    if cycle:
        params = {"path": " → ".join(".".join(key) for key in (*cycle, cycle[0])), "fields": [".".join(key) for key in cycle]}
        raise ValidationFailed([FieldError("formula_cycle", pointer=_pointer(nodes.get(changed)), params=params)])
    deepest = max((ranks[key] + levels[key] for key in ranks), default=0)
    if deepest >= MAX_CHAIN:
        raise ValidationFailed([FieldError("formula_chain", pointer=_pointer(nodes.get(changed)), params={"max": MAX_CHAIN})])


def _pointer(computed: Computed | None) -> str:
    return "" if computed is None else "/relation" if isinstance(computed, Rollup) else "/formula"


def _broken(key: Key, changed: Key, errors: list[FieldError]) -> ValidationFailed:
    """The mistakes in the changed definition itself, or the name of another that would no longer make sense."""
    if key == changed:
        return ValidationFailed(errors)
    reason = errors[0].to_dict()["message"]
    return ValidationFailed([FieldError("formula_broken", pointer="", params={"field": ".".join(key), "reason": reason})])


__all__ = ["MAX_CHAIN", "Computation", "Computations", "Trigger", "check", "compiled", "complete"]
