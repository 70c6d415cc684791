"""The example programs, run against what `make run` starts."""

from __future__ import annotations

import csv
import json
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.support import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def crm(running: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running["API"], headers={"authorization": f"Bearer {running['TOKEN']}"}, timeout=30) as client:
        yield client


def ask(crm: httpx.Client, method: str, path: str, **more: Any) -> Any:
    answer = crm.request(method, path, **more)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def run(environment: dict[str, str], program: str, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_they_are_short_and_listed() -> None:
    programs = {file.name: len(file.read_text().splitlines()) for file in EXAMPLES.glob("*.py")}
    assert len(programs) == 4
    assert all(lines <= 60 for lines in programs.values()), programs
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"]({name})" in listed for name in programs)


def all_contacts(crm: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = {}
    params: dict[str, Any] = {"limit": 200}
    while True:
        page = ask(crm, "GET", "/v1/contacts", params=params)
        found.update({record["id"]: record for record in page["data"]})
        if not page["page"]["has_more"]:
            return found
        params["cursor"] = page["page"]["next_cursor"]


def test_the_mirror_is_equal_after_every_kind_of_change(running: dict[str, str], crm: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "contacts.db"

    def mirrored() -> dict[str, Any]:
        run(running, "mirror.py", str(file), "--once")
        with closing(sqlite3.connect(file)) as copy:
            return {id_: json.loads(record) for id_, record in copy.execute("SELECT id, record FROM contacts")}

    one, two, three, four = [ask(crm, "POST", "/v1/contacts", json={"last_name": f"Mirror {n}"}) for n in range(4)]
    assert mirrored() == all_contacts(crm)
    ask(crm, "PATCH", f"/v1/contacts/{one['id']}", json={"title": "Looking glass"})
    ask(crm, "DELETE", f"/v1/contacts/{two['id']}")
    ask(crm, "DELETE", f"/v1/contacts/{three['id']}")
    ask(crm, "POST", f"/v1/contacts/{three['id']}/restore")
    ask(crm, "POST", "/v1/contacts/merge", json={"winner_id": one["id"], "loser_ids": [four["id"]]})
    ask(crm, "POST", "/v1/contacts", json={"last_name": "Late"})
    found = mirrored()
    assert found == all_contacts(crm)
    assert set(found) & {one["id"], two["id"], three["id"], four["id"]} == {one["id"], three["id"]}
    ask(crm, "DELETE", f"/v1/contacts/{three['id']}", params={"purge": "true"})
    assert mirrored() == all_contacts(crm)
    assert mirrored() == all_contacts(crm)


def test_a_mirror_that_is_killed_loses_nothing(running: dict[str, str], crm: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "contacts.db"
    for n in range(6):
        process = subprocess.Popen([sys.executable, str(EXAMPLES / "mirror.py"), str(file)], env=running)
        items = [{"last_name": f"Killed {n} {m}"} for m in range(20)]
        ask(crm, "POST", "/v1/contacts/batch/create", json={"items": items})
        time.sleep(0.15 * n)
        process.kill()
        process.wait()
    run(running, "mirror.py", str(file), "--once")
    with closing(sqlite3.connect(file)) as copy:
        rows = {id_: json.loads(record) for id_, record in copy.execute("SELECT id, record FROM contacts")}
    assert rows == all_contacts(crm)


def accounts(file: Path, *rows: tuple[str, str, str, str, str]) -> str:
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("id", "name", "domain", "industry", "employees"), *rows])
    return str(file)


def test_accounts_are_synchronised(running: dict[str, str], crm: httpx.Client, tmp_path: Path) -> None:
    rows = [(f"s{n}", f"Company {n}", f"company{n}.example", "Textiles" if n % 2 else "", str(n)) for n in range(450)]
    file = accounts(tmp_path / "accounts.csv", *rows)
    assert run(running, "sync_accounts.py", file).stdout == "450 created\n"
    assert run(running, "sync_accounts.py", file).stdout == "450 unchanged\n"
    rows[7] = ("s7", "Renamed", "company7.example", "", "")
    rows.append(("s450", "Too Like", "COMPANY8.example", "", ""))
    done = run(running, "sync_accounts.py", accounts(tmp_path / "accounts.csv", *rows), status=1)
    assert done.stdout == "1 refused, 449 unchanged, 1 updated\n"
    assert done.stderr.startswith("s450 Too Like: ")
    renamed = ask(crm, "GET", "/v1/accounts/by/external_ids.erp/s7")
    assert (renamed["name"], renamed["industry"], renamed["employees"]) == ("Renamed", None, None)


class Wire:
    """A stretch of network between a client and the server, which can be cut. `deaf` lets requests through, but no answers."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self.deaf = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                if answers and self.deaf:
                    self.deaf -= 1
                    break
                target.sendall(part)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Ends what is connected; new connections are taken."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@pytest.fixture
def wire(running: dict[str, str]) -> Iterator[Wire]:
    found = Wire(int(running["API"].rpartition(":")[2]))
    yield found
    found.close()


def test_a_batch_whose_answer_is_lost_happens_once(running: dict[str, str], crm: httpx.Client, wire: Wire, tmp_path: Path) -> None:
    wire.deaf = 1
    file = accounts(tmp_path / "accounts.csv", ("lost1", "Lost and Found", "lost.example", "", ""))
    # The first attempt made the account; the second gets that attempt's answer, not "unchanged".
    done = run({**running, "API": f"http://127.0.0.1:{wire.port}"}, "sync_accounts.py", file)
    assert (done.stdout, wire.deaf) == ("1 created\n", 0)
    account = ask(crm, "GET", "/v1/accounts/by/external_ids.erp/lost1")
    assert account["version"] == 1


def wait_for(check: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def test_the_stream_goes_on_after_a_lost_connection(running: dict[str, str], crm: httpx.Client, wire: Wire, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stage = ask(crm, "GET", "/v1/stages", params={"name": "Negotiation"})["data"][0]
    with out.open("w") as writes:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / "stream.py")],
            env={**running, "API": f"http://127.0.0.1:{wire.port}"},
            stdout=writes,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "-- ready" in out.read_text(), out.read_text)
        deal = ask(crm, "POST", "/v1/deals", json={"name": "Streamed"})
        wait_for(lambda: "deal.created: Streamed" in out.read_text(), out.read_text)
        wire.cut()
        ask(crm, "PATCH", f"/v1/deals/{deal['id']}", json={"stage_id": stage["id"]})
        wait_for(lambda: "deal.updated: Streamed → Negotiation" in out.read_text(), out.read_text)
        ask(crm, "PATCH", f"/v1/deals/{deal['id']}", json={"next_step": "sign"})
        wait_for(lambda: out.read_text().count("deal.updated") == 2, out.read_text)
        lines = out.read_text().splitlines()
        assert sum("Streamed" in line for line in lines) == 3, lines
        assert sum("resuming" in line for line in lines) == 1, lines
    finally:
        process.kill()
        process.wait()
