"""Denied access goes into the audit log, although the request that was denied leaves nothing else behind."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from starlette.requests import Request

from crm_api.core.clock import Clock
from crm_api.core.errors import Problem
from crm_api.db.engine import Database
from crm_api.db.uow import Cause
from crm_api.http.dispatch import TEMPLATE_KEY
from crm_api.kernel.audit import record_alone
from crm_api.kernel.principal import Principal

AGAIN: Final = timedelta(minutes=1)
"""How long the same refusal of the same token is not told again, so that nobody fills the log by asking."""

_REMEMBERED: Final = 10_000
_TOLD: Final = frozenset({"forbidden", "insufficient_scope", "ip_not_allowed"})

log = structlog.get_logger("crm_api.audit")


class Denials:
    """What one process has told of lately."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[UUID, str, str], datetime] = OrderedDict()

    async def tell(self, database: Database, clock: Clock, principal: Principal, request: Request, problem: Problem, cause: Cause) -> None:
        """Notes a 403 as `access.denied`. Never raises: the answer is the problem, whatever becomes of the entry."""
        if problem.code not in _TOLD:
            return
        route = str(request.scope.get(TEMPLATE_KEY, request.scope["path"]))
        key, now = (principal.token_id, request.method, route), clock.now()
        last = self._last.get(key)
        if last is not None and now - last < AGAIN:
            return
        self._last[key] = now
        self._last.move_to_end(key)
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        details = {"method": request.method, "route": route, "code": problem.code}
        scopes = problem.extra.get("required_scopes")
        if scopes is not None:
            details["required_scopes"] = scopes
        try:
            await record_alone(database, clock, principal.org_id, "access.denied", details=details, actor=principal.actor, cause=cause)
        except Exception as error:
            log.warning("denial_not_told", org_id=str(principal.org_id), error=repr(error))
