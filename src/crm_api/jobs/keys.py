"""The job that seals an organisation's secrets anew with the key that seals now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from crm_api.core.errors import InternalError
from crm_api.flows.keys import seal_again, tenant_columns
from crm_api.jobs import claims
from crm_api.jobs.claims import Standing
from crm_api.jobs.steps import until_done

if TYPE_CHECKING:
    from crm_api.jobs.tasks import Run

ROTATE_KEYS: Final = "rotate_keys"


async def run_rotation(run: Run) -> None:
    """Goes through the sealed columns chunk by chunk; where the next chunk begins moves in the transaction that does one."""
    standing = await until_done(lambda: _next(run))
    shown = {"sealed": standing.result.get("sealed", 0), "unreadable": standing.failed}
    await run.finish("partly_failed" if standing.failed else "succeeded", replace(standing, total=standing.done, result=shown))


async def _next(run: Run) -> Standing | None:
    """Does one chunk; where there is none left, how the job stands."""
    columns = tenant_columns()
    async with run.context(action="encryption.rotate") as context:
        standing = await claims.standing(context.uow, run.job)
        kept: dict[str, Any] = standing.result
        place = kept.get("column", 0)
        if place >= len(columns):
            return standing
        chunk = await seal_again(context.uow, context.keys, columns[place], kept.get("after"))
        problem = InternalError().to_dict()
        ids = [(standing.failed + index, row) for index, row in enumerate(chunk.unreadable)]
        errors = [{"position": index, "record_id": row, "error": problem} for index, row in ids]
        result = {"sealed": kept.get("sealed", 0) + chunk.sealed, "column": place, "after": chunk.after}
        if chunk.after is None:
            result["column"] = place + 1
        after = replace(
            standing,
            position=standing.position + 1,
            done=standing.done + chunk.sealed + len(errors),
            failed=standing.failed + len(errors),
            result=result,
        )
        await claims.advance(context.uow, run.job, after, errors)
    return None
