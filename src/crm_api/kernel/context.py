"""What every kernel call carries: the caller, the transaction, and the organisation's objects."""

from __future__ import annotations

from dataclasses import dataclass

from crm_api.core.sealed import NO_KEYS, Keyring
from crm_api.db.statement import StatementCache
from crm_api.db.uow import Uow
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Context:
    """One caller's transaction over one organisation's objects. `statements` is the process-wide cache of compiled statements.

    `keys` seals and opens secrets that must be readable again.
    """

    principal: Principal
    uow: Uow
    registry: Registry
    statements: StatementCache
    keys: Keyring = NO_KEYS

    def __post_init__(self) -> None:
        self.uow.zone = self.principal.organization.time_zone
