"""What every kernel call carries: the caller, the transaction, and the organisation's objects."""

from __future__ import annotations

from dataclasses import dataclass

from crm_api.core.egress.guard import NO_EXCEPTIONS, EgressGuard
from crm_api.core.sealed import NO_KEYS, Keyring
from crm_api.db.statement import StatementCache
from crm_api.db.uow import Uow
from crm_api.kernel.policy import Policy
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource


@dataclass(frozen=True, slots=True)
class Context:
    """One caller's transaction over one organisation's objects. `statements` is the process-wide cache of compiled statements.

    `registry` are the objects and fields that the caller may know of: what requests are read against and answers are made from.
    `whole` is for what the product does on its own account: rules, checks, events. `keys` seals and opens secrets
    that must be readable again; `egress` judges addresses that users name, before they are stored.
    """

    principal: Principal
    uow: Uow
    registry: Registry
    statements: StatementCache
    keys: Keyring = NO_KEYS
    unnarrowed: Registry | None = None
    egress: EgressGuard = NO_EXCEPTIONS

    def __post_init__(self) -> None:
        self.uow.zone = self.principal.organization.time_zone

    @property
    def whole(self) -> Registry:
        """All objects and fields, whatever of them the caller may know of."""
        return self.registry if self.unnarrowed is None else self.unnarrowed

    @property
    def policy(self) -> Policy:
        """What the caller may do."""
        return Policy(self.principal, self.whole)

    def plan_by_values(self, *objects: AnyResource) -> None:
        """Says that what follows looks for records of these objects. Whose records a caller reaches may be a hundredth of them or none,
        and a plan made for everybody would read through all of them for one who reaches none."""
        if any(map(self.policy.closed, objects)):
            self.uow.plan_by_values = True

    def seen(self, resource: AnyResource) -> AnyResource:
        """An object as the caller may know it; one that is hidden altogether as it is, since whoever asks acts for the product."""
        return self.registry.get(resource.name) or resource
