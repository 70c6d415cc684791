"""What the steps of an erasure share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.flows.privacy.people import People
from crm_api.kernel.access.rights import EVERYTHING
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine

UUIDS: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_KEEP: Final = Statement(
    "INSERT INTO job_chunks (org_id, job_id, position, ids)"
    " SELECT $1, $2, coalesce(max(c.position), -1) + 1, $3 FROM job_chunks c WHERE c.org_id = $1 AND c.job_id = $2",
    ("org_id", "job_id", "ids"),
)


def unlimited(context: Context) -> Context:
    """The same transaction over all objects and fields: who may ask was checked when it was asked, and nothing may be overlooked."""
    principal = replace(context.principal, rights=EVERYTHING)
    return Context(principal, context.uow, context.whole, context.statements, context.keys, context.whole, context.egress)


@dataclass(slots=True)
class Work:
    """One step: the job, whom it is about, and what it has counted. The ids of the records that were dealt with stand in the job's
    chunks, so that whatever names one of them can be found afterwards.

    With `dry_run` everything is looked for and nothing is changed. `state` is what a stage keeps from step to step, `files` the jobs
    whose files show the person, once somebody has looked.
    """

    context: Context
    engine: Engine
    job_id: UUID
    request: Mapping[str, Any]
    people: People
    data_dir: Path
    dry_run: bool
    state: dict[str, Any] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    files: int | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that statements about mentions take."""
        return {"org_id": self.context.uow.org_id, "job_id": self.job_id, "texts": sorted(self.people.texts)}

    async def dealt_with(self, ids: list[UUID]) -> None:
        """Remembers records."""
        await self.context.uow.fetch(_KEEP, {"org_id": self.context.uow.org_id, "job_id": self.job_id, "ids": ids})


@dataclass(frozen=True, slots=True)
class Step:
    """How a step ended: `more` of the same stage is to come, after `wait_s` seconds; `back` to an earlier stage."""

    more: bool = False
    wait_s: float = 0
    back: str | None = None


DONE: Final = Step()
MORE: Final = Step(more=True)


def mentions_text(text: str, texts: str) -> str:
    """SQL: whether a text contains one of the folded texts of the array parameter."""
    return f"EXISTS (SELECT FROM unnest({texts}::text[]) AS m (word) WHERE strpos(lower({text}), m.word) > 0)"


def mentions_id(text: str) -> str:
    """SQL: whether a text contains the id of a record that was dealt with; $1 is the organisation, $2 the job."""
    return (
        f"EXISTS (SELECT FROM regexp_matches(lower({text}), '{UUIDS}', 'g') AS r (found)"
        " WHERE (r.found)[1]::uuid IN (SELECT unnest(c.ids) FROM job_chunks c WHERE c.org_id = $1 AND c.job_id = $2))"
    )
