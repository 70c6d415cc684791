"""The record engine as one value: the objects, and what reads and writes them. Built once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from crm_api.core.egress.guard import NO_EXCEPTIONS, EgressGuard
from crm_api.core.sealed import NO_KEYS, Keyring
from crm_api.db.statement import StatementCache
from crm_api.db.uow import Uow
from crm_api.kernel.access.configuration import AccessCatalog
from crm_api.kernel.access.fields import hideable, with_followers
from crm_api.kernel.access.rights import Rights
from crm_api.kernel.catalog import Catalog
from crm_api.kernel.context import Context
from crm_api.kernel.principal import Principal
from crm_api.kernel.reader import Reader
from crm_api.kernel.registry import Registry
from crm_api.kernel.visible import narrowed
from crm_api.kernel.writer import Writer


@dataclass(frozen=True, slots=True)
class Engine:
    """`registry` holds the standard objects, `catalog` those of each organisation. `statements` keeps compiled statements for the
    life of the process; `reader` and `writer` hold no state of
    requests. `cursor_key` signs page cursors and is the same in every process. `keys` seals secrets that must be readable again;
    `egress` judges addresses that users name."""

    registry: Registry
    reader: Reader
    writer: Writer
    cursor_key: bytes
    keys: Keyring = NO_KEYS
    statements: StatementCache = field(default_factory=StatementCache)
    catalog: Catalog = field(init=False)
    access: AccessCatalog = field(default_factory=AccessCatalog)
    egress: EgressGuard = NO_EXCEPTIONS

    def __post_init__(self) -> None:
        object.__setattr__(self, "catalog", Catalog(self.registry))

    async def context(self, principal: Principal, uow: Uow) -> Context:
        """The caller's context over the objects of the caller's organisation, with the rights that the user has now; the product itself
        keeps its own."""
        whole = await self.catalog.registry(uow, principal.organization)
        if principal.rights.everything:
            return Context(principal, uow, whole, self.statements, self.keys, egress=self.egress)
        configuration = await self.access.configuration(uow, principal.organization, whole)
        rights = configuration.rights(principal.user_id)
        if principal.token_fields is not None:
            rights = self._limited(rights, principal.token_fields, whole)
        seen = whole
        if rights.view is not None:
            seen = self.statements.get(("narrowed", whole.key, rights.view), lambda: narrowed(whole, rights))
        return Context(replace(principal, rights=rights), uow, seen, self.statements, self.keys, whole, self.egress)

    def _limited(self, rights: Rights, fields: Mapping[str, frozenset[str]], whole: Registry) -> Rights:
        """The rights of a user whose token knows only some fields of some objects: the others are hidden.

        One value for the same rights and fields, as long as they are asked for: policies keep what they make of rights with these.
        """
        key = ("token_fields", whole.key, tuple(sorted((name, tuple(sorted(known))) for name, known in fields.items())))

        def limited() -> tuple[Rights, Rights]:
            hidden = self.statements.get(key, lambda: _unnamed(whole, fields))
            names = {*rights.hidden, *hidden}
            both = {name: rights.hidden.get(name, frozenset()) | hidden.get(name, frozenset()) for name in names}
            return rights, replace(rights, hidden=both, view=(rights.view, key))

        # By identity: comparing rights would cost more than it saves. The entry holds them, so that no others get their place.
        return self.statements.get(("limited", id(rights), key), limited)[1]


def _unnamed(whole: Registry, fields: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The fields that a token doesn't name, and what follows from them unless it is named itself (`email` without `emails`)."""
    hidden = with_followers(whole, {name: set(hideable(whole[name])) - known for name, known in fields.items() if name in whole})
    return {name: found - fields.get(name, frozenset()) for name, found in hidden.items()}
