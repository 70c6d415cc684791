"""Settings: those of the organisation, and those that a person has set for themselves."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.responses import Response

from crm_api.core.errors import ValidationFailed
from crm_api.core.etag import write_etag
from crm_api.core.fiscal import Anchor, Pattern, Weekday
from crm_api.flows import organization_settings, preferences
from crm_api.flows.settings_schemas import (
    DATE_FORMAT,
    LOCALE,
    NUMBER_FORMAT,
    WEEK,
    ZONE,
    DefaultAccess,
    Hierarchy,
    OrgUpdate,
    SettingsUpdate,
)
from crm_api.http.admin import require_admin
from crm_api.http.records.answers import read_tag
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.schema import Output

router = APIRouter(route_class=KernelRoute, tags=["account"])


class FiscalYear(Output):
    """How the fiscal year is cut. It is named after the calendar year in which it ends."""

    start_month: Annotated[int, Field(description="The month in which it begins, 1 to 12.", examples=[2])]
    pattern: Annotated[Pattern, Field(description="`calendar` months, or quarters of 13 weeks cut into months so.", examples=["4-4-5"])]
    week_start: Annotated[Weekday, Field(description="The weekday on which a year of weeks begins.", examples=["monday"])]
    anchor: Annotated[
        Anchor,
        Field(
            description="A year of weeks begins on its weekday `nearest` to the first of the month, or on the `last` one not after it.",
            examples=["nearest"],
        ),
    ]


class Sharing(Output):
    """Who reaches whose records of an organisation."""

    hierarchy: Annotated[
        Hierarchy, Field(description="Who stands above others and reaches their records: by roles, or by managers.", examples=["roles"])
    ]
    defaults: Annotated[
        dict[str, DefaultAccess],
        Field(
            description="What everybody may do with records of an object that belong to others; `write` where it is not named.",
            examples=[{"contacts": "private"}],
        ),
    ]


class OrgRead(Output):
    """The caller's organisation."""

    object: Annotated[str, Field(description="Always `org`.", examples=["org"])]
    id: Annotated[UUID, Field(description="The organisation's id.", examples=["01a201b3-f7a9-753f-bba8-4fb5357f9b98"])]
    name: Annotated[str, Field(description="Its name.", examples=["Acme Sales"])]
    currency: Annotated[
        str, Field(description="The currency of new records that name none, and of all `_base` amounts (ISO 4217).", examples=["EUR"])
    ]
    time_zone: Annotated[str, Field(description=ZONE, examples=["Europe/Berlin"])]
    locale: Annotated[str, Field(description=LOCALE, examples=["de"])]
    region: Annotated[str, Field(description="Where telephone numbers without a country code belong (ISO 3166-1).", examples=["DE"])]
    date_format: Annotated[str | None, Field(description=f"{DATE_FORMAT}; null as the language has it.", examples=["dd.MM.yyyy"])]
    number_format: Annotated[str | None, Field(description=f"{NUMBER_FORMAT}; null as the language has it.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str, Field(description=f"{WEEK}.", examples=["monday"])]
    fiscal_year: Annotated[FiscalYear, Field(description="What `this_fiscal_quarter` and its like mean.")]
    environment: Annotated[str, Field(description="`production` or `sandbox`.", examples=["production"])]
    sharing: Annotated[Sharing, Field(description="Who reaches whose records, before rules and single shares.")]
    require_if_match: Annotated[
        list[str], Field(description="Objects whose records change only with an `If-Match` header (428 without).", examples=[["deals"]])
    ]
    require_totp: Annotated[bool, Field(description="Whether signing in needs a second factor.", examples=[False])]
    created_at: Annotated[str, Field(description="When it was made.", examples=["2026-11-22T05:21:41.958886Z"])]


class Effective(Output):
    """What holds for the caller in the end."""

    locale: Annotated[str, Field(description=LOCALE, examples=["de-AT"])]
    time_zone: Annotated[str, Field(description=ZONE, examples=["Europe/Vienna"])]
    region: Annotated[str, Field(description="ISO 3166-1 code.", examples=["AT"])]
    currency: Annotated[str, Field(description="ISO 4217 code.", examples=["EUR"])]
    date_format: Annotated[str, Field(description="The pattern of dates in labels.", examples=["dd.MM.y"])]
    number_format: Annotated[str, Field(description="The form of numbers in labels.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str, Field(description="The day on which weeks begin.", examples=["monday"])]


class SettingsRead(Output):
    """What the caller has set for themselves. Null follows the organisation."""

    object: Annotated[str, Field(description="Always `settings`.", examples=["settings"])]
    locale: Annotated[str | None, Field(description=LOCALE, examples=["de-AT"])]
    time_zone: Annotated[str | None, Field(description=ZONE, examples=["Europe/Vienna"])]
    region: Annotated[str | None, Field(description="ISO 3166-1 code of where the person is.", examples=["AT"])]
    currency: Annotated[str | None, Field(description="Currency that a user interface proposes for new amounts.", examples=["EUR"])]
    date_format: Annotated[str | None, Field(description=f"{DATE_FORMAT}.", examples=["dd.MM.yyyy"])]
    number_format: Annotated[str | None, Field(description=f"{NUMBER_FORMAT}.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str | None, Field(description=f"{WEEK}.", examples=["monday"])]
    effective: Annotated[Effective, Field(description="What holds in the end: these values, else the organisation's.")]


def me_org(context: ContextDep) -> dict[str, Any]:
    """The organisation as `GET /v1/me` shows it."""
    organization = context.principal.organization
    return {
        "id": str(organization.id),
        "name": organization.name,
        "environment": organization.environment,
        "outbound": organization.settings.get("outbound", "on"),
        "currency": organization.currency,
        "time_zone": organization.time_zone,
        "locale": organization.locale,
        "region": organization.region,
        "fiscal_year": preferences_of(context.principal).fiscal.json(),
    }


@router.get("/v1/org", response_model=OrgRead, summary="Get the organisation")
async def get_org(context: ContextDep) -> JSONResponse:
    """The caller's organisation and its settings."""
    return JSONResponse(await organization_settings.read(context.uow))


@router.patch("/v1/org", response_model=OrgRead, summary="Change the organisation")
async def update_org(context: ContextDep, body: OrgUpdate) -> JSONResponse:
    """Changes the organisation's settings; they hold from the next request on. Needs the scope `admin`.

    Another currency is the default of records made from then on; existing amounts keep theirs, and a job values them in the new one
    (`<field>_base`). Rates that were given in the old currency go on to be used by way of it.
    """
    require_admin(context)
    given = organization_settings.checked(context.registry, body)
    columns: dict[str, Any] = {name: given[name] for name in organization_settings.COLUMNS if name in given}
    settings: dict[str, Any] = {name: given[name] for name in organization_settings.SETTINGS if name in given}
    return JSONResponse(await organization_settings.change(context, columns, settings))


@router.get("/v1/me/settings", response_model=SettingsRead, summary="Get one's own settings")
async def get_settings(request: Request, context: ContextDep) -> Response:
    """What the caller has set for themselves, and what holds in the end. Honours `If-None-Match`."""
    call = Call.of(request)
    version, settings = await preferences.read(context)
    body = orjson.dumps(settings)
    tag = read_tag(call, version, body)
    condition = call.if_none_match()
    if condition is not None and condition.matches_tag(tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, 200, {"etag": tag}, "application/json")


@router.patch("/v1/me/settings", response_model=SettingsRead, summary="Change one's own settings")
async def update_settings(request: Request, context: ContextDep, engine: EngineDep, body: SettingsUpdate) -> Response:
    """Merges changes into the caller's settings; they hold from the next request on. Needs the scope `users:write`.

    `time_zone` decides what `today` means in filters, unless a request says otherwise in the header `Time-Zone`; `locale` is the
    language of error messages and labels, unless `Accept-Language` says otherwise. With `If-Match` they change only if they are
    as the caller saw them (412).
    """
    context.principal.require_scope("users", "write")
    given = body.given()
    errors = preferences.mistakes(given)
    if errors:
        raise ValidationFailed(errors)
    version, settings, changed = await preferences.change(context, engine, given, Call.of(request).expected_version())
    headers = {"etag": write_etag(version), "x-outcome": "updated" if changed else "unchanged"}
    return Response(orjson.dumps(settings), 200, headers, "application/json")
