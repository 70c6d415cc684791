"""The bodies by which settings are changed, and the texts that describe them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import MISSING, Field

from crm_api.core.fiscal import Anchor, Pattern, Weekday
from crm_api.kernel.schema import Currency, Input, Name

DateFormat = Literal["dd.MM.yyyy", "dd/MM/yyyy", "dd-MM-yyyy", "MM/dd/yyyy", "yyyy-MM-dd", "yyyy/MM/dd", "d MMM yyyy"]
NumberFormat = Literal["1,234.56", "1.234,56", "1 234,56", "1’234.56", "1234.56", "1234,56"]
LocaleTag = Annotated[str, Field(pattern="^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
Hierarchy = Literal["roles", "managers"]
DefaultAccess = Literal["private", "read", "write"]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Zone = Annotated[str, Field(min_length=1, max_length=64)]

ZONE: Final = "The zone in which `today` and its like are meant (IANA)."
LOCALE: Final = "Language and formats (BCP 47)."
DATE_FORMAT: Final = "Order of dates in labels, as a pattern of CLDR (UTS 35)"
NUMBER_FORMAT: Final = "Form of numbers in labels, by the example of 1234.56"
WEEK: Final = "The day on which `this_week` begins"


class FiscalYearWrite(Input):
    """A new way to cut fiscal years. What is left out is as in years that begin in January and have calendar months."""

    start_month: Annotated[int, Field(ge=1, le=12, description="The month in which it begins.", examples=[2])] = 1
    pattern: Annotated[Pattern, Field(description="`calendar` months, or weeks of a quarter's months.", examples=["4-4-5"])] = "calendar"
    week_start: Annotated[Weekday, Field(description="The weekday on which a year of weeks begins.", examples=["sunday"])] = "monday"
    anchor: Annotated[
        Anchor, Field(description="Which of these weekdays: the one `nearest` to the first of the month or the `last` one not after it.")
    ] = "nearest"


class SharingWrite(Input):
    """Changes of who reaches whose records, before rules and single shares; what is left out stays."""

    hierarchy: Annotated[
        Hierarchy | MISSING,
        Field(description="Who stands above others and reaches their records: by the tree of `roles`, or by the chain of `managers`."),
    ] = MISSING
    defaults: Annotated[
        dict[str, DefaultAccess | None] | MISSING,
        Field(
            max_length=500,
            description="What everybody may do with records of an object that belong to others: nothing (`private`), `read` them, or all "
            "that the profile allows (`write`, the default; null goes back to it).",
            examples=[{"contacts": "private", "accounts": "read"}],
        ),
    ] = MISSING


class OrgUpdate(Input):
    """Changes of the organisation, as a merge patch."""

    name: Annotated[Name | MISSING, Field(description="Its name.", examples=["Acme Sales"])] = MISSING
    currency: Annotated[Currency | MISSING, Field(description="Default currency of new records.", examples=["EUR"])] = MISSING
    time_zone: Annotated[Zone | MISSING, Field(description="An IANA time zone.", examples=["Europe/Berlin"])] = MISSING
    locale: Annotated[LocaleTag | MISSING, Field(description="A language.", examples=["de"])] = MISSING
    region: Annotated[Region | MISSING, Field(description="A country (ISO 3166-1).", examples=["DE"])] = MISSING
    date_format: Annotated[
        DateFormat | MISSING | None, Field(description=f"{DATE_FORMAT}; null leaves it to the language.", examples=["dd.MM.yyyy"])
    ] = MISSING
    number_format: Annotated[
        NumberFormat | MISSING | None, Field(description=f"{NUMBER_FORMAT}; null leaves it to the language.", examples=["1.234,56"])
    ] = MISSING
    first_day_of_week: Annotated[Weekday | MISSING, Field(description=f"{WEEK}.", examples=["monday"])] = MISSING
    fiscal_year: Annotated[FiscalYearWrite | MISSING, Field(description="How the fiscal year is cut; replaced as a whole.")] = MISSING
    sharing: Annotated[SharingWrite | MISSING, Field(description="Who reaches whose records.")] = MISSING
    require_if_match: Annotated[list[str] | MISSING, Field(description="Objects that ask for `If-Match`.", examples=[["deals"]])] = MISSING
    require_totp: Annotated[
        bool | MISSING, Field(description="Whether signing in needs a second factor; who has none sets one up.", examples=[True])
    ] = MISSING


class SettingsUpdate(Input):
    """Changes of one's own settings, as a merge patch: null follows the organisation again."""

    locale: Annotated[LocaleTag | MISSING | None, Field(description=LOCALE, examples=["de-AT"])] = MISSING
    time_zone: Annotated[Zone | MISSING | None, Field(description=ZONE, examples=["Europe/Vienna"])] = MISSING
    region: Annotated[Region | MISSING | None, Field(description="ISO 3166-1 code.", examples=["AT"])] = MISSING
    currency: Annotated[Currency | MISSING | None, Field(description="ISO 4217 code.", examples=["EUR"])] = MISSING
    date_format: Annotated[DateFormat | MISSING | None, Field(description=f"{DATE_FORMAT}.", examples=["dd.MM.yyyy"])] = MISSING
    number_format: Annotated[NumberFormat | MISSING | None, Field(description=f"{NUMBER_FORMAT}.", examples=["1.234,56"])] = MISSING
    first_day_of_week: Annotated[Weekday | MISSING | None, Field(description=f"{WEEK}.", examples=["monday"])] = MISSING
