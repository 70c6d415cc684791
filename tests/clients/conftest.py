"""Fixtures of the tests that let other people's tools loose on the API: Node's packages, a live server."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_api.settings import Settings
from tests.live import Live, served

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NODE = (20, 19)
"""The oldest version of Node.js that all packages of package.json run on."""


class Node:
    """Runs the installed programs of Node's packages."""

    def run(self, program: str, *arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """One run; its output is for whoever asserts on it."""
        command = [str(MODULES / ".bin" / program), *map(str, arguments)] if program != "node" else ["node", *map(str, arguments)]
        env = {**os.environ, "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", **environment}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False)


def _version() -> tuple[int, ...]:
    """Of Node.js; nothing where there is none."""
    if shutil.which("node") is None:
        return ()
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    return tuple(int(part) for part in said.strip().removeprefix("v").split("."))


def _installed() -> bool:
    """Whether each package is there in the version that package.json names."""
    for name, version in json.loads((HERE / "package.json").read_text())["dependencies"].items():
        manifest = MODULES / name / "package.json"
        if not manifest.exists() or json.loads(manifest.read_text())["version"] != version:
            return False
    return True


def _install() -> None:
    if shutil.which("npm") is None:
        pytest.skip("needs npm to install tests/clients/package.json")
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"npm could not install tests/clients/package.json: {done.stderr[-300:]}")


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages of package.json, which are installed if they are missing. Skips where there is no Node."""
    if (found := _version()) < NODE:
        pytest.skip(f"needs Node.js {NODE[0]}.{NODE[1]} or newer, found {'.'.join(map(str, found)) or 'none'}")
    with (HERE / "package.json").open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)  # test processes side by side install once
        if not _installed():
            _install()
    return Node()


@pytest.fixture(scope="session")
def live(settings: Settings) -> Iterator[Live]:
    """A server of this test process."""
    with served(settings) as found:
        yield found
