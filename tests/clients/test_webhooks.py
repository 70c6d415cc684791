"""Libraries for Node.js accept the signatures of real deliveries."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import HERE, Node
from tests.webhooks.conftest import Hooks, hooks, receiver
from tests.webhooks.test_signatures import rotated

__all__ = ["hooks", "receiver"]

pytestmark = pytest.mark.anyio


def verdicts(node: Node, folder: Path, secret: str, hooks: Hooks) -> list[dict[str, Any]]:
    file = folder / "requests.json"
    requests = [{"headers": one.headers, "body": one.body.decode()} for one in hooks.receiver.received]
    file.write_text(json.dumps({"secret": secret, "requests": requests}))
    done = node.run("node", HERE / "webhooks.mjs", file, cwd=HERE)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


async def test_libraries_for_node_accept_deliveries(node: Node, tmp_path: Path, hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada", last_name="Löwe")
    await hooks.run()
    newer = await rotated(hooks, endpoint["id"], timedelta(hours=1))
    await rotated(hooks, endpoint["id"], timedelta(hours=1), "v1a")
    await hooks.api.make("contacts", first_name="Grace")
    await hooks.run()
    assert hooks.receiver.received[1].headers["webhook-signature"].count(",") == 3
    good = {"standardwebhooks": [True, False], "svix": [True, False]}
    bad = {"standardwebhooks": [False, False], "svix": [False, False]}
    assert verdicts(node, tmp_path, endpoint["secret"], hooks) == [good, good]
    assert verdicts(node, tmp_path, newer.text, hooks) == [bad, good]
