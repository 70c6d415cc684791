"""`crm-api up` as a person uses it: one process tree that starts, refuses, heals, stops and starts again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from crm_api.embedded import EmbeddedServers
from crm_api.embedded.process import command_line

CLI = [sys.executable, "-m", "crm_api.cli"]


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    token: str | None
    data_dir: Path

    def children(self) -> dict[int, str]:
        told = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in told.splitlines()]
        return {int(pid): args for pid, parent, args in rows if int(parent) == self.process.pid and "defunct" not in args}

    def child(self, word: str) -> int | None:
        return next((pid for pid, args in self.children().items() if f"crm_api.cli {word}" in args), None)


def wait_for(check: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if found := check():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


@contextmanager
def up(data_dir: Path, environment: dict[str, str], *options: str) -> Iterator[Running]:
    command = [*CLI, "up", "--json", "--port", "0", "--data-dir", str(data_dir), *options]
    started = time.monotonic()
    log = data_dir / "up.log"
    with log.open("w") as messages:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=messages, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        told = json.loads(line)
        assert time.monotonic() - started < 60  # 5 s on a quiet machine; the suite keeps all cores busy
        yield Running(process, told["url"], told["token"], data_dir)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=15)
        print(log.read_text())  # shown if the test fails


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *arguments], env=environment, capture_output=True, text=True, timeout=180, check=False)


def test_the_whole_life(data_dir: Path, plain_environment: dict[str, str]) -> None:
    with up(data_dir, plain_environment) as first:
        assert httpx.get(f"{first.url}/healthz").status_code == 200
        assert (data_dir / "encryption_keys").stat().st_mode & 0o777 == 0o600
        ready = httpx.get(f"{first.url}/readyz").json()
        assert ready["status"] == "ok", ready

        made = run(
            plain_environment, "org", "create", "--name", "Acme", "--admin-email", "ada@acme.example",
            "--admin-password", "correct horse 9", "--json", "--data-dir", str(data_dir),
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        acme = json.loads(made.stdout)
        assert set(acme) >= {"org_id", "user_id", "token"}
        headers = {"Authorization": f"Bearer {acme['token']}"}
        answer = httpx.post(f"{first.url}/v1/contacts", headers=headers, json={"last_name": "King"})
        assert answer.status_code == 201, answer.text
        contact = answer.json()["id"]

        second = run(plain_environment, "up", "--data-dir", str(data_dir))
        assert second.returncode == 1
        assert f"process {first.process.pid}) is running on {data_dir}" in second.stderr

        more = run(
            plain_environment, "token", "create", "--org-id", acme["org_id"], "--user-id", acme["user_id"], "--scope", "contacts:read",
            "--json", "--data-dir", str(data_dir),
        )  # fmt: skip
        assert more.returncode == 0, more.stderr
        reader = {"Authorization": f"Bearer {json.loads(more.stdout)['token']}"}
        assert httpx.get(f"{first.url}/v1/contacts/{contact}", headers=reader).status_code == 200
        assert httpx.delete(f"{first.url}/v1/contacts/{contact}", headers=reader).status_code == 403

        # For developers: the API is found, and a token made for as long as the command runs.
        triggered = run(plain_environment, "trigger", "deal.created", "--json", "--data-dir", str(data_dir))
        assert triggered.returncode == 0, triggered.stderr
        event = json.loads(triggered.stdout)
        assert httpx.get(f"{first.url}/v1/events/{event['id']}", headers=headers).json()["type"] == "deal.created"

        rotated = run(plain_environment, "keys", "rotate", "--json", "--data-dir", str(data_dir))
        assert rotated.returncode == 0, rotated.stderr
        assert json.loads(rotated.stdout) == {"key_id": 1, "sealed": 0, "unreadable": 0, "retired": []}

        # Each of the two processes comes back by itself.
        worker, api = first.child("worker"), first.child("serve")
        assert worker
        assert api
        os.kill(worker, signal.SIGKILL)
        os.kill(api, signal.SIGKILL)
        wait_for(lambda: first.child("worker") not in (None, worker), "a new worker")
        wait_for(lambda: httpx.get(f"{first.url}/v1/contacts/{contact}", headers=headers).status_code == 200, "a new API")

        # So does the queue, without which requests are served all the same.
        valkey = next(pid for pid, args in first.children().items() if "valkey-server" in args)
        os.kill(valkey, signal.SIGKILL)
        assert httpx.get(f"{first.url}/v1/contacts/{contact}", headers=headers).status_code == 200
        wait_for(lambda: httpx.get(f"{first.url}/readyz").json()["status"] == "ok", "a new Valkey")

        tree = list(first.children())
        with httpx.stream("GET", f"{first.url}/v1/events/stream", headers=headers, timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: ready"
            stopped = time.monotonic()
            first.process.send_signal(signal.SIGINT)
            assert 'data: {"reason":"shutting_down"}' in list(lines), "a stream is told, not cut off"
        assert first.process.wait(timeout=15) == 0
        assert time.monotonic() - stopped < 8
        assert not [pid for pid in tree if command_line(pid) is not None]

    with up(data_dir, plain_environment) as again:
        assert httpx.get(f"{again.url}/v1/contacts/{contact}", headers=headers).json()["last_name"] == "King"
        tree = list(again.children())
        again.process.kill()
        again.process.wait()
        wait_for(lambda: not [pid for pid in tree if command_line(pid) is not None], "the end of an orphaned tree", 10)

    with up(data_dir, plain_environment) as after_kill:
        assert httpx.get(f"{after_kill.url}/v1/contacts/{contact}", headers=headers).status_code == 200


def test_demo_data_is_loaded_once_and_its_token_shown_again(data_dir: Path, plain_environment: dict[str, str]) -> None:
    with up(data_dir, plain_environment, "--demo") as first:
        headers = {"Authorization": f"Bearer {first.token}"}
        deals = httpx.get(f"{first.url}/v1/deals?limit=1&count=exact", headers=headers).json()
        assert deals["page"]["count"] > 0
        assert (data_dir / "demo.json").stat().st_mode & 0o777 == 0o600
        token = first.token
    with up(data_dir, plain_environment, "--demo") as again:
        assert again.token == token
        assert httpx.get(f"{again.url}/v1/deals?limit=1&count=exact", headers=headers).json()["page"] == deals["page"]


def test_a_server_of_your_own_is_used(data_dir: Path, plain_environment: dict[str, str], servers: EmbeddedServers) -> None:
    environment = {**plain_environment, **servers.urls.environment()}
    with up(data_dir, environment) as running:
        assert httpx.get(f"{running.url}/readyz").json()["status"] == "ok"
        assert not [args for args in running.children().values() if "postgres" in args or "valkey-server" in args]


def test_an_owner_of_tables_may_not_serve(plain_environment: dict[str, str], servers: EmbeddedServers) -> None:
    migrated = {**plain_environment, **servers.urls.environment()}
    assert run(migrated, "migrate", "--json").returncode == 0
    as_owner = {**migrated, "DATABASE_URL": servers.urls.database_owner_url}
    for command in ("serve", "worker"):
        refused = run(as_owner, command)
        assert refused.returncode == 1
        assert "owns tables" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_taken_port_is_named(data_dir: Path, plain_environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run(plain_environment, "up", "--port", port, "--data-dir", str(data_dir))
    assert refused.returncode == 1
    assert f"port {port}" in refused.stderr


def test_interrupted_while_starting_it_leaves_nothing_behind(data_dir: Path, plain_environment: dict[str, str]) -> None:
    command = [*CLI, "up", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, env=plain_environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "PostgreSQL" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=15)
    told = subprocess.run(["ps", "-ww", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    assert str(data_dir) not in told
    with EmbeddedServers(data_dir, durable=False):
        pass
