"""GET /v1/audit: who did what, and whether the log still says what was written."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from crm_api.core.cursor import decode_cursor, encode_cursor
from crm_api.core.errors import BadRequest, InvalidCursor, InvalidValue, NotFound
from crm_api.flows import audit_checkpoints
from crm_api.http.admin import record_id
from crm_api.http.records.story import envelope
from crm_api.http.routing import KernelRoute
from crm_api.http.services import services_of
from crm_api.kernel import audit_query
from crm_api.kernel.audit_query import ACTION, AuditQuery
from crm_api.kernel.audit_verify import MAX_ENTRIES, Kept, Reason, verify
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE
from crm_api.kernel.schema import Output, Timestamp, Uuid, about

router = APIRouter(route_class=KernelRoute, tags=["audit"])
_ID: Final = "01a201b3-fa6b-7331-a786-3bbfe1908256"
_AT: Final = "2026-11-22T05:21:41.958886Z"
_HASH: Final = "6f0c1ad3c7a1d5f5a3f0f3b1f6d6f8b7b6b2a0f2a8d4c0de51c5b7f0a1e2d3c4"
_NAME: Final = "^[a-z][a-z0-9_]*$"
_LAST_SEQ: Final = 2**63 - 1
_KEY: Final = b"audit checkpoints"  # numbers are no secret: only tells a damaged cursor from a whole one


class AuditPageQuery(BaseModel):
    """A page of a list that only goes back in time."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="Entries of a page, 1 to 200.", examples=[50])] = DEFAULT_PAGE
    cursor: Annotated[str | None, about("`page.next_cursor` of the page before.", "3q2-7wAAAAAAAAAAAAAAAA")] = None


class AuditListQuery(AuditPageQuery):
    """Which entries."""

    actor_id: Annotated[Uuid | None, about("Only what this user, or other actor, did.", _ID)] = None
    actor_type: Annotated[
        str | None, Field(max_length=40, pattern=_NAME, description="Only what actors of this type did.", examples=["user"])
    ] = None
    action: Annotated[
        str | None,
        Field(max_length=120, pattern=ACTION, description="Only this action; `user.*` stands for all that begin so.", examples=["user.*"]),
    ] = None
    object: Annotated[
        str | None, Field(max_length=80, pattern=_NAME, description="Only entries about this object.", examples=["profiles"])
    ] = None
    record_id: Annotated[Uuid | None, about("Only entries about this record, token, sandbox and so on.", _ID)] = None
    since: Annotated[Timestamp | None, about("Only entries from this instant on.", "2026-11-01T00:00:00Z")] = None
    until: Annotated[Timestamp | None, about("Only entries before this instant.", "2026-12-01T00:00:00Z")] = None


class AuditVerifyQuery(BaseModel):
    """Which part of the chain, and what is known of it."""

    model_config = ConfigDict(extra="forbid")

    from_seq: Annotated[
        int, Field(ge=1, le=_LAST_SEQ, description="The first entry to look at; the one before is believed.", examples=[1])
    ] = 1
    to_seq: Annotated[int | None, Field(ge=1, le=_LAST_SEQ, description="The last entry to look at.", examples=[250_000])] = None
    kept_seq: Annotated[int | None, Field(ge=1, le=_LAST_SEQ, description="`seq` of a checkpoint that you have kept.", examples=[4711])] = (
        None
    )
    kept_hash: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$", description="`hash` of that checkpoint.", examples=[_HASH])] = None


class AuditActor(Output):
    """Who acted."""

    type: Annotated[str, about("`user`, `system`, `app`, …", "user")]
    id: Annotated[UUID | None, about("The user's (or other actor's) id.", _ID)]


class AuditEntryRead(Output):
    """One entry of the audit log. It is never changed; only what is personal in it may be erased."""

    id: Annotated[UUID, about("The entry's id.", _ID)]
    seq: Annotated[int, about("Its place in the organisation's chain: 1, 2, 3, …, without gaps.", 4711)]
    occurred_at: Annotated[str, about("When, in real time (also in sandboxes whose clock was moved).", _AT)]
    action: Annotated[str, about("What was done.", "token.created")]
    actor: Annotated[AuditActor, about("Who did it.", {"type": "user", "id": _ID})]
    object: Annotated[str | None, about("The object that it was done to.", "tokens")]
    record_id: Annotated[UUID | None, about("Which one.", _ID)]
    request_id: Annotated[
        str | None, about("The request's id, as its answer's `X-Request-Id` told it.", "req_01a201b3fa6b7331a7863bbfe1908256")
    ]
    ip: Annotated[str | None, about("The address that the request came from; null once it was erased.", "203.0.113.7")]
    cause: Annotated[dict[str, Any], about("By which token, app or job.", {"token_id": _ID})]
    details: Annotated[dict[str, Any], about("What else there is to say, by action. Never a secret.", {"name": "Billing sync"})]
    personal: Annotated[dict[str, Any] | None, about("What tells of a person; null if nothing does, or once it was erased.", None)]
    erased_at: Annotated[str | None, about("When what was personal in it was erased.", None)]
    commitment: Annotated[str | None, about("The salted digest of what is personal, in hexadecimal digits; part of `hash`.", None)]
    salt: Annotated[str | None, about("The salt of `commitment`; null once it was erased.", None)]
    prev_hash: Annotated[str, about("The hash of the entry before; 64 zeros in the first one.", "0" * 64)]
    hash: Annotated[str, about("SHA-256 over the entry and `prev_hash`, in hexadecimal digits.", _HASH)]


class AuditPage(Output):
    """Where a list goes on."""

    next_cursor: Annotated[str | None, about("`cursor` of the next page; null at the end.", None)]
    prev_cursor: Annotated[None, about("Always null: these lists only go back in time.", None)]
    has_more: Annotated[bool, about("Whether there is a next page.", False)]


class AuditList(Output):
    """A page of the audit log."""

    data: Annotated[list[AuditEntryRead], Field(description="Newest first.")]
    page: Annotated[AuditPage, Field(description="Where the list goes on.")]


class AuditBroken(Output):
    """The first entry that is not as it was written."""

    seq: Annotated[int, about("The entry's number.", 4711)]
    reason: Annotated[Reason, about("What is wrong with it.", "altered")]
    detail: Annotated[str, about("The same in words.", "The entry's fields don't give the hash that is stored with it.")]


class AuditVerdict(Output):
    """What verifying has found."""

    object: Annotated[Literal["audit_verification"], about("Always `audit_verification`.", "audit_verification")]
    ok: Annotated[bool, about("Whether nothing is wrong with the part that was looked at, nor with the ends of the chain.", True)]
    entries: Annotated[int, about("Entries that were looked at and found to be right.", 4711)]
    from_seq: Annotated[int, about("The first one.", 1)]
    to_seq: Annotated[int, about("The last one.", 4711)]
    head_seq: Annotated[int, about("The number of the last entry there is.", 4711)]
    hash: Annotated[str | None, about("The hash of the last entry that was looked at.", _HASH)]
    checkpoints: Annotated[int, about("Signed checkpoints of these entries, all of them right.", 12)]
    erased: Annotated[int, about("Entries whose personal part was erased.", 3)]
    next_seq: Annotated[
        int | None, about(f"`from_seq` of the next call: one call looks at {MAX_ENTRIES:,} entries at most. Null at the end.", None)
    ]
    first_broken: Annotated[AuditBroken | None, Field(description="The first entry that is not as it was written; null if all are.")]


class AuditCheckpointRead(Output):
    """A signed statement of how far the chain went."""

    number: Annotated[int, about("1, 2, 3, …, without gaps.", 12)]
    seq: Annotated[int, about("The last entry then.", 4711)]
    hash: Annotated[str, about("That entry's hash.", _HASH)]
    signed_at: Annotated[str, about("When it was signed.", _AT)]
    key_id: Annotated[str, about("The key that signed; see `keys`.", "0a1b2c3d4e5f6071")]
    signature: Annotated[
        str, about("The Ed25519 signature, in base64.", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrzQ==")
    ]


class AuditKey(Output):
    """A public key that signatures are checked with."""

    key_id: Annotated[str, about("Its name: the first 16 hexadecimal digits of the key's SHA-256.", "0a1b2c3d4e5f6071")]
    algorithm: Annotated[Literal["Ed25519"], about("Always `Ed25519` (RFC 8032).", "Ed25519")]
    public_key: Annotated[str, about("Its 32 bytes in base64.", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]


class AuditCheckpointList(Output):
    """A page of checkpoints."""

    data: Annotated[list[AuditCheckpointRead], Field(description="Newest first.")]
    page: Annotated[AuditPage, Field(description="Where the list goes on.")]
    keys: Annotated[list[AuditKey], Field(description="The server's public keys, the one that signs first.")]


def _may_read(context: Context) -> None:
    context.policy.require("audit", "read")


@router.get("/v1/audit", response_model=AuditList, summary="List the audit log")
async def list_audit(context: ContextDep, query: Annotated[AuditListQuery, Query()]) -> Response:
    """Who signed in, gave permissions, changed the schema or settings, made tokens, exported or purged; newest first.

    Entries are written in the transaction of what they tell of, and can't be changed afterwards. Changes of ordinary records
    are told by `GET /v1/events` and `GET /v1/{object}/{id}/history` instead. Needs the scope `audit:read`.
    """
    _may_read(context)
    wanted = AuditQuery(query.actor_id, query.actor_type, query.action, query.object, query.record_id, query.since, query.until)
    rows, following = await audit_query.page(context.uow, context.statements, wanted, limit=query.limit, cursor=query.cursor)
    return Response(envelope(rows, following), media_type="application/json")


@router.get("/v1/audit/verify", response_model=AuditVerdict, summary="Verify the audit log")
async def verify_audit(context: ContextDep, request: Request, query: Annotated[AuditVerifyQuery, Query()]) -> JSONResponse:
    """Walks the chain of hashes and tells the first entry that is missing, changed, or in another's place.

    The ends of the chain and the signed checkpoints are looked at each time. `kept_seq` and `kept_hash` are a checkpoint that you
    have kept yourself: with it even a chain that was written anew with the server's keys is found out. A long log is verified in
    parts, see `next_seq`. Needs the scope `audit:read`.
    """
    _may_read(context)
    if (query.kept_seq is None) != (query.kept_hash is None):
        missing = "kept_hash" if query.kept_hash is None else "kept_seq"
        raise BadRequest(errors=[InvalidValue("required").at(parameter=missing)])
    kept = None if query.kept_seq is None or query.kept_hash is None else Kept(query.kept_seq, bytes.fromhex(query.kept_hash))
    signer = services_of(request).settings.signer
    found = await verify(context.uow, signer, from_seq=query.from_seq, to_seq=query.to_seq, kept=kept)
    return JSONResponse({"object": "audit_verification", **found.json()})


@router.get("/v1/audit/checkpoints", response_model=AuditCheckpointList, summary="List signed checkpoints of the audit log")
async def list_audit_checkpoints(context: ContextDep, request: Request, query: Annotated[AuditPageQuery, Query()]) -> Response:
    """How far the chain went, signed every hour in which it grew, with the keys that signatures are checked with.

    Keep the newest one somewhere else now and then: with it you can show later that nothing before it was changed or removed.
    What is signed is described on the page about the audit log. Needs the scope `audit:read`.
    """
    _may_read(context)
    below: int | None = None
    if query.cursor is not None:
        (number,) = decode_cursor(_KEY, "audit_checkpoints", "", query.cursor)
        if not isinstance(number, int):
            raise InvalidCursor("malformed")
        below = number
    found = await audit_checkpoints.listed(context.uow, query.limit + 1, below)
    shown, more = found[: query.limit], len(found) > query.limit
    following = encode_cursor(_KEY, "audit_checkpoints", "", [shown[-1].number]) if more else None
    page = {"next_cursor": following, "prev_cursor": None, "has_more": more}
    keys = [key.json() for key in services_of(request).settings.signer.public_keys]
    return JSONResponse({"data": [checkpoint.json() for checkpoint in shown], "page": page, "keys": keys})


@router.get("/v1/audit/{id}", response_model=AuditEntryRead, summary="Get an entry of the audit log")
async def get_audit_entry(context: ContextDep, id: str) -> Response:
    """One entry. Needs the scope `audit:read`."""
    _may_read(context)
    found = await audit_query.get(context.uow, record_id(id))
    if found is None:
        raise NotFound()
    return Response(found, media_type="application/json")
