"""The sign-in and consent pages in a real Chromium, with the keyboard alone.

Needs Debian's package `chromium` (or CHROMIUM=/path/to/it) beside Node.
"""

from __future__ import annotations

import json
import os
import shutil
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from crm_api.settings import Settings
from tests.clients.conftest import HERE, Node
from tests.clients.test_oauth import EMAIL, PASSWORD, REDIRECT, Registered, registered
from tests.live import Live
from tests.oauth.support import compliance

__all__ = ["registered"]


@pytest.fixture(scope="module")
def chromium() -> str:
    """Where it is."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("needs Chromium (Debian's package chromium, or CHROMIUM=/path/to/it)")
    return found


@pytest.mark.node
@compliance("RFC 6749", "3.1", "a person signs in and decides on pages that a keyboard is enough for")
@pytest.mark.parametrize("decision", ["Allow", "Deny"])
def test_a_person_signs_in_and_decides(
    node: Node, live: Live, settings: Settings, registered: Registered, chromium: str, decision: str
) -> None:
    wanted = {
        "response_type": "code", "client_id": registered.public, "redirect_uri": REDIRECT, "scope": "contacts:read", "state": "s1",
        "code_challenge": "a" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    address = f"{registered.url}/oauth/authorize?{urlencode(wanted)}"
    environment = {**registered.environment, "CHROMIUM": chromium, "AUTHORIZE": address, "CALLBACK": REDIRECT, "DECISION": decision}
    ran = node.run("node", "signin_chromium.mjs", cwd=HERE, **environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = json.loads(ran.stdout)
    refused = [text for text in seen["complaints"] if "401" not in text and "403" not in text and "422" not in text]
    assert refused == [], "the browser refuses something, or a page is broken"
    first, again, consent = seen["pages"]
    assert [page["language"] for page in seen["pages"]] == ["en"] * 3
    assert [page["unnamed"] for page in seen["pages"]] == [[]] * 3
    assert [page["scripts"] for page in seen["pages"]] == [0] * 3
    assert "serif" in first["styled"]
    assert first["title"] != consent["title"]
    assert "not the password" not in again["text"]
    assert "contacts:read" in consent["text"]
    assert "Clients" in consent["text"]
    told = parse_qs(urlsplit(seen["landed"]).query)
    assert (told["state"], told["iss"]) == (["s1"], [registered.url])
    assert ("code" in told) is (decision == "Allow")
    assert told.get("error", []) == ([] if decision == "Allow" else ["access_denied"])
    assert EMAIL not in seen["landed"]
    assert PASSWORD not in seen["landed"]
