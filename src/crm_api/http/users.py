"""What one does with users over HTTP beside writing them: the steps between invited, active and suspended."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm_api.flows.users.invitations import Step, reset_totp, step
from crm_api.http.admin import require_admin
from crm_api.http.records.answers import write_answer
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute, no_body_allowed
from crm_api.resources.users.schemas import UserRead

router = APIRouter(route_class=KernelRoute, tags=["users"])

DryRun = Annotated[bool, Query(description="Check everything, store nothing.", examples=[False])]
Fields = Annotated[str | None, Query(description="Only these fields of the record, by comma.", examples=["id,name,status"])]


async def _step(request: Request, kind: Step) -> Response:
    no_body_allowed(request)
    call = Call.of(request)
    call.policy.require("users", "update")
    users = call.context.whole["users"]
    options = call.answer_options(users, ("dry_run",))
    call.flag(options, "dry_run")
    outcome = await step(call.context, call.engine, call.path_id(), kind, call.expected_version())
    return await write_answer(call, users, outcome, options)


@router.post("/v1/users/{id}/activate", response_model=UserRead, summary="Activate an invited user")
async def activate_user(request: Request, id: str, dry_run: DryRun = False, fields: Fields = None) -> Response:
    """Lets an invited user in without waiting for them to accept. They choose a password by *Forgotten your password?*."""
    return await _step(request, "activate")


@router.post("/v1/users/{id}/suspend", response_model=UserRead, summary="Suspend a user")
async def suspend_user(request: Request, id: str, dry_run: DryRun = False, fields: Fields = None) -> Response:
    """Keeps the user out until further notice: their tokens are answered 401 `user_suspended` from the next request on.

    Sessions end too, if this was the last organisation that the person was active in. Records keep their owner. The last active
    super administrator can't be suspended: 409 `last_super_admin`.
    """
    return await _step(request, "suspend")


@router.post("/v1/users/{id}/reactivate", response_model=UserRead, summary="Reactivate a user")
async def reactivate_user(request: Request, id: str, dry_run: DryRun = False, fields: Fields = None) -> Response:
    """Ends a suspension. Tokens that were not revoked work again."""
    return await _step(request, "reactivate")


@router.post("/v1/users/{id}/resend_invitation", response_model=UserRead, summary="Send an invitation again")
async def resend_invitation(request: Request, id: str, dry_run: DryRun = False, fields: Fields = None) -> Response:
    """Mails another link to an invited user; earlier ones go on working until one of them is used or seven days are over."""
    return await _step(request, "resend_invitation")


@router.post("/v1/users/{id}/reset_totp", response_model=UserRead, summary="End a user's second factor")
async def reset_user_totp(request: Request, id: str, dry_run: DryRun = False, fields: Fields = None) -> Response:
    """For somebody who has lost their phone and the recovery codes. Needs the scope `admin`; their sessions end.

    A person who belongs to other organisations too keeps it: 409. Make sure that it is really they who ask.
    """
    no_body_allowed(request)
    call = Call.of(request)
    require_admin(call.context)
    users = call.context.registry["users"]
    options = call.answer_options(users, ("dry_run",))
    call.flag(options, "dry_run")
    outcome = await reset_totp(call.context, call.engine, call.path_id(), call.expected_version())
    return await write_answer(call, users, outcome, options)
