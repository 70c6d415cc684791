"""Language, zone, formats, currency: what an organisation has set, and what a person has set otherwise.

A person's own values stand in `members` and, as one JSON text, on each of their tokens: a caller is known before there is an
organisation to look into, so what every request needs must come with the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa
from babel.core import Locale as CldrLocale
from babel.core import UnknownLocaleError
from babel.dates import get_date_format
from babel.numbers import get_decimal_symbol, get_group_symbol
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement

from crm_api.core.accept import weighted
from crm_api.core.errors import InvalidValue
from crm_api.core.fiscal import WEEKDAYS, FiscalYear, fiscal_year
from crm_api.core.messages import language_of
from crm_api.db.statement import compile_statement
from crm_api.db.uow import Uow
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.models.base import table
from crm_api.models.tenancy import Member, Token

PERSONAL: Final = ("locale", "time_zone", "region", "currency", "date_format", "number_format", "first_day_of_week")
"""What a person may set for themselves; null follows the organisation."""

DATE_FORMATS: Final = ("dd.MM.yyyy", "dd/MM/yyyy", "dd-MM-yyyy", "MM/dd/yyyy", "yyyy-MM-dd", "yyyy/MM/dd", "d MMM yyyy")
"""Orders of a date, as patterns of CLDR (Unicode TR 35)."""

NUMBER_FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "1,234.56": (",", "."),
    "1.234,56": (".", ","),
    "1 234,56": (" ", ","),
    "1’234.56": ("’", "."),
    "1234.56": ("", "."),
    "1234,56": ("", ","),
}  # fmt: skip
"""Forms of a number by example, with the marks between groups and before the fraction."""

_members, _tokens = table(Member), table(Token)
_FALLBACK: Final = "en"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds for one caller. `date_format` and `number_format` are None where the language decides."""

    locale: str
    time_zone: str
    region: str
    currency: str
    date_format: str | None
    number_format: str | None
    first_day_of_week: str
    fiscal: FiscalYear

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin and end."""
        return ZoneInfo(self.time_zone)

    @property
    def week_start(self) -> int:
        """The day on which weeks begin, 0 for Monday."""
        return WEEKDAYS.index(self.first_day_of_week)

    @property
    def language(self) -> str:
        """The language of texts, among those the API speaks."""
        return language_of(self.locale)

    def json(self) -> dict[str, Any]:
        """As the API shows them, with the patterns that the language brings where none was chosen."""
        date_pattern, number_example = formats_of(self.locale)
        return {
            **{name: getattr(self, name) for name in PERSONAL},
            "date_format": self.date_format or date_pattern,
            "number_format": self.number_format or number_example,
        }


def preferences_of(principal: Principal) -> Preferences:
    """What holds for a caller: the person's own values, else the organisation's."""
    return merged(principal.organization, principal.preferences)


def merged(organization: OrganizationInfo, own: Mapping[str, Any]) -> Preferences:
    """A person's own values over the organisation's."""
    kept = organization.settings
    return Preferences(
        own.get("locale") or organization.locale,
        own.get("time_zone") or organization.time_zone,
        own.get("region") or organization.region,
        own.get("currency") or organization.currency,
        own.get("date_format") or kept.get("date_format"),
        own.get("number_format") or kept.get("number_format"),
        own.get("first_day_of_week") or kept.get("first_day_of_week") or "monday",
        fiscal_year(kept.get("fiscal_year")),
    )


@lru_cache(maxsize=512)
def cldr(locale: str) -> CldrLocale:
    """The data of a language tag: its own, else its language's, else English."""
    for name in (locale, locale.partition("-")[0]):
        try:
            return CldrLocale.parse(name.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return CldrLocale.parse(_FALLBACK)


@lru_cache(maxsize=512)
def best_locale(accept_language: str | None) -> str | None:
    """The language tag that an `Accept-Language` header likes best among those that CLDR knows; None if it names none."""
    best, best_quality = None, 0.0
    for name, quality in weighted(accept_language or ""):
        if quality <= best_quality:
            continue
        language, _, rest = name.partition("-")
        tag = f"{language.lower()}-{rest.upper() if len(rest) == 2 else rest.title()}" if rest else language.lower()
        for one in (tag, language.lower()):
            try:
                check_locale(one)
            except InvalidValue:
                continue
            best, best_quality = one, quality
            break
    return best


@lru_cache(maxsize=512)
def formats_of(locale: str) -> tuple[str, str]:
    """A language's pattern of dates, and its way to write 1234.56."""
    data = cldr(locale)
    return str(get_date_format("medium", data).pattern), f"1{get_group_symbol(data)}234{get_decimal_symbol(data)}56"


def check_locale(tag: str) -> str:
    """A language tag that CLDR knows. Raises InvalidValue `invalid_language`."""
    try:
        CldrLocale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise InvalidValue("invalid_language") from None
    return tag


def check_region(code: str) -> str:
    """A country's code. Raises InvalidValue `invalid_country`."""
    if len(code) != 2 or not code.isalpha() or code not in CldrLocale.parse(_FALLBACK).territories:
        raise InvalidValue("invalid_country")
    return code


# --- where a person's own values stand ---------------------------------------------------------------------------------


def kept_preferences(org_id: ColumnElement[Any], user_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """A member's own values as the text that tokens carry; null for one who has set none."""
    pair = sa.func.jsonb_build_object(
        sa.literal_column("'locale'"), _members.c.locale, sa.literal_column("'time_zone'"), _members.c.time_zone
    )
    whole = sa.cast(sa.func.jsonb_strip_nulls(_members.c.settings.op("||")(pair)), sa.Text)
    wanted = sa.select(sa.func.nullif(whole, sa.literal_column("'{}'"))).where(_members.c.org_id == org_id, _members.c.id == user_id)
    return wanted.scalar_subquery()


_COPY: Final = compile_statement(
    sa.update(_tokens)
    .where(
        _tokens.c.org_id == sa.bindparam("org_id", type_=sa.Uuid()),
        _tokens.c.user_id == sa.func.any(sa.bindparam("user_ids", type_=ARRAY(sa.Uuid()))),
    )
    .values(preferences=kept_preferences(sa.bindparam("org_id", type_=sa.Uuid()), _tokens.c.user_id))
)


async def copy_to_tokens(uow: Uow, user_ids: Sequence[UUID]) -> None:
    """Hands the members' values on to their tokens, so that they hold from the next request on."""
    await uow.fetch(_COPY, {"org_id": uow.org_id, "user_ids": list(user_ids)})


@lru_cache(maxsize=4096)
def read_preferences(text: str) -> Mapping[str, Any]:
    """What a token carries."""
    found: Mapping[str, Any] = orjson.loads(text)
    return found
