"""`crm-api up`: everything in one process tree.

up ── postgres, valkey (unless DATABASE_URL, REDIS_URL say otherwise)
   ├─ serve   the API
   └─ worker  relay, timers, jobs

Children are started again when they die and end with this process, however it ends.
"""

import hashlib
import os
import secrets
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import orjson
from rich.progress import Progress

from crm_api.cli.environment import KEYS_FILE
from crm_api.cli.supervisor import Child, Stopped, Supervisor
from crm_api.cli.terminal import answer_json, answers, fail, say, waiting
from crm_api.core.sealed import Keyring
from crm_api.db.migrate import upgrade
from crm_api.embedded import EmbeddedServers, Urls

_LOOPBACK = "127.0.0.0/8,::1/128"


@dataclass(frozen=True)
class Plan:
    """What `up` was asked for."""

    host: str
    port: int
    data_dir: Path
    demo: bool
    json: bool


def run(plan: Plan) -> None:
    """Start everything, say where it is, and stay until a signal comes."""
    given = {key: os.environ.get(key) or None for key in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")}
    servers = EmbeddedServers(
        plan.data_dir,
        database_url=given["DATABASE_URL"],
        database_owner_url=given["DATABASE_OWNER_URL"],
        redis_url=given["REDIS_URL"],
    )
    servers.take()
    try:
        port = _free_port(plan.host, plan.port)
        with Supervisor() as supervisor:
            _run(plan, port, servers, supervisor)
            say("stopping")
    except Stopped:
        say("stopped before it was ready")
    finally:
        servers.stop()


def _run(plan: Plan, port: int, servers: EmbeddedServers, supervisor: Supervisor) -> None:
    with waiting("starting", shown=False) as progress:
        urls = servers.start(lambda step: _tell(progress, step))
        _tell(progress, "migrating the database")
        upgrade(urls.database_owner_url, app_role=_role_of(urls.database_url))
    if servers.files:
        say(f"The servers run as another account, which can't enter {servers.data_dir}; their data is in {servers.files}.")
    base_url = os.environ.get("CRM_BASE_URL") or f"http://{_reachable_host(plan.host)}:{port}"
    environment = _environment(plan, urls, base_url)
    shown = _demo(plan, urls, environment) if plan.demo else None
    # Only the worker needs the owner of the tables: it makes partitions.
    for_api = {key: value for key, value in environment.items() if key != "DATABASE_OWNER_URL"}
    supervisor.add(Child("the API", ("serve", "--host", plan.host, "--port", str(port)), for_api))
    supervisor.add(Child("the worker", ("worker",), environment))
    with waiting("starting the API"):
        _wait_until_ready(f"http://{_reachable_host(plan.host)}:{port}/readyz", supervisor)
    servers.announce(base_url)
    if plan.json:
        answer_json({"url": base_url, "token": shown and shown["token"], "data_dir": str(servers.data_dir), "pid": os.getpid()})
    else:
        _welcome(base_url, shown, plan.data_dir)
    supervisor.run(lambda: [f"{name} had ended; started it again" for name in servers.restart_dead()], say)


def _tell(progress: Progress, step: str) -> None:
    if progress.disable:
        say(f"{step} …")
    else:
        progress.update(progress.task_ids[0], description=step)


def _environment(plan: Plan, urls: Urls, base_url: str) -> dict[str, str]:
    environment = {**os.environ, **urls.environment(), "CRM_BASE_URL": base_url, "CRM_DATA_DIR": str(plan.data_dir.resolve())}
    # For development: a person's own webhook receiver is on this machine.
    environment.setdefault("CRM_EGRESS_ALLOW", _LOOPBACK)
    environment.setdefault("CRM_SECRET_KEY", _secret(plan.data_dir))
    environment.setdefault("CRM_ENCRYPTION_KEYS", _kept(plan.data_dir / KEYS_FILE, Keyring.new_key))
    environment.setdefault("CRM_LOG_FORMAT", "console")
    environment.setdefault("CRM_LOG_LEVEL", "warning")
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _secret(data_dir: Path) -> str:
    """A secret that stays with the data, so that cursors survive a restart."""
    return _kept(data_dir / "secret_key", lambda: secrets.token_urlsafe(32))


def _kept(file: Path, make: Callable[[], str]) -> str:
    """What a file holds that only we can read; made at the first start."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(make())
    return file.read_text()


def _demo(plan: Plan, urls: Urls, environment: dict[str, str]) -> dict[str, str | None]:
    """Load the demonstration once per database; what lets one in is kept beside the data, so that a second start can show it."""
    kept = plan.data_dir / "demo.json"
    key = hashlib.sha256(urls.database_url.encode()).hexdigest()
    kept_for: dict[str, dict[str, str | None]] = orjson.loads(kept.read_bytes()) if kept.exists() else {}
    if key not in kept_for:
        with waiting("loading demonstration data"):
            # In a process of its own: what it needs would stay in this one for good.
            command = [sys.executable, "-m", "crm_api.cli", "demo", "--json"]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False, start_new_session=True)
        if done.returncode != 0:
            fail("The demonstration data could not be loaded; the message is above.")
        made = orjson.loads(done.stdout)
        kept_for[key] = {name: made[name] for name in ("token", "email", "password")}
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(orjson.dumps(kept_for))
    return kept_for[key]


def _wait_until_ready(url: str, supervisor: Supervisor, patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        for child in supervisor.children:
            if child.process is not None and child.process.poll() is not None:
                fail(f"{child.name} could not start (exit status {child.process.returncode}); its message is above.")
        if time.monotonic() > deadline:
            fail(f"The API did not become ready within {patience:.0f} s; {url} says why.")
        time.sleep(0.05)


def _free_port(host: str, port: int) -> int:
    """The port if it can be listened on; any free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fail(f"Can't listen on {host} port {port}: {error.strerror}. Choose another with --port.")
        return int(probe.getsockname()[1])


def _reachable_host(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)


def _role_of(url: str) -> str:
    return unquote(urlsplit(url).username or "crm_app")


def _welcome(url: str, demo: dict[str, str | None] | None, data_dir: Path) -> None:
    lines = ["", f"crm-api is running at {url}  (Ctrl-C stops it)", f"  reference  {url}/docs"]
    if demo is None:
        lines += ["", "Make an organisation and its first token in another terminal:"]
        lines += ['  crm-api org create --name "Acme" --admin-email you@example.com --json']
    else:
        token = demo["token"]
        curl = f'curl -H "Authorization: Bearer {token}"'
        where = "" if data_dir == Path(".crm") else f" --data-dir {shlex.quote(str(data_dir))}"
        lines += [
            f"  token      {token}",
            *([] if demo["password"] is None else [f"  sign in    {url}/login  as {demo['email']}, password {demo['password']}"]),
            "",
            "Ask for something, from a terminal:",
            f'  {curl} "{url}/v1/deals?sort=-amount&limit=3&expand=account"',
            f'  {curl} "{url}/v1/reports/pipeline"',
            "from a page in the browser:",
            f'  fetch("{url}/v1/contacts?limit=3", {{headers: {{Authorization: "Bearer {token}"}}}}).then(r => r.json()).then(console.log)',
            "what has changed, once or as it happens:",
            f'  {curl} "{url}/v1/events?limit=3"',
            f'  {curl} -N "{url}/v1/events/stream"',
            "the same, sent to a program of yours as webhooks are, and something to send:",
            f"  crm-api listen --forward http://localhost:3000/hook{where}",
            f"  crm-api trigger deal.updated{where}",
        ]
    for line in lines:
        answers.print(line)
