"""What amounts are worth in another currency, by the organisation's dated rates.

A rate says what one unit of a currency is worth in the organisation's own. An organisation that changes its own currency keeps
its old rates: they still say what two currencies were worth against each other, by way of the third.

Who looks a rate up to store what follows from it holds the organisation's lock of rates together with others like them; who
changes rates holds it alone. A job that values amounts anew takes it alone for a moment before it begins, and so finds every
record that was valued by what is no longer true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from crm_api.core.money import quantize
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.context import Context
from crm_api.kernel.enqueue import add_job, due
from crm_api.kernel.locks import serialize
from crm_api.kernel.principal import OrganizationInfo

LOCK: Final = "exchange_rates"
JOB: Final = "revalue"
SETTLE_S: Final = 1.0
HAS_RATES: Final = "exchange_rates"
"""Setting of an organisation that has ever had a rate: where there is none, nobody needs to look."""

FORMER: Final = "former_currencies"
"""Setting: the currencies that an organisation had before, in which its old rates are."""

_STATE: Final = "kernel.exchange"
_LOOK_UP: Final = Statement(
    "SELECT a.currency, a.base, a.day, r.rate FROM unnest($2::text[], $3::text[], $4::date[]) AS a (currency, base, day)"
    " CROSS JOIN LATERAL (SELECT rate FROM exchange_rates WHERE org_id = $1 AND currency = a.currency AND base_currency = a.base"
    " AND valid_from <= a.day AND deleted_at IS NULL ORDER BY valid_from DESC LIMIT 1) AS r",
    ("org_id", "currencies", "bases", "days"),
)
_LOOK_UP_HELD: Final = Statement(
    "WITH held AS MATERIALIZED (SELECT value FROM counters WHERE org_id = $1 AND name = 'lock:exchange_rates' FOR SHARE)"
    " SELECT a.currency, a.base, a.day, r.rate FROM (SELECT count(*) FROM held) AS h"
    " CROSS JOIN unnest($2::text[], $3::text[], $4::date[]) AS a (currency, base, day)"
    " CROSS JOIN LATERAL (SELECT rate FROM exchange_rates WHERE org_id = $1 AND currency = a.currency AND base_currency = a.base"
    " AND valid_from <= a.day AND deleted_at IS NULL ORDER BY valid_from DESC LIMIT 1) AS r",
    ("org_id", "currencies", "bases", "days"),
)
_NOTE: Final = Statement(
    "UPDATE organizations SET settings = settings || '{\"exchange_rates\": true}'::jsonb WHERE id = $1 AND NOT settings ? 'exchange_rates'",
    ("org_id",),
)

Wanted = tuple[str, date]
"""A currency and the day for which its rate is asked."""


async def rates_of(context: Context, wanted: Iterable[Wanted], *, held: bool = False) -> dict[Wanted, Decimal]:
    """What one unit of each currency was worth in the organisation's own, in one statement; unknown rates are absent.

    `held`: what follows from them is stored in this transaction.
    """
    organization = context.principal.organization
    own = organization.currency
    found: dict[Wanted, Decimal] = {}
    foreign = []
    for currency, day in dict.fromkeys(wanted):
        if currency == own:
            found[currency, day] = Decimal(1)
        else:
            foreign.append((currency, day))
    if not foreign or HAS_RATES not in organization.settings:
        return found
    pairs = list(dict.fromkeys(pair for currency, day in foreign for pair in _pairs(organization, currency, day)))
    currencies, bases, days = ([pair[place] for pair in pairs] for place in range(3))
    values = {"org_id": context.uow.org_id, "currencies": currencies, "bases": bases, "days": days}
    rows = await context.uow.fetch(_LOOK_UP_HELD if held else _LOOK_UP, values)
    known = {(row["currency"], row["base"], row["day"]): Decimal(row["rate"]) for row in rows}
    for currency, day in foreign:
        rate = _rate(organization, known, currency, day)
        if rate is not None:
            found[currency, day] = rate
    return found


def _pairs(organization: OrganizationInfo, currency: str, day: date) -> list[tuple[str, str, date]]:
    """The rates from which this one may follow: its own, else by way of a former currency."""
    own = organization.currency
    pairs = [(currency, own, day)]
    for former in organization.settings.get(FORMER, ()):
        pairs += [(one, former, day) for one in (currency, own) if one != former]
    return pairs


def _rate(organization: OrganizationInfo, known: Mapping[tuple[str, str, date], Decimal], currency: str, day: date) -> Decimal | None:
    own = organization.currency
    direct = known.get((currency, own, day))
    if direct is not None:
        return direct
    for former in organization.settings.get(FORMER, ()):
        given = Decimal(1) if currency == former else known.get((currency, former, day))
        ours = Decimal(1) if own == former else known.get((own, former, day))
        if given is not None and ours is not None:
            return given / ours
    return None


def worth(amount: Decimal, rate: Decimal | None, currency: str) -> Decimal | None:
    """An amount at a rate, with the digits of the currency it is worth that in; None without a rate."""
    return None if rate is None else quantize(amount * rate, currency)


async def note_rates(context: Context) -> None:
    """Remembers that the organisation has rates."""
    if HAS_RATES not in context.principal.organization.settings:
        await context.uow.fetch(_NOTE, {"org_id": context.uow.org_id})


async def revalue_later(context: Context, currencies: Iterable[str] | None) -> None:
    """Has a job value the amounts of these currencies anew, or with None all; one job for a transaction."""
    uow = context.uow
    if _STATE not in uow.state:
        uow.state[_STATE] = set()

        async def add(uow: Uow) -> None:
            asked: set[str] = uow.state.pop(_STATE, set())
            if asked:
                everything = "" in asked
                request = {"currencies": None if everything else sorted(asked)}
                # Requests that began before did not look at rates, or valued amounts in another currency; they are through by then.
                unaware = everything or HAS_RATES not in context.principal.organization.settings
                await due(context, await add_job(context, JOB, request), SETTLE_S if unaware else 0)

        uow.before_commit.append(add)
    uow.state[_STATE] |= {""} if currencies is None else set(currencies)


async def barrier(context: Context) -> None:
    """Waits until nobody stores what followed from rates as they were."""
    await serialize(context, LOCK)
