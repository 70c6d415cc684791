"""Everything that `make run` starts, for what the documentation says about it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.support import clean_environment, free_port


@pytest.fixture(scope="package")
def running() -> Iterator[dict[str, str]]:
    """`crm-api up --demo`: an environment with the API and TOKEN that it prints."""
    folder = Path(tempfile.mkdtemp(prefix="crm-docs-", dir="/tmp"))
    folder.chmod(0o711)  # the database server's account, when tests run as root, passes through
    port = free_port()
    environment = clean_environment()
    command = [sys.executable, "-m", "crm_api.cli", "up", "--demo", "--port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"crm_pat_\w+", (folder / "out").read_text(errors="replace"))):
            assert process.poll() is None, (folder / "out").read_text(errors="replace")
            assert time.monotonic() < deadline, "up did not come up"
            time.sleep(0.2)
        yield {**environment, "API": f"http://127.0.0.1:{port}", "TOKEN": found.group(0), "CRM_DATA_DIR": str(folder / "data")}
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
