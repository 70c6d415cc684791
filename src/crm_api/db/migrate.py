"""Alembic from inside the program: upgrade a database, and know the newest revision.

Migrations are in the source tree's `migrations/`, or inside the installed package.
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import crm_api
from crm_api.db.ddl import APP_ROLE


def migrations_folder() -> Path:
    """The folder with env.py and the versions."""
    package = Path(crm_api.__file__).parent
    for folder in (package / "migrations", package.parents[1] / "migrations"):
        if (folder / "env.py").exists():
            return folder
    raise FileNotFoundError("The migrations are neither in the package nor beside its source.")


def alembic_config(owner_url: str | None = None, app_role: str = APP_ROLE) -> Config:
    """Alembic's configuration for a database; `owner_url` connects as the role that owns (or will own) the tables."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("app_role", app_role.replace("%", "%%"))
    if owner_url is not None:
        config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


# Alembic keeps the migration that runs in module globals: one at a time in a process. Between processes, env.py's lock serves.
_ONE_AT_A_TIME = Lock()


def _run(work: Callable[..., None], *arguments: object) -> None:
    """Run an Alembic command in a thread of its own: env.py needs an event loop, and the caller may already be in one."""
    with _ONE_AT_A_TIME, ThreadPoolExecutor(1) as pool:
        pool.submit(work, *arguments).result()


def upgrade(owner_url: str, revision: str = "head", *, app_role: str = APP_ROLE) -> None:
    """Bring the database to `revision` and give the application's role its privileges. Harmless to repeat."""
    _run(command.upgrade, alembic_config(owner_url, app_role), revision)


def downgrade(owner_url: str, revision: str) -> None:
    """Take migrations back to `revision` (`base` for all)."""
    _run(command.downgrade, alembic_config(owner_url), revision)


def check(owner_url: str) -> None:
    """Raise `alembic.util.CommandError` if the models and the migrated database differ."""
    _run(command.check, alembic_config(owner_url))


@cache
def head_revision() -> str | None:
    """The newest revision that this program knows."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


async def database_revision(driver_url: str) -> str | None:
    """The revision that a database is at, or None if it was never migrated. `driver_url` is a `postgresql://` address."""
    connection = await asyncpg.connect(driver_url)
    try:
        found: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
