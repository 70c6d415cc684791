"""Types made by openapi-typescript compile, and a program that uses them talks to the API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.clients.conftest import HERE, MODULES, Node
from tests.live import Live
from tests.openapi_validation import DOCUMENT

pytestmark = pytest.mark.node

OPTIONS = {
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "target": "es2022",
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "lib": ["es2022", "dom"],
    "types": [],
    "outDir": "out",
}


WRONG = (
    'import createClient from "openapi-fetch";\n'
    'import type { paths } from "./schema.js";\n'
    "const api = createClient<paths>();\n"
    'await api.POST("/v1/deals", { body: { name: "Robots", amount: 12 } });\n'
    'await api.GET("/v1/contacts", { params: { query: { "emial[in]": ["a"] } } });\n'
    'await api.GET("/v1/kontakte", {});\n'
)


def test_types_compile_and_a_program_makes_the_round_trip(node: Node, live: Live, tmp_path: Path) -> None:
    """The types are narrow, too: what the API would refuse, the compiler refuses. Both in one run of it, which takes its time."""
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "roundtrip.ts").write_text((HERE / "roundtrip.ts").read_text())
    (tmp_path / "wrong.ts").write_text(WRONG)
    files = ["roundtrip.ts", "wrong.ts", "schema.d.ts"]
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "files": files}))
    made = node.run("openapi-typescript", DOCUMENT, "-o", "schema.d.ts", cwd=tmp_path)
    assert made.returncode == 0, made.stderr[-3_000:]
    compiled = node.run("tsc", "-p", ".", cwd=tmp_path)
    told = [line for line in compiled.stdout.splitlines() if line and not line[0].isspace()]
    assert [line.partition(",")[0] for line in told] == ["wrong.ts(4", "wrong.ts(5", "wrong.ts(6"], compiled.stdout[-5_000:]
    ran = node.run("node", "out/roundtrip.js", cwd=tmp_path, CRM_URL=live.url, CRM_TOKEN=live.token)
    assert (ran.returncode, ran.stdout) == (0, "ok\n"), ran.stdout + ran.stderr
