"""What only administrators may do."""

from __future__ import annotations

from crm_api.core.errors import InsufficientScope
from crm_api.kernel.context import Context


def require_admin(context: Context) -> None:
    """Raises InsufficientScope unless the token has the scope `admin`."""
    if "admin" not in context.principal.scopes:
        raise InsufficientScope(["admin"])
