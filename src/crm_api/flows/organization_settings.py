"""An organisation's own settings: its name, currency, zone, and what it asks of its clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects.postgresql import JSONB

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import InvalidValue, ValidationFailed, join_pointer
from crm_api.core.fiscal import fiscal_year
from crm_api.db.statement import compile_statement
from crm_api.db.uow import Uow
from crm_api.flows.preferences import mistakes
from crm_api.flows.settings_schemas import OrgUpdate
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.exchange import FORMER, revalue_later
from crm_api.kernel.mistakes import field_errors
from crm_api.kernel.registry import Registry
from crm_api.models.base import table
from crm_api.models.tenancy import Organization

_organizations = table(Organization)
_SHOWN = [column for column in _organizations.c if column.name not in ("schema_version", "access_version")]
_BY_ID = _organizations.c.id == sa.bindparam("org_id", type_=sa.Uuid())
_READ: Final = compile_statement(sa.select(*_SHOWN).where(_BY_ID))
_LOCK: Final = compile_statement(sa.select(*_SHOWN).where(_BY_ID).with_for_update(key_share=True))
MAX_FORMER: Final = 5
"""Former currencies by way of which old rates go on to be used."""

COLUMNS: Final = ("name", "currency", "time_zone", "locale", "region")
SETTINGS: Final = ("date_format", "number_format", "first_day_of_week", "fiscal_year", "sharing", "require_if_match", "require_totp")
_WRITE: Final = compile_statement(
    sa.update(_organizations)
    .where(_BY_ID)
    .values(
        {
            **{name: sa.bindparam(name, type_=_organizations.c[name].type) for name in COLUMNS},
            "settings": sa.bindparam("settings", type_=JSONB()),
            # every process keeps what it knows of an organisation by this number
            "schema_version": _organizations.c.schema_version + sa.literal_column("1"),
            "access_version": _organizations.c.access_version + sa.bindparam("access", type_=sa.BigInteger()),
        }
    )
    .returning(*_SHOWN)
)


async def read(uow: Uow) -> dict[str, Any]:
    """The organisation as the API shows it."""
    return _described(await uow.fetch_row(_READ, {"org_id": uow.org_id}))


def checked(registry: Registry, body: OrgUpdate) -> dict[str, Any]:
    """The values that a body gives. Raises ValidationFailed for what its form alone doesn't show to be wrong."""
    given = body.given()
    errors = mistakes(given)
    names = [resource.name for resource in registry]
    for index, name in enumerate(given.get("require_if_match", ())):
        if name not in names:
            errors.append(InvalidValue("enum", allowed=names).at(pointer=join_pointer("require_if_match", index)))
    if "sharing" in given:
        given["sharing"] = given["sharing"].given()
        owned = [resource.name for resource in registry if resource.sharing == "owner"]
        errors += [
            InvalidValue("unknown_field", allowed=owned).at(pointer=join_pointer("sharing", "defaults", name))
            for name in given["sharing"].get("defaults", ())
            if name not in owned
        ]
    if errors:
        raise ValidationFailed(errors)
    if "fiscal_year" in given:
        given["fiscal_year"] = given["fiscal_year"].model_dump()
    return given


def read_checked(registry: Registry, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same for values that come in a document. Raises ValidationFailed."""
    try:
        body = OrgUpdate.model_validate(dict(values))
    except ValidationError as error:
        raise ValidationFailed(field_errors(error, values, OrgUpdate.model_fields)) from None
    return checked(registry, body)


async def change(context: Context, columns: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Changes some of the columns and settings; the others stay. The new state. A job follows another currency."""
    uow = context.uow
    old = await uow.fetch_row(_LOCK, {"org_id": uow.org_id})
    assert old is not None
    values = {name: old[name] for name in COLUMNS} | columns
    stored = orjson.loads(old["settings"])
    merged = {**stored, **settings}
    if "sharing" in settings:
        merged["sharing"] = _sharing(stored.get("sharing", {}), settings["sharing"])
    if values["currency"] != old["currency"]:
        former = [code for code in merged.get(FORMER, ()) if code not in (values["currency"], old["currency"])]
        merged[FORMER] = [old["currency"], *former][:MAX_FORMER]
        await revalue_later(context, None)
    before, after = {**{name: old[name] for name in COLUMNS}, **stored}, {**values, **merged}
    changes = {name: {"old": before.get(name), "new": value} for name, value in after.items() if before.get(name) != value}
    if changes:
        audit.record(uow, "organization.updated", object="organizations", record_id=uow.org_id, details={"changes": changes})
    about = {"org_id": uow.org_id, "access": int(merged.get("sharing") != stored.get("sharing"))}
    return _described(await uow.fetch_row(_WRITE, {**about, **values, "settings": orjson.dumps(merged).decode()}))


def _sharing(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The stored setting with what is given; an object without a default of its own is open."""
    defaults = {**stored.get("defaults", {}), **given.get("defaults", {})}
    return {**stored, **given, "defaults": {name: access for name, access in defaults.items() if access is not None}}


def _described(row: Any) -> dict[str, Any]:
    settings = orjson.loads(row["settings"])
    return {
        "object": "org",
        "id": str(row["id"]),
        **{name: row[name] for name in COLUMNS},
        "date_format": settings.get("date_format"),
        "number_format": settings.get("number_format"),
        "first_day_of_week": settings.get("first_day_of_week", "monday"),
        "fiscal_year": fiscal_year(settings.get("fiscal_year")).json(),
        "environment": row["environment"],
        "sharing": {"hierarchy": "roles", "defaults": {}, **settings.get("sharing", {})},
        "require_if_match": settings.get("require_if_match", []),
        "require_totp": settings.get("require_totp", False),
        "created_at": format_timestamp(row["created_at"]),
    }
