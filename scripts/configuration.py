"""Writes docs/configuration.md from the settings themselves; a test fails when it is out of date."""

from pathlib import Path
from typing import get_args, get_origin

from pydantic_core import PydanticUndefined

from crm_api.settings import Settings, environment_names

TARGET = Path(__file__).parents[1] / "docs" / "configuration.md"

_HEAD = """\
# Configuration

Every setting comes from the environment, or from `crm-api up` for what it starts itself. A process reads them once when it
starts; a wrong value stops it with a message that names the setting. This page is written by `scripts/configuration.py`.

| variable | default | meaning |
|---|---|---|
"""

_TAIL = """
## Commands only

| variable | used by | meaning |
|---|---|---|
| `CRM_ADMIN_PASSWORD` | `org create` | The first administrator's password, instead of `--admin-password`. |
| `CRM_ADMIN_URL` | `database create` | A PostgreSQL address that may make databases and roles. |
| `CRM_OWNER_PASSWORD`, `CRM_APP_PASSWORD` | `database create` | Passwords for the two roles. |

## Two addresses for one database

`DATABASE_URL` is the role that the API and the worker work as. It must own nothing: `serve` and `worker` refuse to start if it
is a superuser, has BYPASSRLS, or owns the tables, because row-level security would not bind it. `DATABASE_OWNER_URL` is the role
that owns the tables; `migrate` needs it, and the worker, to make the partitions of the days to come. `crm-api database create`
makes a database with both roles. Addresses may be written `postgres://`, `postgresql://` or `postgresql+asyncpg://`, and
`sslmode=` is understood. `crm-api database create` makes database and roles as a superuser; if you make them otherwise, run the
statements of [decision 9](decisions/0009-indexes-under-row-security.md) once, without which full text, tags and amounts use no index.
Through PgBouncer in transaction mode, point `DATABASE_URL` at the pooler and `DATABASE_OWNER_URL`
at the server itself.

## `crm-api up`

Without `DATABASE_URL` and `REDIS_URL` it runs PostgreSQL and Valkey itself, under `--data-dir` (`.crm`), reachable only through
sockets in a private folder there. It makes an encryption key in that folder (`encryption_keys`, for its owner only) unless
`CRM_ENCRYPTION_KEYS` is set: whoever loses it has to enter third-party secrets and second factors anew. It sets `CRM_BASE_URL` to where it
listens, and allows outgoing requests to loopback
(`CRM_EGRESS_ALLOW`), so that a webhook receiver on the same machine can be tried. As root, both servers run as the account
`crm_servers`, which is made for it; if that account can't enter the data folder (below a closed home, say), the data goes to
`/var/lib/crm` and `up` says so. No existing folder's permissions are ever changed.
"""


def _default(value: object) -> str:
    if value is None or value == ():
        return "–"
    if isinstance(value, tuple):
        return f"`{','.join(str(part) for part in value)}`"
    return f"`{value}`"


def render() -> str:
    """The page."""
    lines = []
    for name, variable in environment_names().items():
        field = Settings.model_fields[name]
        assert field.default is not PydanticUndefined, name
        meaning = field.description or ""
        choices = get_args(field.annotation) if str(get_origin(field.annotation)) == "typing.Literal" else ()
        if choices:
            meaning += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        meaning = meaning.replace("|", "\\|")  # a table's cell ends at a bare one
        lines.append(f"| `{variable}` | {_default(field.default)} | {meaning} |\n")
    return _HEAD + "".join(lines) + _TAIL


if __name__ == "__main__":
    TARGET.write_text(render())
