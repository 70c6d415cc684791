"""The five minutes of the README, run as they stand there against what `make run` starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, str]]:
    """`crm-api up --demo`, and the API and TOKEN it prints."""
    folder = Path(tempfile.mkdtemp(prefix="crm-readme-", dir="/tmp"))
    folder.chmod(0o711)
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_"))}
    command = [sys.executable, "-m", "crm_api.cli", "up", "--demo", "--port", str(port), "--data-dir", str(folder / "data")]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"crm_pat_\w+", (folder / "out").read_text(errors="replace"))):
            assert process.poll() is None, (folder / "out").read_text(errors="replace")
            assert time.monotonic() < deadline, "up did not come up"
            time.sleep(0.2)
        yield {**environment, "API": f"http://127.0.0.1:{port}", "TOKEN": found.group(0)}
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def snippets() -> list[str]:
    return re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_every_line_of_the_tour_works(running: dict[str, str]) -> None:
    separator = 'printf "\\n~~~\\n"\n'
    script = "set -euo pipefail\n" + separator.join(snippets())
    done = subprocess.run(["bash", "-c", script], env=running, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    parts = done.stdout.split("~~~\n")
    assert len(parts) == len(snippets())
    decoder = json.JSONDecoder()
    answers = []
    for part in parts:
        found, text = [], part.strip()
        while text:
            value, end = decoder.raw_decode(text)
            found.append(value)
            text = text[end:].strip()
        answers.append(found)
    contact = answers[1][1]
    assert (contact["email"], contact["tags"]) == ("ada@acme.example", ["vip"])
    moved, won, history = answers[2]
    assert (moved["status"], moved["stage"]["name"], won["status"]) == ("open", "Negotiation", "won")
    assert len(history["data"]) == 3
    deals, people, hits = answers[3]
    assert deals["data"][0]["account"]["name"] == "Acme"
    assert "Ada King" in [person["display_name"] for person in people["data"]]
    assert "accounts" in [hit["object"] for hit in hits["data"]]
    assert [result["status"] for result in answers[4][0]["results"]] == [201, 201, 201]
    events = answers[5][-1]["data"]
    assert [(event["type"], event["changes"]["title"]["new"]) for event in events] == [("contact.updated", "Head of Logistics")]
    assert answers[6][0]["win_rate"] is not None
