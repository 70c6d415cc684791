"""What a person sets for themselves: language, zone, region, currency, formats, first day of the week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
import sqlalchemy as sa

from crm_api.core.errors import FieldError, InvalidValue, NotFound, VersionConflict, join_pointer
from crm_api.core.relative import parse_zone
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.engine import Engine
from crm_api.kernel.preferences import PERSONAL, check_locale, check_region, merged
from crm_api.kernel.writes.locked import lock
from crm_api.kernel.writes.shape import shape_of
from crm_api.models.base import table
from crm_api.models.tenancy import Member

_COLUMNS: Final = ("locale", "time_zone")
"""Those that other people may see too, as fields of `/v1/users`; the others stand in `settings`."""

_members = table(Member)
_READ: Final = compile_statement(
    sa.select(_members.c.version, _members.c.locale, _members.c.time_zone, _members.c.settings).where(
        _members.c.org_id == sa.bindparam("org_id", type_=sa.Uuid()),
        _members.c.id == sa.bindparam("id", type_=sa.Uuid()),
        _members.c.deleted_at.is_(None),
    )
)


async def read(context: Context) -> tuple[int, dict[str, Any]]:
    """The caller's settings as the API shows them, with the version of the user. Raises NotFound for a caller who is no member."""
    row = await context.uow.fetch_row(_READ, {"org_id": context.uow.org_id, "id": context.principal.user_id})
    if row is None:
        raise NotFound()
    own = {**orjson.loads(row["settings"]), **{name: row[name] for name in _COLUMNS}}
    return row["version"], _described(context, own)


async def change(context: Context, engine: Engine, given: Mapping[str, Any], if_match: int | None) -> tuple[int, dict[str, Any], bool]:
    """Merges new values into the caller's settings; null follows the organisation again. Version, settings, whether anything changed.

    Raises NotFound, or VersionConflict if the user has another version than `if_match`.
    """
    users, user_id = context.whole["users"], context.principal.user_id
    row = (await lock(context, shape_of(context, users), [user_id])).get(user_id)
    if row is None or row["deleted_at"] is not None:
        raise NotFound()
    own = {**row["settings"], **{name: row[name] for name in _COLUMNS}}
    if if_match is not None and if_match != row["version"]:
        raise VersionConflict(version=row["version"], record=_described(context, own))
    after = {**own, **given}
    columns: dict[str, Any] = {name: after[name] for name in _COLUMNS}
    columns["settings"] = {name: after[name] for name in PERSONAL if name not in _COLUMNS and after.get(name) is not None}
    [outcome] = await engine.writer.update_rows(context, users, {user_id: columns})
    assert outcome.version is not None
    return outcome.version, _described(context, after), outcome.outcome != "unchanged"


def mistakes(given: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with values whose form is right; the same for a person and for an organisation."""
    errors = []
    for name, check in (("time_zone", parse_zone), ("locale", check_locale), ("region", check_region)):
        value = given.get(name)
        if value is None:
            continue
        try:
            check(value)
        except InvalidValue as error:
            errors.append(error.at(pointer=join_pointer(name)))
    return errors


def _described(context: Context, own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "object": "settings",
        **{name: own.get(name) for name in PERSONAL},
        "effective": merged(context.principal.organization, own).json(),
    }
