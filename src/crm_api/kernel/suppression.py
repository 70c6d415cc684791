"""Addresses that were erased and must not come back.

They are kept as HMAC-SHA-256 under a key of the organisation, made when it first erases somebody: nobody can read a list of
them, and the same address is still known when somebody brings it back. An organisation without a key has nothing to look up.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from crm_api.core.email import normalize_email
from crm_api.core.errors import FieldError, InvalidValue, Suppressed
from crm_api.core.phone import normalize_phone
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft

Address = tuple[str, str]
"""`email` or `phone`, and the key by which it is compared."""

_KEY: Final = Statement("SELECT suppression_key FROM organizations WHERE id = $1", ("org_id",))
_MAKE_KEY: Final = Statement(
    "UPDATE organizations SET suppression_key = coalesce(suppression_key, $2::bytea) WHERE id = $1 RETURNING suppression_key",
    ("org_id", "key"),
)
_ADD: Final = Statement(
    "INSERT INTO suppressions (org_id, kind, digest, created_at)"
    " SELECT $1, u.kind, u.digest, $4 FROM unnest($2::text[], $3::bytea[]) AS u (kind, digest) ORDER BY u.kind, u.digest"
    " ON CONFLICT DO NOTHING",
    ("org_id", "kinds", "digests", "now"),
)
_FIND: Final = Statement("SELECT kind, digest FROM suppressions WHERE org_id = $1 AND digest = ANY($2::bytea[])", ("org_id", "digests"))
_DROP: Final = Statement("DELETE FROM suppressions WHERE org_id = $1 AND digest = ANY($2::bytea[]) RETURNING 1", ("org_id", "digests"))


def email_key(text: str) -> str | None:
    """The key of an e-mail address; None for what is none."""
    try:
        return normalize_email(text).key
    except InvalidValue:
        return None


def phone_key(text: str, region: str | None) -> str | None:
    """The key of a telephone number; None for what is none."""
    found = normalize_phone(text, region)
    return None if found is None else found.key


def _digest(key: bytes, address: Address) -> bytes:
    return hmac.new(key, ":".join(address).encode(), hashlib.sha256).digest()


async def suppress(uow: Uow, addresses: Iterable[Address]) -> int:
    """Remembers addresses; those that are known already stay. How many that were."""
    wanted = sorted(set(addresses))
    if wanted:
        key: bytes | None = await uow.fetch_value(_KEY, {"org_id": uow.org_id})
        if key is None:  # only then is the organisation's row written
            key = await uow.fetch_value(_MAKE_KEY, {"org_id": uow.org_id, "key": secrets.token_bytes(32)})
        assert key is not None
        digests = [_digest(key, address) for address in wanted]
        await uow.fetch(_ADD, {"org_id": uow.org_id, "kinds": [kind for kind, _ in wanted], "digests": digests, "now": uow.now})
    return len(wanted)


async def suppressed(context: Context, addresses: Iterable[Address]) -> set[Address]:
    """Those of the addresses that must not come back."""
    key = context.principal.organization.suppression_key
    by_digest = {} if key is None else {_digest(key, address): address for address in addresses}
    if not by_digest:
        return set()
    rows = await context.uow.fetch(_FIND, {"org_id": context.uow.org_id, "digests": list(by_digest)})
    return {by_digest[bytes(row["digest"])] for row in rows}


async def release(context: Context, address: Address) -> bool:
    """Lets an address come back; whether it was suppressed."""
    key = context.principal.organization.suppression_key
    if key is None:
        return False
    return bool(await context.uow.fetch(_DROP, {"org_id": context.uow.org_id, "digests": [_digest(key, address)]}))


def addresses_of(row: Mapping[str, Any], region: str) -> dict[Address, str]:
    """The addresses in the row of a person, each with its place."""
    found: dict[Address, str] = {}
    emails = [(f"/emails/{i}/address", entry["address"]) for i, entry in enumerate(row.get("emails") or ())]
    phones = [(f"/phones/{i}/number", entry["number"]) for i, entry in enumerate(row.get("phones") or ())]
    for pointer, text in [("/email", row.get("email")), *emails]:
        key = None if text is None else email_key(text)
        if key is not None:
            found.setdefault(("email", key), pointer)
    for pointer, text in [("/phone", row.get("phone")), *phones]:
        key = None if text is None else phone_key(text, region)
        if key is not None:
            found.setdefault(("phone", key), pointer)
    return found


async def refuse_suppressed(context: Context, drafts: Sequence[Draft]) -> None:
    """Marks drafts of people that bring back what was erased. No statement where the organisation never erased anybody."""
    if context.principal.organization.suppression_key is None:
        return
    region = context.principal.organization.region
    asked: list[tuple[Draft, dict[Address, str]]] = []
    for draft in drafts:
        if any(draft.changed(name) for name in ("email", "emails", "phone", "phones", "deleted_at") if name in draft.new):
            before = {} if draft.old is None or draft.old["deleted_at"] is not None else addresses_of(draft.old, region)
            asked.append((draft, {a: place for a, place in addresses_of(draft.new, region).items() if a not in before}))
    found = await suppressed(context, {address for _, addresses in asked for address in addresses})
    for draft, addresses in asked:
        errors = [FieldError("suppressed", pointer=place) for address, place in addresses.items() if address in found]
        if errors and draft.problem is None:
            draft.problem = Suppressed(errors=errors)
