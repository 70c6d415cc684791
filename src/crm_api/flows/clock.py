"""The test clock of a sandbox: moving an organisation's time forwards, stopping it and letting it go on.

Everything that goes by business time follows at once, because every request, job and timer reads the organisation's row
anyway. Real time (ids, tokens, how long the journal is kept) goes on as it did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_api.core.clock import BusinessTime, business_time, format_timestamp
from crm_api.core.errors import FieldError, Forbidden, InvalidValue, ValidationFailed
from crm_api.core.relative import Duration
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow

LONGEST: Final = timedelta(days=3653)
"""How far a sandbox may be ahead of real time: ten years."""

_READ: Final = Statement("SELECT environment, time_zone, clock_offset_us, clock_frozen_at FROM organizations WHERE id = $1", ("org_id",))
_LOCK: Final = Statement(f"{_READ.sql} FOR NO KEY UPDATE", ("org_id",))
_WRITE: Final = Statement(
    "UPDATE organizations SET clock_offset_us = $2, clock_frozen_at = $3 WHERE id = $1 AND environment = 'sandbox'",
    ("org_id", "offset_us", "frozen_at"),
)
_DUE: Final = Statement("SELECT count(*) FROM timers WHERE org_id = $1 AND due_at <= $2", ("org_id", "now"))


async def read(uow: Uow) -> dict[str, Any]:
    """The clock as the API shows it."""
    row = await uow.fetch_row(_READ, {"org_id": uow.org_id})
    assert row is not None
    return await _described(uow, row["environment"], business_time(row["clock_offset_us"], row["clock_frozen_at"]))


async def business_now(uow: Uow) -> datetime:
    """The organisation's present time, read anew; the unit of work goes by it from then on."""
    row = await uow.fetch_row(_READ, {"org_id": uow.org_id})
    assert row is not None
    uow.keep_time(business_time(row["clock_offset_us"], row["clock_frozen_at"]))
    return uow.now


async def advance(uow: Uow, *, by: Duration | None = None, to: datetime | None = None) -> dict[str, Any]:
    """Moves the clock forwards by a duration (months and days by the organisation's calendar) or to an instant.

    Raises Forbidden in a production organisation, ValidationFailed for a move backwards or more than ten years ahead.
    """
    row, time = await _locked(uow)
    real = uow.clock.now()
    name = "by" if by is not None else "to"
    now = time.at(real)
    try:
        target = to if by is None else by.after(now, ZoneInfo(row["time_zone"]))
    except InvalidValue as error:
        raise ValidationFailed([error.at(pointer=f"/{name}")]) from None
    assert target is not None
    if target <= now:
        raise ValidationFailed([FieldError("exclusive_min", pointer=f"/{name}", params={"min": format_timestamp(now)})])
    if target > real + LONGEST:
        raise ValidationFailed([FieldError("max", pointer=f"/{name}", params={"max": format_timestamp(real + LONGEST)})])
    if time.frozen_at is not None:
        return await _set(uow, BusinessTime(time.offset, target))
    return await _set(uow, BusinessTime(time.offset + (target - now)))


async def freeze(uow: Uow) -> dict[str, Any]:
    """Stops the clock where it is; it can still be moved. A second time changes nothing. Raises Forbidden as `advance` does."""
    _, time = await _locked(uow)
    return await _set(uow, time if time.frozen_at is not None else BusinessTime(time.offset, time.at(uow.clock.now())))


async def resume(uow: Uow) -> dict[str, Any]:
    """Lets the clock go on from where it stands. If it goes already, nothing changes. Raises Forbidden as `advance` does."""
    _, time = await _locked(uow)
    return await _set(uow, time if time.frozen_at is None else BusinessTime(time.frozen_at - uow.clock.now()))


async def _locked(uow: Uow) -> tuple[Any, BusinessTime]:
    row = await uow.fetch_row(_LOCK, {"org_id": uow.org_id})
    assert row is not None
    if row["environment"] != "sandbox":
        raise Forbidden("Only a sandbox has a clock that can be moved; this is a production organisation.")
    return row, business_time(row["clock_offset_us"], row["clock_frozen_at"])


async def _set(uow: Uow, time: BusinessTime) -> dict[str, Any]:
    offset_us = time.offset // timedelta(microseconds=1)
    await uow.fetch(_WRITE, {"org_id": uow.org_id, "offset_us": offset_us, "frozen_at": time.frozen_at})
    uow.keep_time(time)
    return await _described(uow, "sandbox", time)


async def _described(uow: Uow, environment: str, time: BusinessTime) -> dict[str, Any]:
    real = uow.clock.now()
    now = time.at(real)
    return {
        "object": "clock",
        "now": format_timestamp(now),
        "real_now": format_timestamp(real),
        "ahead_seconds": round((now - real).total_seconds(), 6),
        "frozen": time.frozen_at is not None,
        "movable": environment == "sandbox",
        "due_timers": await uow.fetch_value(_DUE, {"org_id": uow.org_id, "now": now}),
    }
