"""Clients made from an organisation's own description know its fields and objects by type."""

from __future__ import annotations

import compileall
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.conftest import HERE, MODULES, Node
from tests.clients.test_python import MYPY, run
from tests.clients.test_typescript import OPTIONS
from tests.docs.support import blocks
from tests.live import Live

TIERS = [{"key": "gold", "label": "Gold"}, {"key": "silver", "label": "Silver"}]
FLAGS = [{"key": "dk", "label": "Denmark"}, {"key": "de", "label": "Germany"}]
FIELDS: list[dict[str, Any]] = [
    {"api_name": "tier", "type": "picklist", "options": TIERS},
    {"api_name": "amount", "type": "decimal", "indexed": True},
]
VESSELS: dict[str, Any] = {
    "api_name": "vessels",
    "singular": "vessel",
    "label": "Vessel",
    "fields": [
        {"api_name": "imo", "type": "text", "unique": True, "required": True},
        {"api_name": "length", "type": "number"},
        {"api_name": "flag", "type": "picklist", "options": FLAGS},
        {"api_name": "captain_id", "type": "reference", "target": "contacts", "inverse": "commands"},
    ],
}
SCOPES = ["contacts:write", "vessels:write", "events:read"]


@dataclass(frozen=True)
class Tenant:
    """An organisation with additions, and a token that sees little else, whose description is quickly made into a client."""

    url: str
    token: str
    document: str
    types: str


@pytest.fixture(scope="module")
def tenant(live: Live) -> Tenant:
    with httpx.Client(base_url=live.url, headers={"authorization": f"Bearer {live.token}"}, timeout=120) as client:
        for body in FIELDS:
            assert client.post("/v1/meta/contacts/fields", json=body).status_code == 201
        assert client.post("/v1/meta/objects", json=VESSELS).status_code == 201
        made = client.post("/v1/tokens", json={"name": "narrow", "scopes": SCOPES})
        token: str = made.json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        document = client.get("/v1/meta/openapi.json", headers=headers).raise_for_status().text
        types = client.get("/v1/meta/types.ts", headers=headers).raise_for_status().text
    return Tenant(live.url, token, document, types)


def test_a_python_client_knows_the_fields(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text(tenant.document)
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")
    (tmp_path / "mypy.ini").write_text(MYPY.replace("crm_api_client", "crm_tenant_client"))
    (tmp_path / "tenant.py").write_text((HERE / "tenant.py").read_text())
    said = run(
        tmp_path,
        *("openapi_python_client", "generate", "--meta", "none", "--config", "config.yaml"),
        *("--path", "openapi.json", "--output-path", "crm_tenant_client"),
    )
    assert "will not be generated" not in said, said[-5_000:]
    assert "Unable to process" not in said, said[-5_000:]
    assert compileall.compile_dir(tmp_path / "crm_tenant_client", quiet=2)
    run(tmp_path, "mypy", "--config-file", "mypy.ini", "tenant.py")
    assert run(tmp_path, "tenant.py", CRM_URL=tenant.url, CRM_TOKEN=tenant.token) == "ok\n"


@pytest.fixture
def folder(tenant: Tenant, node: Node, tmp_path: Path) -> Path:
    """A folder with the types of both kinds."""
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_text(tenant.document)
    (tmp_path / "types.ts").write_text(tenant.types)
    made = node.run("openapi-typescript", "openapi.json", "-o", "schema.d.ts", cwd=tmp_path)
    assert made.returncode == 0, made.stderr[-3_000:]
    return tmp_path


def options(folder: Path, *files: str, **more: Any) -> None:
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": {**OPTIONS, **more}, "files": [*files, "types.ts", "schema.d.ts"]})
    )


@pytest.mark.node
def test_a_typescript_program_knows_the_fields(tenant: Tenant, node: Node, folder: Path) -> None:
    (folder / "tenant.ts").write_text((HERE / "tenant.ts").read_text())
    options(folder, "tenant.ts")
    compiled = node.run("tsc", "-p", ".", cwd=folder)
    assert compiled.returncode == 0, compiled.stdout[-5_000:]
    ran = node.run("node", "out/tenant.js", cwd=folder, CRM_URL=tenant.url, CRM_TOKEN=tenant.token)
    assert (ran.returncode, ran.stdout) == (0, "ok\n"), ran.stdout + ran.stderr


@pytest.mark.node
def test_wrong_choices_and_fields_do_not_compile(node: Node, folder: Path) -> None:
    (folder / "wrong.ts").write_text(
        'import createClient from "openapi-fetch";\n'
        'import type { paths } from "./schema.js";\n'
        'import type { VesselCreate } from "./types.js";\n'
        "const api = createClient<paths>();\n"
        'await api.POST("/v1/contacts", { body: { last_name: "A", custom_fields: { tier: "tin" } } });\n'
        'await api.GET("/v1/contacts", { params: { query: { "custom_fields.teir": "gold" } } });\n'
        'export const a: VesselCreate = { name: "Emma" };\n'
        'export const b: VesselCreate = { imo: "1", flag: "se" };\n'
        'export const c: VesselCreate = { imo: "1", lenght: 3 };\n'
    )
    options(folder, "wrong.ts", noEmit=True)
    compiled = node.run("tsc", "-p", ".", cwd=folder)
    lines = [line.partition("(")[2].partition(",")[0] for line in compiled.stdout.splitlines() if line.startswith("wrong.ts")]
    assert lines == ["5", "6", "7", "8", "9"], compiled.stdout


@pytest.mark.node
def test_the_example_of_the_documentation_compiles(node: Node, folder: Path) -> None:
    page = HERE.parents[1] / "docs" / "your-schema.md"
    (folder / "example.ts").write_text("".join(block.text for block in blocks(page) if block.language == "ts"))
    options(folder, "example.ts", noEmit=True)
    compiled = node.run("tsc", "-p", ".", cwd=folder)
    assert compiled.returncode == 0, compiled.stdout


@pytest.mark.node
def test_redocly_finds_nothing_wrong(tenant: Tenant, node: Node, folder: Path) -> None:
    done = node.run("redocly", "lint", "--config", HERE / "redocly.yaml", "--format", "codeframe", "openapi.json", cwd=folder)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]
