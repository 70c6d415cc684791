"""Settings: those of the organisation, and those that a person has set for themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import MISSING, Field
from starlette.responses import Response

from crm_api.core.errors import FieldError, InsufficientScope, InvalidValue, ValidationFailed
from crm_api.core.etag import write_etag
from crm_api.core.fiscal import Anchor, Pattern, Weekday
from crm_api.flows import organization_settings, preferences
from crm_api.http.records.answers import read_tag
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.schema import Currency, Input, Name, Output

router = APIRouter(route_class=KernelRoute, tags=["account"])

DateFormat = Literal["dd.MM.yyyy", "dd/MM/yyyy", "dd-MM-yyyy", "MM/dd/yyyy", "yyyy-MM-dd", "yyyy/MM/dd", "d MMM yyyy"]
NumberFormat = Literal["1,234.56", "1.234,56", "1 234,56", "1’234.56", "1234.56", "1234,56"]
LocaleTag = Annotated[str, Field(pattern="^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Zone = Annotated[str, Field(min_length=1, max_length=64)]

_ZONE = "The zone in which `today` and its like are meant (IANA)."
_LOCALE = "Language and formats (BCP 47)."
_DATE_FORMAT = "Order of dates in labels, as a pattern of CLDR (UTS 35)"
_NUMBER_FORMAT = "Form of numbers in labels, by the example of 1234.56"
_WEEK = "The day on which `this_week` begins"


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


class FiscalYearWrite(Input):
    """A new way to cut fiscal years. What is left out is as in years that begin in January and have calendar months."""

    start_month: Annotated[int, Field(ge=1, le=12, description="The month in which it begins.", examples=[2])] = 1
    pattern: Annotated[Pattern, Field(description="`calendar` months, or weeks of a quarter's months.", examples=["4-4-5"])] = "calendar"
    week_start: Annotated[Weekday, Field(description="The weekday on which a year of weeks begins.", examples=["sunday"])] = "monday"
    anchor: Annotated[
        Anchor, Field(description="Which of these weekdays: the one `nearest` to the first of the month or the `last` one not after it.")
    ] = "nearest"


class OrgRead(Output):
    """The caller's organisation."""

    object: Annotated[str, Field(description="Always `org`.", examples=["org"])]
    id: Annotated[UUID, Field(description="The organisation's id.", examples=["01a201b3-f7a9-753f-bba8-4fb5357f9b98"])]
    name: Annotated[str, Field(description="Its name.", examples=["Acme Sales"])]
    currency: Annotated[
        str, Field(description="The currency of new records that name none, and of all `_base` amounts (ISO 4217).", examples=["EUR"])
    ]
    time_zone: Annotated[str, Field(description=_ZONE, examples=["Europe/Berlin"])]
    locale: Annotated[str, Field(description=_LOCALE, examples=["de"])]
    region: Annotated[str, Field(description="Where telephone numbers without a country code belong (ISO 3166-1).", examples=["DE"])]
    date_format: Annotated[str | None, Field(description=f"{_DATE_FORMAT}; null as the language has it.", examples=["dd.MM.yyyy"])]
    number_format: Annotated[str | None, Field(description=f"{_NUMBER_FORMAT}; null as the language has it.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str, Field(description=f"{_WEEK}.", examples=["monday"])]
    fiscal_year: Annotated[FiscalYear, Field(description="What `this_fiscal_quarter` and its like mean.")]
    environment: Annotated[str, Field(description="`production` or `sandbox`.", examples=["production"])]
    require_if_match: Annotated[
        list[str], Field(description="Objects whose records change only with an `If-Match` header (428 without).", examples=[["deals"]])
    ]
    created_at: Annotated[str, Field(description="When it was made.", examples=["2026-11-22T05:21:41.958886Z"])]


class OrgUpdate(Input):
    """Changes of the organisation, as a merge patch."""

    name: Annotated[Name | MISSING, Field(description="Its name.", examples=["Acme Sales"])] = MISSING
    currency: Annotated[Currency | MISSING, Field(description="Default currency of new records.", examples=["EUR"])] = MISSING
    time_zone: Annotated[Zone | MISSING, Field(description="An IANA time zone.", examples=["Europe/Berlin"])] = MISSING
    locale: Annotated[LocaleTag | MISSING, Field(description="A language.", examples=["de"])] = MISSING
    region: Annotated[Region | MISSING, Field(description="A country (ISO 3166-1).", examples=["DE"])] = MISSING
    date_format: Annotated[
        DateFormat | MISSING | None, Field(description=f"{_DATE_FORMAT}; null leaves it to the language.", examples=["dd.MM.yyyy"])
    ] = MISSING
    number_format: Annotated[
        NumberFormat | MISSING | None, Field(description=f"{_NUMBER_FORMAT}; null leaves it to the language.", examples=["1.234,56"])
    ] = MISSING
    first_day_of_week: Annotated[Weekday | MISSING, Field(description=f"{_WEEK}.", examples=["monday"])] = MISSING
    fiscal_year: Annotated[FiscalYearWrite | MISSING, Field(description="How the fiscal year is cut; replaced as a whole.")] = MISSING
    require_if_match: Annotated[list[str] | MISSING, Field(description="Objects that ask for `If-Match`.", examples=[["deals"]])] = MISSING


class Effective(Output):
    """What holds for the caller in the end."""

    locale: Annotated[str, Field(description=_LOCALE, examples=["de-AT"])]
    time_zone: Annotated[str, Field(description=_ZONE, examples=["Europe/Vienna"])]
    region: Annotated[str, Field(description="ISO 3166-1 code.", examples=["AT"])]
    currency: Annotated[str, Field(description="ISO 4217 code.", examples=["EUR"])]
    date_format: Annotated[str, Field(description="The pattern of dates in labels.", examples=["dd.MM.y"])]
    number_format: Annotated[str, Field(description="The form of numbers in labels.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str, Field(description="The day on which weeks begin.", examples=["monday"])]


class SettingsRead(Output):
    """What the caller has set for themselves. Null follows the organisation."""

    object: Annotated[str, Field(description="Always `settings`.", examples=["settings"])]
    locale: Annotated[str | None, Field(description=_LOCALE, examples=["de-AT"])]
    time_zone: Annotated[str | None, Field(description=_ZONE, examples=["Europe/Vienna"])]
    region: Annotated[str | None, Field(description="ISO 3166-1 code of where the person is.", examples=["AT"])]
    currency: Annotated[str | None, Field(description="Currency that a user interface proposes for new amounts.", examples=["EUR"])]
    date_format: Annotated[str | None, Field(description=f"{_DATE_FORMAT}.", examples=["dd.MM.yyyy"])]
    number_format: Annotated[str | None, Field(description=f"{_NUMBER_FORMAT}.", examples=["1.234,56"])]
    first_day_of_week: Annotated[str | None, Field(description=f"{_WEEK}.", examples=["monday"])]
    effective: Annotated[Effective, Field(description="What holds in the end: these values, else the organisation's.")]


class SettingsUpdate(Input):
    """Changes of one's own settings, as a merge patch: null follows the organisation again."""

    locale: Annotated[LocaleTag | MISSING | None, Field(description=_LOCALE, examples=["de-AT"])] = MISSING
    time_zone: Annotated[Zone | MISSING | None, Field(description=_ZONE, examples=["Europe/Vienna"])] = MISSING
    region: Annotated[Region | MISSING | None, Field(description="ISO 3166-1 code.", examples=["AT"])] = MISSING
    currency: Annotated[Currency | MISSING | None, Field(description="ISO 4217 code.", examples=["EUR"])] = MISSING
    date_format: Annotated[DateFormat | MISSING | None, Field(description=f"{_DATE_FORMAT}.", examples=["dd.MM.yyyy"])] = MISSING
    number_format: Annotated[NumberFormat | MISSING | None, Field(description=f"{_NUMBER_FORMAT}.", examples=["1.234,56"])] = MISSING
    first_day_of_week: Annotated[Weekday | MISSING | None, Field(description=f"{_WEEK}.", examples=["monday"])] = MISSING


def me_org(context: ContextDep) -> dict[str, Any]:
    """The organisation as `GET /v1/me` shows it."""
    organization = context.principal.organization
    return {
        "id": str(organization.id),
        "name": organization.name,
        "environment": organization.environment,
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
    if "admin" not in context.principal.scopes:
        raise InsufficientScope(["admin"])
    given = body.given()
    errors: list[FieldError] = preferences.mistakes(given)
    names = [resource.name for resource in context.registry]
    for index, name in enumerate(given.get("require_if_match", ())):
        if name not in names:
            errors.append(InvalidValue("enum", allowed=names).at(pointer=f"/require_if_match/{index}"))
    if errors:
        raise ValidationFailed(errors)
    if "fiscal_year" in given:
        given["fiscal_year"] = given["fiscal_year"].model_dump()
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
    if not context.principal.may("users", "write"):
        raise InsufficientScope(["users:write"])
    given = body.given()
    errors = preferences.mistakes(given)
    if errors:
        raise ValidationFailed(errors)
    version, settings, changed = await preferences.change(context, engine, given, Call.of(request).expected_version())
    headers = {"etag": write_etag(version), "x-outcome": "updated" if changed else "unchanged"}
    return Response(orjson.dumps(settings), 200, headers, "application/json")
