"""What goes into the writer and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from crm_api.core.errors import FailedDependency, FieldError, Problem, invalid_input
from crm_api.kernel.resource import Draft, Row

OnChildren = Literal["block", "detach", "cascade"]
OutcomeName = Literal["created", "updated", "unchanged", "deleted", "restored", "purged"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a call treats its items.

    `atomic`: the first failing item raises its problem, and the caller must let the transaction end without a commit; else
    failing items come back with a problem and the others are written. `items` is the number of items of a batch call (0 for
    a single write): a raised problem then points below `/items/N` and carries the `results` of all items.
    `conflict="fields"`: a stale `if_match` fails only if a field that is sent has changed since.
    `last`: the transaction writes no record after this call, so events may be written together with the records, a round trip less.
    """

    atomic: bool = True
    items: int = 0
    conflict: Literal["record", "fields"] = "record"
    on_children: OnChildren = "block"
    purge: bool = False
    last: bool = False


DEFAULTS = WriteOptions()


@dataclass(frozen=True, slots=True)
class Patch:
    """One record's merge patch. `if_match` is the version the caller saw.

    `edit` makes the body from the stored row, once it is locked, in place of `body`: for changes of a part of a value.
    """

    id: UUID
    body: Mapping[str, Any]
    if_match: int | None = None
    edit: Callable[[Row], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One record to delete or restore."""

    id: UUID
    if_match: int | None = None


@dataclass(slots=True)
class Outcome:
    """What became of one item. `record` is the record's canonical JSON (empty where it failed or was purged)."""

    index: int
    id: UUID | None
    version: int | None = None
    status: int = 200
    outcome: OutcomeName = "unchanged"
    record: str = ""
    problem: Problem | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing was written for the item."""
        return self.problem is not None


@dataclass(slots=True)
class Work:
    """An item on its way: its draft, and what storing it needs beyond the row."""

    index: int
    draft: Draft
    sent: Mapping[str, Any] = field(default_factory=dict)
    if_match: int | None = None
    client_id: bool = False
    edit: Callable[[Row], Mapping[str, Any]] | None = None
    outcome: OutcomeName = "unchanged"
    record: str = ""
    changed: frozenset[str] = frozenset()
    derived: dict[str, Any] = field(default_factory=dict)
    level: int | None = None
    """How far the caller reaches the record; None where the product acts by itself."""

    @property
    def failed(self) -> bool:
        """Whether it will not be written."""
        return self.draft.failed

    def problem(self) -> Problem | None:
        """What is wrong with it."""
        draft = self.draft
        if draft.problem is not None:
            return draft.problem
        return invalid_input(draft.errors) if draft.errors else None


def check(works: list[Work], options: WriteOptions) -> list[Work]:
    """The works that go on; in an atomic call the first failing one raises."""
    good = [work for work in works if not work.failed]
    if options.atomic and len(good) < len(works):
        raise first_problem(works, options)
    return good


def first_problem(works: list[Work], options: WriteOptions) -> Problem:
    """The problem of the failing item that comes first in the caller's order."""
    work = min((work for work in works if work.failed), key=lambda work: work.index)
    problem = work.problem()
    assert problem is not None
    return single_problem(problem, work.index, options)


def single_problem(problem: Problem, index: int, options: WriteOptions) -> Problem:
    """The problem that ends an atomic call because of one item: in a batch it points below the item and carries all results."""
    if not options.items:
        return problem
    own = problem.to_dict()
    if not problem.errors:
        problem.errors = [FieldError(problem.code, problem.title, pointer="")]
    problem = problem.under(f"/items/{index}")
    other = FailedDependency().to_dict()
    problem.extra["results"] = [
        {"index": number, "status": problem.status if number == index else 424, "error": own if number == index else other}
        for number in range(options.items)
    ]
    return problem


def outcomes(works: list[Work]) -> list[Outcome]:
    """The results in the caller's order."""
    found = []
    for work in sorted(works, key=lambda work: work.index):
        problem = work.problem()
        if problem is not None:
            found.append(Outcome(work.index, work.draft.id, None, problem.status, "unchanged", "", problem))
        else:
            status = 201 if work.outcome == "created" else 200
            found.append(Outcome(work.index, work.draft.id, work.draft.new.get("version"), status, work.outcome, work.record))
    return found
