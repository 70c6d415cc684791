"""What only administrators may do."""

from __future__ import annotations

from uuid import UUID

from crm_api.core.errors import Forbidden, InsufficientScope, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.kernel.context import Context


def require_admin(context: Context) -> None:
    """Raises InsufficientScope unless the token has the scope `admin`, Forbidden unless the user's profile lets it administer."""
    if "admin" not in context.principal.scopes:
        raise InsufficientScope(["admin"])
    if not context.principal.administers:
        raise Forbidden("Only administrators may do this.")


def record_id(text: str) -> UUID:
    """An id in a path. Raises NotFound for what is none."""
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found
