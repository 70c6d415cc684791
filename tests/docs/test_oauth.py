"""The commands of docs/oauth.md, run as they stand there; a person allows the app in between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.docs.support import ROOT, blocks
from tests.oauth.support import Page

PASSWORD = "correct horse battery staple"


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("openssl") is None, reason="needs jq and openssl")
def test_every_command_works(running: dict[str, str]) -> None:
    email = f"docs-{uuid4().hex}@acme.example"
    made = json.loads(
        subprocess.run(
            [
                *(sys.executable, "-m", "crm_api.cli", "org", "create", "--name", "Docs", "--admin-email", email),
                *("--admin-password", PASSWORD, "--data-dir", running["CRM_DATA_DIR"], "--json"),
            ],
            env=running,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
    )
    snippets = [block.text for block in blocks(ROOT / "docs" / "oauth.md") if block.language == "bash"]
    asked = next(number for number, text in enumerate(snippets) if "/oauth/authorize?" in text)
    # The shell waits with the address on its lips until somebody has allowed the app.
    script = [*snippets[: asked + 1], "read CODE\n", *snippets[asked + 1 :]]
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", "".join(script)],
        env={**running, "TOKEN": made["token"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        address = shell.stdout.readline().strip()
        assert address.startswith(running["API"]), address + (shell.stderr.read() if shell.stderr else "")
        out, errors = shell.communicate(_allowed(address, email) + "\n", timeout=120)
    assert shell.returncode == 0, out + errors
    found = [json.loads(line) for line in out.splitlines()]
    device = [f"{running['API']}/oauth/device", 5]
    assert found == [["Bearer", 1800, "contacts:read"], 0, "deals:write", [True, "contacts:read"], {}, False, device]


def _allowed(address: str, email: str) -> str:
    """A person goes there, signs in and allows the app; the code."""
    with httpx.Client(follow_redirects=False) as browser:
        answer = browser.get(address)
        while True:
            if answer.status_code == 303:
                target = answer.request.url.join(answer.headers["location"])
                if target.port == 7777:
                    return parse_qs(urlsplit(str(target)).query)["code"][0]
                answer = browser.get(target)
                continue
            assert answer.status_code == 200, answer.text
            form = Page(answer.text).forms[0]
            filled = {"email": email, "password": PASSWORD} if "password" in form.fields else {"decision": "allow"}
            answer = browser.post(answer.request.url.join(form.action), data={**form.fields, **filled})
