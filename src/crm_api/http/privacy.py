"""Data protection: bringing together and erasing what is known of a person, addresses that must not come back, consents, retention."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import FileResponse, Response

from crm_api.core.errors import FieldError, NotFound, ValidationFailed
from crm_api.flows.privacy import consents, requests, retention
from crm_api.flows.privacy.exporting import NAME
from crm_api.flows.privacy.people import MatchOn, People
from crm_api.flows.snapshots import job_folder
from crm_api.http.accepted import wake_workers
from crm_api.http.admin import record_id, require_admin
from crm_api.http.jobs import JobRead
from crm_api.http.routing import KernelRoute, other_media, reads
from crm_api.http.services import services_of
from crm_api.jobs import store
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.schema import Email, Input, JsonObject, Output, Phone, Uuid, about
from crm_api.kernel.suppression import Address, email_key, phone_key, release, suppressed

router = APIRouter(route_class=KernelRoute, tags=["privacy"])

ZIP: Final = "application/zip"
_ID: Final = "01976f6e-8a00-7000-8000-000000000001"
_AT: Final = "2026-11-22T03:31:00.000000Z"

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


class Subject(Input):
    """Whom it is about: a contact or lead, or whoever has an e-mail address."""

    object: Annotated[Literal["contacts", "leads"] | None, about("The object of the record.", "contacts")] = None
    id: Annotated[Uuid | None, about("The record; deleted and purged ones too.", _ID)] = None
    email: Annotated[Email | None, about("An e-mail address instead of a record.", "ada@acme.example")] = None


class PrivacyExport(Input):
    """Whose data to bring together."""

    subject: Annotated[Subject, about("Either `object` and `id`, or `email`.", {"object": "contacts", "id": _ID})]
    match_on: Annotated[
        list[MatchOn],
        Field(min_length=1, max_length=2),
        about("By what further records are taken for the same person. Telephone numbers are often shared; look before.", ["email"]),
    ] = ["email"]  # noqa: RUF012  # Pydantic copies it


class PrivacyErase(PrivacyExport):
    """Whose data to erase."""

    suppress: Annotated[
        bool,
        about(
            "Whether the person's addresses must not come back: e-mail addresses, and telephone numbers if there are none or `match_on` "
            "names them.",
            True,
        ),
    ] = True
    dry_run: Annotated[bool, about("Whether only to count what there is.", True)] = False


class AddressBody(Input):
    """An address: either an e-mail address or a telephone number."""

    email: Annotated[Email | None, about("An e-mail address.", "ada@acme.example")] = None
    phone: Annotated[Phone | None, about("A telephone number.", "+49 30 1234567")] = None


class ReleaseBody(AddressBody):
    """An address to release."""

    reason: Annotated[Reason, about("Why; it goes into the audit log.", "Signed up again on 22 November.")]


class SuppressionState(Output):
    """Whether an address is kept out."""

    suppressed: bool = about("Whether records with it are refused (422 `suppressed`).", True)


class Released(Output):
    """What became of it."""

    released: bool = about("Whether it was kept out before.", True)


class ConsentState(Output):
    """What holds at present for a purpose over a channel."""

    purpose: str = about("The purpose.", "newsletter")
    channel: str = about("The channel.", "email")
    status: Literal["granted", "withdrawn", "denied"] = about("The latest word.", "granted")
    legal_basis: str | None = about("On what it rests.", "consent")
    since: str = about("When it was said.", _AT)
    consent_id: str = about("The consent that says so.", _ID)


class Consents(Output):
    """What a person has agreed to."""

    state: list[ConsentState] = about("One for each purpose and channel that was ever spoken of.", [])
    history: list[JsonObject] = about("Every consent, the latest first, up to 1,000.", [{"object": "consents", "id": _ID}])


class RetentionPreview(Output):
    """What a retention policy would do now."""

    count: int = about("How many records are past their time.", 12)
    cutoff: str = about("The date or time before which the policy's date must lie.", _AT)
    action: str = about("What would become of them.", "delete")
    sample: list[str] = about("The ids of the first of them, up to 20.", [_ID])


async def _people(context: Context, subject: Subject) -> People:
    by_record = subject.object is not None or subject.id is not None
    if by_record == (subject.email is not None) or (by_record and (subject.object is None or subject.id is None)):
        raise ValidationFailed([FieldError("exactly_one_of", pointer="/subject", params={"fields": "object + id, email"})])
    if subject.email is not None:
        return requests.addressed(subject.email)
    assert subject.object is not None
    assert subject.id is not None
    return await requests.subject(context, subject.object, subject.id)


async def _accepted(request: Request, context: Context, kind: str, people: People, match_on: list[MatchOn], **more: Any) -> Response:
    job_id = await requests.ask(context, kind, people, sorted(set(match_on)), **more)
    wake_workers(request, context.uow)
    return Response(await store.shown(context, job_id), 202, {"location": f"/v1/jobs/{job_id}"}, "application/json")


@router.post("/v1/privacy/export", status_code=202, response_model=JobRead, summary="Export a person's data")
async def export_person(context: ContextDep, request: Request, body: PrivacyExport) -> Response:
    """Brings together what is known of a person: the records, what refers to them and is linked to them, consents and history.

    The job's `result` names one ZIP file, to be fetched with `GET /v1/files/privacy/{job_id}/export.zip`: each table as JSON lines
    and as CSV. It goes with the job, seven days after its end. Needs the scope `admin`.
    """
    require_admin(context)
    return await _accepted(request, context, requests.EXPORT, await _people(context, body.subject), body.match_on)


@router.post("/v1/privacy/erase", status_code=202, response_model=JobRead, summary="Erase a person")
async def erase_person(context: ContextDep, request: Request, body: PrivacyErase) -> Response:
    """Removes everything about a person, everywhere, for good: the records, notes, the text of cases and tasks, the values in the
    history, stored answers, what jobs were asked, and their files. Each record that goes is told by an `erased` event with its id
    alone.

    With `dry_run` the job's `result` counts what there is. Whatever is already gone is passed over, so it may be asked again. Needs
    the scope `admin`.
    """
    require_admin(context)
    more = {"suppress": body.suppress, "dry_run": body.dry_run}
    return await _accepted(request, context, requests.ERASE, await _people(context, body.subject), body.match_on, **more)


@router.get(
    "/v1/files/privacy/{job_id}/export.zip",
    response_class=FileResponse,
    summary="Download a person's data",
    responses={200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}, "example": "PK…"}}}},
)
@other_media
async def get_privacy_file(context: ContextDep, request: Request, job_id: str) -> Response:
    """The file of a privacy export. Needs the scope `admin`."""
    require_admin(context)
    found = record_id(job_id)
    attempt = await store.finished_attempt(context, found, requests.EXPORT)
    path = job_folder(services_of(request).settings.data_dir, context.principal.org_id, found) / str(attempt) / NAME
    if not path.is_file():
        raise NotFound()
    return FileResponse(path, media_type=ZIP, filename=NAME)


def _address(context: Context, body: AddressBody) -> Address:
    if (body.email is None) == (body.phone is None):
        raise ValidationFailed([FieldError("exactly_one_of", pointer="", params={"fields": "email, phone"})])
    if body.email is not None:
        kind, key = "email", email_key(body.email)
    else:
        kind, key = "phone", phone_key(str(body.phone), context.principal.organization.region)
    if key is None:
        params = {"reason": "no address"} if kind == "email" else None
        raise ValidationFailed([FieldError(f"invalid_{kind}", pointer=f"/{kind}", params=params)])
    return kind, key


@router.post("/v1/privacy/suppressions/check", response_model=SuppressionState, summary="Ask whether an address is kept out")
@reads
async def check_suppression(context: ContextDep, body: AddressBody) -> dict[str, Any]:
    """Whether an address belongs to somebody who was erased. The addresses themselves are not kept, so they can't be listed. Needs the
    scope `admin`.
    """
    require_admin(context)
    return {"suppressed": bool(await suppressed(context, [_address(context, body)]))}


@router.post("/v1/privacy/suppressions/release", response_model=Released, summary="Let an address come back")
async def release_suppression(context: ContextDep, body: ReleaseBody) -> dict[str, Any]:
    """Lets records have the address of somebody who was erased, such as a person who comes back of their own accord. The reason goes
    into the audit log. Needs the scope `admin`.
    """
    require_admin(context)
    released = await release(context, _address(context, body))
    if released:
        audit.record(context, "privacy.suppression_released", object="privacy", personal={"reason": body.reason})
    return {"released": released}


async def _consents(context: Context, engine: EngineDep, object_name: str, id_: str) -> dict[str, Any]:
    resource = context.registry.get(object_name)
    if resource is None or "consents" not in context.registry:
        raise NotFound()
    context.policy.require_read((object_name, "consents"))
    person = record_id(id_)
    if (await engine.reader.one(context, resource, person)).deleted:
        raise NotFound()
    return await consents.standing(context, object_name, person)


@router.get("/v1/contacts/{id}/consents", response_model=Consents, summary="What a contact has agreed to")
async def get_contact_consents(context: ContextDep, engine: EngineDep, id: str) -> dict[str, Any]:
    """The present state for each purpose and channel, and how it came to that; also what was said as a lead. Scopes: `contacts:read`
    and `consents:read`.
    """
    return await _consents(context, engine, "contacts", id)


@router.get("/v1/leads/{id}/consents", response_model=Consents, summary="What a lead has agreed to")
async def get_lead_consents(context: ContextDep, engine: EngineDep, id: str) -> dict[str, Any]:
    """The present state for each purpose and channel, and how it came to that. Scopes: `leads:read` and `consents:read`."""
    return await _consents(context, engine, "leads", id)


@router.post(
    "/v1/retention_policies/{id}/preview", response_model=RetentionPreview, summary="Preview a policy"
)
@reads
async def preview_retention(context: ContextDep, engine: EngineDep, id: str) -> dict[str, Any]:
    """How many records the policy would deal with now, active or not, and the first of them. Changes nothing. Scopes:
    `retention_policies:read` and the read of its object.
    """
    resource = context.registry.get("retention_policies")
    context.policy.require_read(("retention_policies",))
    if resource is None:
        raise NotFound()
    stored = await engine.reader.one(context, resource, record_id(id))
    policy = orjson.loads(stored.json)
    if stored.deleted:
        raise NotFound()
    context.policy.require_read((policy["applies_to"],))
    return await retention.preview(context, policy)
