"""The smaller commands, and what they say when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm_api.cli import app
from crm_api.embedded import EmbeddedServers
from tests.openapi_validation import DOCUMENT

CLI = [sys.executable, "-m", "crm_api.cli"]


def run(environment: dict[str, str], *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["up"],
        ["serve"],
        ["worker"],
        ["migrate"],
        ["org", "create"],
        ["token", "create"],
        ["database", "create"],
        ["audit", "verify"],
        ["keys", "new"],
        ["keys", "rotate"],
        ["openapi"],
        ["demo"],
        ["listen"],
        ["trigger"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    told = CliRunner().invoke(app, [*command, "--help"])
    assert told.exit_code == 0
    assert "Usage" in told.output


@pytest.mark.parametrize("command", [["migrate"], ["demo"], ["serve"], ["worker"]])
def test_without_a_database_the_way_out_is_named(command: list[str], data_dir: Path, plain_environment: dict[str, str]) -> None:
    told = run(plain_environment, *command, "--data-dir", str(data_dir))
    assert told.returncode == 1
    assert told.stderr.startswith("crm-api: No crm-api is running on")
    assert "DATABASE_URL" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_wrong_setting_is_named(plain_environment: dict[str, str]) -> None:
    told = run({**plain_environment, "DATABASE_URL": "postgresql://h/d", "CRM_RATE_LIMIT": "fast"}, "serve")
    assert told.returncode == 1
    assert "rate_limit" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_unreachable_server_is_said_in_one_line(plain_environment: dict[str, str]) -> None:
    told = run({**plain_environment, "DATABASE_URL": "postgresql://u@127.0.0.1:1/d"}, "worker")
    assert told.returncode == 1
    assert "Can't reach" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_database_on_a_server_of_your_own(servers: EmbeddedServers, plain_environment: dict[str, str]) -> None:
    told = run(plain_environment, "database", "create", "--admin-url", servers.admin_url, "--name", "own", "--json")
    assert told.returncode == 0, told.stderr
    urls = json.loads(told.stdout)
    migrated = run({**plain_environment, **urls}, "migrate", "--json")
    assert migrated.returncode == 0, migrated.stderr
    assert json.loads(migrated.stdout)["revision"]


def test_migrating_as_the_application_is_refused(servers: EmbeddedServers, plain_environment: dict[str, str]) -> None:
    url = servers.urls.database_url
    told = run({**plain_environment, "DATABASE_URL": url, "DATABASE_OWNER_URL": url}, "migrate")
    assert told.returncode == 1
    assert "permission denied" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_description_of_the_api_does_not_depend_on_the_machine(plain_environment: dict[str, str], tmp_path: Path) -> None:
    elsewhere = run({**plain_environment, "CRM_BASE_URL": "https://other.example", "CRM_RATE_LIMIT": "off"}, "openapi", cwd=tmp_path)
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert elsewhere.stdout == DOCUMENT.read_text()
    written = run(plain_environment, "openapi", "--output", str(tmp_path / "x" / "openapi.json"))
    assert written.returncode == 0
    assert (tmp_path / "x" / "openapi.json").read_text() == elsewhere.stdout
    (tmp_path / "x" / "openapi.json").write_text("{}")
    stale = run(plain_environment, "openapi", "--check", "--output", str(tmp_path / "x" / "openapi.json"))
    assert stale.returncode == 1
    assert "make openapi" in stale.stderr
