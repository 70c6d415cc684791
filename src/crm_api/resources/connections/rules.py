"""What is special about writing connections: what each type needs, and when a secret has to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.presentation import refuse_unless
from crm_api.kernel.resource import Draft, Row, Rules
from crm_api.models.base import table
from crm_api.models.connections import ConnectionSecret

_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "base_url": ("oauth2", "api_key", "basic", "bearer"),
    "host": ("smtp",),
    "port": ("smtp",),
    "username": ("basic", "smtp"),
    "header_name": ("api_key",),
    "client_id": ("oauth2",),
    "token_url": ("oauth2",),
    "scopes": ("oauth2",),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "oauth2": ("base_url",),
    "api_key": ("base_url",),
    "basic": ("base_url", "username"),
    "bearer": ("base_url",),
    "smtp": ("host", "port"),
}
_NOT_OURS: Final = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "keep-alive",
        "cookie",
    }
)
"""Headers that make the request what it is; none of them can carry a key."""

NO_SECRET: Final[Mapping[str, Any]] = {"has_secret": False, "secret_set_at": None, "expires_at": None, "status": "no_secret"}

_secrets = table(ConnectionSecret)
_DROP: Final = compile_statement(
    sa.delete(_secrets).where(
        _secrets.c.org_id == sa.bindparam("org_id", type_=sa.Uuid()),
        _secrets.c.connection_id == sa.func.any(sa.bindparam("ids", type_=ARRAY(sa.Uuid()))),
    )
)


class ConnectionRules(Rules):
    """A secret goes only where it was given for, and no further than its connection."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Checks what the type needs; a connection that leads elsewhere, or was restored, has no secret any more."""
        for draft in drafts:
            connection = draft.new
            kind = connection["type"]
            if kind not in _NEEDED:  # reported already
                continue
            for name, kinds in _OF.items():
                refuse_unless(draft, name, kind in kinds, f"type={kind}")
            for name in _NEEDED[kind]:
                if connection[name] is None:
                    draft.fail(name, "required")
            if kind == "api_key" and connection["header_name"] is None:
                connection["header_name"] = "X-Api-Key"
            if draft.changed("header_name") and (connection["header_name"] or "").lower() in _NOT_OURS:
                draft.fail("header_name", "reserved_name")
            if connection["has_secret"] and (
                draft.operation == "restore" or (draft.old is not None and _leads(draft.old) != _leads(connection))
            ):
                connection.update(NO_SECRET)
        await _check_addresses(context, drafts)

    async def before_delete(self, context: Context, drafts: Sequence[Draft]) -> None:
        """A deleted connection keeps no secret, should it come back or not."""
        for draft in drafts:
            draft.new.update(NO_SECRET)

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        """Removes the secrets of connections that have none any more."""
        gone = [draft.id for draft in drafts if draft.old is not None and draft.old["has_secret"] and not draft.new["has_secret"]]
        if gone:
            await context.uow.fetch(_DROP, {"org_id": context.uow.org_id, "ids": gone})


def _leads(connection: Row) -> tuple[Any, ...]:
    """Who would get the secret."""
    return (*(_origin(connection[name]) for name in ("base_url", "token_url")), (connection["host"] or "").lower(), connection["port"])


def _origin(url: str | None) -> tuple[str, str, int] | None:
    if url is None:
        return None
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or {"http": 80}.get(scheme, 443)


async def _check_addresses(context: Context, drafts: Sequence[Draft]) -> None:
    """Holds addresses that are new to what requests may reach; all at once, since name servers are asked."""
    urls = [(draft, name) for draft in drafts for name in ("base_url", "token_url") if _is_new(draft, name)]
    hosts = [draft for draft in drafts if _is_new(draft, "host")]
    faults = await context.egress.faults([draft.new[name] for draft, name in urls], [draft.new["host"] for draft in hosts])
    for draft, name in [*urls, *((draft, "host") for draft in hosts)]:
        fault = faults.get(draft.new[name])
        if fault is not None:
            draft.errors.append(fault.at(pointer=f"/{name}"))


def _is_new(draft: Draft, name: str) -> bool:
    return draft.new[name] is not None and draft.changed(name)
