"""Two linters of other makers find nothing wrong with the description."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import HERE, Node
from tests.clients.part import written
from tests.openapi_validation import DOCUMENT

pytestmark = pytest.mark.node


def test_redocly(node: Node) -> None:
    done = node.run("redocly", "lint", "--config", "redocly.yaml", "--format", "codeframe", DOCUMENT, cwd=HERE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]


@pytest.mark.parametrize("rules", ["spectral-quick.yaml", pytest.param("spectral.yaml", marks=pytest.mark.slow)])
def test_spectral(node: Node, rules: str, tmp_path: Path) -> None:
    """A part of the description by the quick rules, all of it by all."""
    document = written(tmp_path) if "quick" in rules else DOCUMENT
    done = node.run("spectral", "lint", "--ruleset", rules, "--fail-severity", "hint", document, cwd=HERE)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5_000:]
