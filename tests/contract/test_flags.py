"""Parameters that are true or false, and names that no route knows: nothing is dropped silently, least of all a trial run."""

from __future__ import annotations

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio

WRITES = [
    ("POST", "/v1/accounts", {"name": "Acme"}),
    ("PUT", "/v1/accounts/by/domain/acme.example", {"name": "Acme"}),
    ("POST", "/v1/accounts/batch/create", {"items": [{"name": "Acme"}]}),
    ("POST", "/v1/accounts/batch/upsert", {"match_on": "domain", "items": [{"name": "Acme", "domain": "acme.example"}]}),
    ("POST", "/v1/composite", {"operations": [{"method": "POST", "path": "/v1/accounts", "body": {"name": "Acme"}}]}),
]


@pytest.mark.parametrize("text", ["", "TRUE", "1", "yes", "false,true"])
@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_misspelt_trial_run_writes_nothing(api: Api, method: str, path: str, body: object, text: str) -> None:
    problem = await api.fails(method, f"{path}?dry_run={text}", 400, "bad_request", json=body)
    assert [(error["parameter"], error["code"]) for error in problem["errors"]] == [("dry_run", "invalid_boolean")]
    assert await api.all("/v1/accounts") == []


@pytest.mark.parametrize("query", ["dry_run=true", "dry_run=%74rue", "dry%5Frun=true"])
@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_trial_run_writes_nothing_however_it_is_encoded(api: Api, method: str, path: str, body: object, query: str) -> None:
    answer = await api.http.request(method, f"{path}?{query}", json=body)
    assert answer.is_success, answer.text
    assert await api.all("/v1/accounts") == []


async def test_an_operation_of_a_composite_has_no_trial_run_of_its_own(api: Api) -> None:
    operation = {"method": "POST", "path": "/v1/accounts?dry_run=true", "body": {"name": "Acme"}}
    await api.fails("POST", "/v1/composite", 400, "bad_request", json={"operations": [operation]})
    assert await api.all("/v1/accounts") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("GET", "/v1/limits"),
        ("GET", "/v1/tokens"),
        ("POST", "/v1/tokens"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/links"),
        ("GET", "/v1/events"),
        ("GET", "/v1/search?q=a"),
        ("GET", "/v1/reports/pipeline"),
        ("GET", "/v1/deals/board"),
        ("POST", "/v1/events/snapshot"),
        ("GET", "/v1/users"),
    ],
)
async def test_every_route_refuses_parameters_that_it_does_not_know(api: Api, method: str, path: str) -> None:
    body = {"name": "x", "scopes": ["*:read"]} if path == "/v1/tokens" else {"objects": ["contacts"]}
    more = {"json": body} if method == "POST" else {}
    problem = await api.fails(method, path + ("&" if "?" in path else "?") + "emial=1", 400, "unknown_parameter", **more)
    assert problem["errors"][0]["parameter"] == "emial"
