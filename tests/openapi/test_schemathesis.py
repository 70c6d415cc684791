"""Requests made from the description, good ones and bad ones: no failure of ours, no undescribed answer.

`make test` sends a few to every ordinary route and, of each kind of route that many objects share, to two objects;
`make test-long` sends `CRM_SCHEMATHESIS_EXAMPLES` to every operation.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from schemathesis import GenerationMode, checks

from crm_api.resources import RESOURCES
from tests.live import Live
from tests.openapi_validation import DOCUMENT, document

checks.load_all_checks()
LONG = int(os.environ.get("CRM_SCHEMATHESIS_EXAMPLES", "25"))
OBJECTS_OF_A_KIND = 2
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


def described() -> list[str]:
    """Every operation as `METHOD /path`. Streams don't end; tests/journal reads them."""
    found = [f"{method.upper()} {path}" for path, methods in sorted(document()["paths"].items()) for method in methods]
    return [label for label in found if label != "GET /v1/events/stream"]


def sampled() -> list[str]:
    """All ordinary operations, and those of two objects for each kind that many have; other objects for other kinds."""
    names = {resource.name for resource in RESOURCES}
    kinds: dict[str, list[str]] = defaultdict(list)
    for label in described():
        kinds["/".join("*" if segment in names else segment for segment in label.split("/"))].append(label)
    chosen: set[str] = set()
    for kind, labels in kinds.items():
        start = crc32(kind.encode())
        chosen |= {labels[(start + step * len(labels) // OBJECTS_OF_A_KIND) % len(labels)] for step in range(OBJECTS_OF_A_KIND)}
    return sorted(chosen)


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
        if parameters and "id" in parameters and name in self.ids and name not in KEPT and crc32(repr(parameters["id"]).encode()) % 2:
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


@pytest.fixture(scope="module")
def schema() -> Any:
    """The description as schemathesis reads it: when a test runs, since taking it apart at collection would delay every run of any test."""
    found = schemathesis.openapi.from_path(str(DOCUMENT))
    found.config.checks.negative_data_rejection.expected_statuses = ["4xx"]
    return found


QUIET = settings(deadline=None, database=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))


def ask(caller: Caller, operation: Any, examples: int) -> None:
    """Sends the description's own examples, and as many made-up requests, good and bad ones."""
    made_up = one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])
    for strategy, count in [*((shown, 1) for shown in operation.get_strategies_from_examples()), (made_up, examples)]:
        settings(QUIET, max_examples=count)(given(case=strategy)(caller.send))()


@pytest.mark.parametrize("label", sampled())
def test_operations(schema: Any, caller: Caller, label: str) -> None:
    ask(caller, schema.find_operation_by_label(label), 2)


@pytest.mark.slow
@pytest.mark.parametrize("label", described())
def test_every_operation(schema: Any, caller: Caller, label: str) -> None:
    ask(caller, schema.find_operation_by_label(label), LONG)
