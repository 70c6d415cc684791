"""Requests made from the description, good ones and bad ones, over every operation: no failure of ours, no undescribed answer.

A few requests each in `make test`; many, and the boundaries of every parameter, in `make test-long`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

from tests.live import Live
from tests.openapi_validation import DOCUMENT

checks.load_all_checks()
LONG = int(os.environ.get("CRM_SCHEMATHESIS_EXAMPLES", "25"))
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "ignored_auth",
    ]
)
KEPT = ("tokens",)
"""Objects whose ids stay random: the token that the tests use must live."""

schema = schemathesis.openapi.from_path(str(DOCUMENT))
schema.config.phases.coverage.enabled = False
schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]
# Streams don't end; tests/journal reads them.
described = schema.exclude(path="/v1/events/stream")


class Caller:
    """Sends cases to the server, half of them about records that exist."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.session = requests.Session()
        self.headers = {"Authorization": f"Bearer {live.token}"}
        self.ids = {"users": live.user_id}
        for name, body in BODIES.items():
            known = {key: self.ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value for key, value in body.items()}
            made = self.session.post(f"{live.url}/v1/{name}", json=known, headers=self.headers, timeout=30)
            assert made.status_code == 201, made.text
            self.ids[name] = made.json()["id"]

    def send(self, case: Any) -> None:
        """One request and all checks of its answer."""
        segments = case.path.split("/")
        name = segments[2] if len(segments) > 3 else ""
        parameters = case.path_parameters
        if parameters and "id" in parameters and name in self.ids and name not in KEPT and hash(str(parameters["id"])) % 2:
            parameters["id"] = self.ids[name]
        if case.query and "wait" in case.query:
            case.query["wait"] = 0
        # A batch answers 207 with a status for each item, also when all of them are wrong.
        chosen = [check for check in CHECKS if check.__name__ != "negative_data_rejection"] if "/batch/" in case.path else CHECKS
        case.call_and_validate(self.live.url, self.session, self.headers, checks=chosen, timeout=60)


BODIES: dict[str, dict[str, Any]] = {
    "accounts": {"name": "Acme"},
    "contacts": {"last_name": "King", "account_id": "$accounts", "tags": ["vip"]},
    "leads": {"last_name": "Byron"},
    "deals": {"name": "Robots", "account_id": "$accounts", "amount": "100.00"},
    "pipelines": {"name": "Partners"},
    "stages": {"name": "First", "pipeline_id": "$pipelines"},
    "cases": {"subject": "Broken", "account_id": "$accounts"},
    "case_comments": {"case_id": "$cases", "body": {"format": "text", "content": "Looked at it."}},
    "tasks": {"subject": "Call"},
    "notes": {"body": {"format": "text", "content": "Met."}},
    "lead_statuses": {"key": "waiting", "label": "Waiting"},
    "lifecycle_stages": {"key": "partner", "label": "Partner"},
    "contact_roles": {"key": "guard", "label": "Guard"},
}


@pytest.fixture(scope="module")
def caller(live: Live) -> Iterator[Caller]:
    found = Caller(live)
    yield found
    found.session.close()


QUIET = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@described.parametrize()
@settings(QUIET, max_examples=2)
def test_each_operation(case: Any, caller: Caller) -> None:
    caller.send(case)


@pytest.mark.slow
@described.parametrize()
@settings(QUIET, max_examples=LONG)
def test_each_operation_long(case: Any, caller: Caller) -> None:
    caller.send(case)
