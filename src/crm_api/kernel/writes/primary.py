"""A reference field that mirrors the primary edge of a many-to-many relation (`contacts.account_id`)."""

from __future__ import annotations

from collections.abc import Sequence

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft
from crm_api.kernel.writes.shape import Shape


async def sync_primary_links(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Makes the primary edges follow the fields that these writes changed."""
