"""A job that follows a change of the schema, as its steps know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from crm_api.kernel.catalog import load
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.engine import Engine
from crm_api.kernel.resource import AnyResource

CHUNK: Final = 500
"""Records of one transaction."""

FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Step:
    """How a job stands after a step. `wait_s`: nothing more may happen for so long. `errors` are why it failed in the end, `problems`
    those of single records."""

    state: Mapping[str, Any]
    done: int = 0
    wait_s: float = 0
    finished: bool = False
    errors: Sequence[Mapping[str, Any]] = ()
    problems: Mapping[UUID, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """One job: what was asked, and how far it has come (`state`: `phase` and where its next records begin)."""

    context: Context
    engine: Engine
    job_id: UUID
    request: Mapping[str, Any]
    state: Mapping[str, Any]

    @property
    def phase(self) -> str:
        """What is to be done next."""
        return str(self.state.get("phase", "begin"))

    @property
    def after(self) -> UUID:
        """The last record that is done."""
        return UUID(self.state["after"]) if "after" in self.state else FIRST

    def into(self, phase: str, **more: Any) -> Step:
        """The next phase."""
        return Step({"phase": phase, **more})

    def on(self, after: UUID | None, following: str, done: int = 0) -> Step:
        """The same phase with the next records, or the following one where there are none left."""
        if after is None:
            return replace(self.into(following), done=done)
        return Step({**self.state, "phase": self.phase, "after": str(after)}, done)

    async def definition(self) -> CustomField | None:
        """The field, if it still waits for this job."""
        _, fields = await load(self.context.uow, self.context.uow.org_id)
        return self.mine(fields)

    def mine(self, fields: list[CustomField]) -> CustomField | None:
        """The job's field among the organisation's, unless another job has taken over."""
        wanted = (self.request["object"], self.request["field"])
        found = next((f for f in fields if (f.object, f.api_name) == wanted and not f.standard), None)
        return found if found is not None and found.properties.get("job_id") == str(self.job_id) else None


END: Final = Step({}, finished=True)


def resource_for(context: Context, name: str) -> AnyResource | None:
    """The object as it is now; None if it is archived."""
    return context.whole.get(name)
