"""The commands and their options. What they need is imported inside them, so that `crm-api --help` is quick."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from crm_api.cli import developing
from crm_api.cli.terminal import answer_json, answers, fail, say, waiting
from crm_api.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from crm_api.db.engine import Database
    from crm_api.settings import Settings

app = typer.Typer(name="crm-api", no_args_is_help=True, pretty_exceptions_enable=False, help="A headless CRM behind one HTTP API.")
org = typer.Typer(no_args_is_help=True, help="Organisations: each has its own people and records.")
token = typer.Typer(no_args_is_help=True, help="API tokens.")
app.add_typer(org, name="org")
app.add_typer(token, name="token")
keys = typer.Typer(no_args_is_help=True, help="Keys that seal secrets which must be readable again.")
app.add_typer(keys, name="keys")
audit = typer.Typer(no_args_is_help=True, help="Audit logs.")
app.add_typer(audit, name="audit")
database = typer.Typer(no_args_is_help=True, help="Databases on a PostgreSQL server of your own.")
app.add_typer(database, name="database")

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="CRM_DATA_DIR", help="Folder of the embedded servers; finds those of a running `up`.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Load demonstration data and print a token for it.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Run everything: PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL are set), migrations, API and worker."""
    from crm_api.cli.up import Plan, run

    run(Plan(host=host, port=port, data_dir=data_dir, demo=demo, json=as_json))


@app.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = Path(".crm")) -> None:
    """Run the API alone."""
    from crm_api.cli.processes import run_api

    run_api(_settings(data_dir), host, port)


@app.command()
def worker(data_dir: DataDir = Path(".crm")) -> None:
    """Run the worker alone: it numbers events and does what is due later."""
    from crm_api.cli.processes import run_worker

    run_worker(_settings(data_dir))


@app.command()
def migrate(
    revision: Annotated[str, typer.Option(help="Where to stop.")] = "head", data_dir: DataDir = Path(".crm"), as_json: Json = False
) -> None:
    """Bring the database's tables up to date, as DATABASE_OWNER_URL."""
    from urllib.parse import unquote, urlsplit

    from crm_api.db import migrate as migrations
    from crm_api.settings import driver_url

    settings = _settings(data_dir)
    owner_url = settings.database_owner_url
    if owner_url is None:
        fail("Set DATABASE_OWNER_URL to the database as the role that owns its tables.")
    with waiting("migrating the database"):
        migrations.upgrade(owner_url, revision, app_role=unquote(urlsplit(settings.database_url).username or "crm_app"))
    now = asyncio.run(migrations.database_revision(driver_url(owner_url)))
    if as_json:
        answer_json({"revision": now})
    else:
        say(f"The database is at revision {now}.")


@database.command("create")
def database_create(
    admin_url: Annotated[
        str, typer.Option(envvar="CRM_ADMIN_URL", help="postgresql:// address of a role that may make databases and roles.")
    ],
    name: Annotated[str, typer.Option(help="The database's name.")] = "crm",
    owner_password: Annotated[str | None, typer.Option(envvar="CRM_OWNER_PASSWORD", help="Password of crm_owner.")] = None,
    app_password: Annotated[str | None, typer.Option(envvar="CRM_APP_PASSWORD", help="Password of crm_app.")] = None,
    as_json: Json = False,
) -> None:
    """Make a database with its two roles, crm_owner and crm_app, where they are missing."""
    from crm_api.embedded import prepare_database
    from crm_api.settings import driver_url

    urls = asyncio.run(prepare_database(driver_url(admin_url), name, owner_password=owner_password, app_password=app_password))
    _print_made({"DATABASE_URL": driver_url(urls.database_url), "DATABASE_OWNER_URL": driver_url(urls.database_owner_url)}, as_json)


@org.command("create")
def org_create(
    name: Annotated[str, typer.Option(help="The organisation's name.")],
    admin_email: Annotated[str, typer.Option(help="E-mail address of its first administrator.")],
    admin_password: Annotated[
        str,
        typer.Option(
            envvar="CRM_ADMIN_PASSWORD", prompt=True, hide_input=True, help="The administrator's password; asked for if left out."
        ),
    ],
    currency: Annotated[str, typer.Option(help="ISO 4217 code of its amounts, unless a record says otherwise.")] = "USD",
    region: Annotated[str | None, typer.Option(help="ISO 3166-1 code for phone numbers without country code.")] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name, such as Europe/Berlin.")] = "UTC",
    locale: Annotated[str, typer.Option(help="Language and formats, such as de or en-GB.")] = "en",
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Make an organisation with its first administrator and a token of scope `admin`, shown this once."""
    from crm_api.flows.organizations import create_organization

    settings = _settings(data_dir)

    async def create(database: "Database") -> dict[str, Any]:
        made = await create_organization(
            database,
            name=name,
            admin_email=admin_email,
            admin_password=admin_password,
            currency=currency,
            region=region or settings.default_region,
            time_zone=time_zone,
            locale=locale,
        )
        return dict(made)

    made = _on_database(data_dir, create)
    _print_made(made, as_json)


@token.command("create")
def token_create(
    org_id: Annotated[str, typer.Option(help="The organisation.")],
    user_id: Annotated[str, typer.Option(help="The user whom the token acts for.")],
    name: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    scope: Annotated[list[str] | None, typer.Option(help="A scope such as contacts:read; repeat for several. Default: admin.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never if left out.")] = None,
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Make an API token, shown this once."""
    from uuid import UUID

    from crm_api.flows.organizations import create_token

    try:
        ids = UUID(org_id), UUID(user_id)
    except ValueError:
        fail("--org-id and --user-id are UUIDs, as `crm-api org create --json` prints them.")

    async def create(database: "Database") -> dict[str, Any]:
        return dict(await create_token(database, org_id=ids[0], user_id=ids[1], name=name, scopes=scope or ["admin"], expires_in_days=days))

    _print_made(_on_database(data_dir, create), as_json)


@audit.command("verify")
def audit_verify(
    org_id: Annotated[str, typer.Option(help="The organisation.")],
    kept_seq: Annotated[int | None, typer.Option(min=1, help="`seq` of a checkpoint that was kept elsewhere.")] = None,
    kept_hash: Annotated[str | None, typer.Option(help="`hash` of that checkpoint: 64 hexadecimal digits.")] = None,
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Walk an organisation's audit log; exit status 1, and the first entry that is wrong, if it isn't as it was written."""
    from uuid import UUID

    from crm_api.flows.audit_verification import verify_whole
    from crm_api.kernel.audit_verify import Kept

    try:
        found_id = UUID(org_id)
        kept = None if kept_seq is None or kept_hash is None else Kept(kept_seq, bytes.fromhex(kept_hash))
    except ValueError:
        fail("--org-id is a UUID, --kept-hash a hash in hexadecimal digits.")
    if (kept_seq is None) != (kept_hash is None):
        fail("--kept-seq and --kept-hash go together.")
    signer = _settings(data_dir).signer

    async def walk(database: "Database") -> dict[str, Any]:
        return (await verify_whole(database, found_id, signer, kept)).json()

    told = _on_database(data_dir, walk)
    if as_json:
        answer_json(told)
    broken = told["first_broken"]
    if broken is not None:
        fail(f"Entry {broken['seq']} is wrong ({broken['reason']}): {broken['detail']}")
    if not as_json:
        say(f"All {told['entries']:,} entries and {told['checkpoints']:,} checkpoints are as they were written.")


@keys.command("new")
def keys_new(
    id: Annotated[int, typer.Option("--id", min=1, max=255, help="Its id; no other key of the database may have it.")] = 1,
) -> None:
    """Print a fresh key as CRM_ENCRYPTION_KEYS takes it."""
    from crm_api.core.sealed import Keyring

    answers.print(Keyring.new_key(id), soft_wrap=True)


@keys.command("rotate")
def keys_rotate(data_dir: DataDir = Path(".crm"), as_json: Json = False) -> None:
    """Seal anew, with the first of CRM_ENCRYPTION_KEYS, all that other keys have sealed. It may be stopped and run again."""
    from crm_api.core.clock import SystemClock
    from crm_api.flows.keys import refuse_missing_keys, rotate_everything

    keys = _settings(data_dir).keyring

    async def rotate(database: "Database") -> dict[str, Any]:
        clock = SystemClock()
        await refuse_missing_keys(database, clock, keys)
        return dict((await rotate_everything(database, clock, keys)).json(keys))

    with waiting("sealing secrets anew"):
        done = _on_database(data_dir, rotate)
    _print_made(done, as_json)
    if done["unreadable"]:
        fail("Some secrets don't open with any of these keys and stay as they are; the log says which.")


@app.command()
def demo(data_dir: DataDir = Path(".crm"), as_json: Json = False) -> None:
    """Make another demonstration organisation with deterministic data."""
    settings = _settings(data_dir)

    from crm_api.flows.demo import load_demo

    async def load(database: "Database") -> dict[str, Any]:
        return dict(await load_demo(database, base_url=settings.base_url))

    with waiting("loading demonstration data"):
        made = _on_database(data_dir, load)
    _print_made(made, as_json)


@app.command()
def openapi(
    check: Annotated[bool, typer.Option("--check", help="Fail if the file is not what the program would write.")] = False,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out. With --check: file to compare.")] = None,
) -> None:
    """Print the OpenAPI 3.1 description of the API, or check the committed one."""
    from crm_api.http.app import create_app
    from crm_api.http.openapi import render, to_text
    from crm_api.settings import Settings

    # The description must not depend on where it is made, hence no environment.
    rendered = to_text(
        render(create_app(Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()})))
    )
    if check:
        target = output or Path("openapi/openapi.json")
        if not target.exists() or target.read_text() != rendered:
            fail(f"{target} is out of date: make openapi")
        say(f"{target} is up to date.")
    elif output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(rendered)
    else:
        typer.echo(rendered, nl=False)


app.command()(developing.listen)
app.command()(developing.trigger)


def _settings(data_dir: Path) -> "Settings":
    from crm_api.cli.environment import settings_for

    return settings_for(data_dir)


def _on_database(data_dir: Path, work: "Callable[[Database], Awaitable[dict[str, Any]]]") -> dict[str, Any]:
    from crm_api.cli.environment import open_database

    async def run() -> dict[str, Any]:
        async with open_database(_settings(data_dir)) as database:
            return dict(await work(database))

    return asyncio.run(run())


def _print_made(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        answer_json(made)
    else:
        for key, value in made.items():
            answers.print(f"{key}={value}")


def main() -> None:
    """Entry point: expected mistakes become one line on standard error, the rest a traceback."""
    from asyncpg import PostgresError
    from sqlalchemy.exc import DBAPIError

    from crm_api.core.errors import Problem
    from crm_api.db.roles import UnsafeRole

    try:
        app(prog_name="crm-api")
    except (EmbeddedError, UnsafeRole, LookupError) as error:
        if os.environ.get("CRM_LOG_LEVEL") == "debug":
            raise
        fail(str(error))
    except ValidationError as error:
        fail("; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()))
    except (PostgresError, DBAPIError) as error:
        fail(f"The database refuses: {error.orig if isinstance(error, DBAPIError) else error}")
    except Problem as problem:
        fail(str(problem))
    except (ConnectionError, TimeoutError, socket.gaierror) as error:
        fail(f"Can't reach a server: {error}")
    except OSError as error:
        fail(str(error))
