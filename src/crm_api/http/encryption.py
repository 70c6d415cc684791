"""With which keys the organisation's secrets are sealed, and sealing them anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from crm_api.flows.keys import in_use, tenant_columns
from crm_api.http.accepted import accepted
from crm_api.http.admin import require_admin
from crm_api.http.jobs import JobRead
from crm_api.http.routing import KernelRoute
from crm_api.jobs.keys import ROTATE_KEYS
from crm_api.kernel.audit import record
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Output, about

router = APIRouter(route_class=KernelRoute, tags=["encryption"])


class KeyUse(Output):
    """A key and what it has sealed. The keys themselves are the server's and never shown."""

    id: Annotated[int, about("The key's id, 1 to 255, as the server's operator gave it.", 2)]
    seals: Annotated[bool, about("Whether what is sealed now is sealed with it.", True)]
    values: Annotated[int, about("How many of the organisation's secrets it has sealed.", 14)]


class EncryptionRead(Output):
    """How the organisation's secrets that must be readable again are kept."""

    object: Annotated[str, about("Always `encryption`.", "encryption")]
    algorithm: Annotated[str, about("How they are sealed.", "AES-256-GCM")]
    keys: Annotated[
        list[KeyUse],
        about("The keys of the server, the one that seals first; empty if it has none.", [{"id": 2, "seals": True, "values": 14}]),
    ]


@router.get("/v1/encryption", response_model=EncryptionRead, summary="Which keys seal secrets")
async def get_encryption(context: ContextDep) -> EncryptionRead:
    """How many secrets (of webhooks, connections) each of the server's keys has sealed. For administrators."""
    require_admin(context)
    used = await in_use(context.uow, tenant_columns())
    first = context.keys.ids[:1]
    ids = dict.fromkeys([*context.keys.ids, *sorted(used)])
    keys = [KeyUse(id=id, seals=id in first, values=used.get(id, 0)) for id in ids]
    return EncryptionRead(object="encryption", algorithm="AES-256-GCM", keys=keys)


@router.post("/v1/encryption/rotate", status_code=202, response_model=JobRead, summary="Seal secrets anew")
async def rotate_encryption(request: Request, context: ContextDep) -> Response:
    """Seals with the server's present key what an earlier one sealed, as a job. Nothing that can be seen changes, and it harms
    nothing to do it twice. For administrators; the server's operator does it for all organisations with `crm-api keys rotate`.
    """
    require_admin(context)
    key_id = context.keys.sealing_id  # a server without a key says so at once
    record(context, "encryption.rotated", details={"key_id": key_id})
    return await accepted(request, context, ROTATE_KEYS, {})
