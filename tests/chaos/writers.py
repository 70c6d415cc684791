"""Those who change records over HTTP while processes die, and remember what they were told."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

from crm_api.core.clock import SystemClock
from crm_api.core.ids import uuid7
from tests.chaos.processes import Stack

COLORS = ("red", "green", "blue")
CLOCK = SystemClock()


def _new_id() -> str:
    return str(uuid7(CLOCK))


@dataclass
class Ledger:
    """What writers know. `acknowledged`: record and version → when the answer came. `refused`: records of transactions that were rolled
    back. `unknown`: how many requests had no answer."""

    acknowledged: dict[tuple[str, int], float] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unknown: int = 0
    answers: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """Writes until it is stopped, about `rate` requests a second."""

    def __init__(self, stack: Stack, ledger: Ledger, seed: int, rate: float) -> None:
        super().__init__(name=f"writer {seed}", daemon=True)
        self._stack = stack
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._rate = rate
        self._over = threading.Event()
        self._known: list[str] = []

    def stop(self) -> None:
        """Ends it after the request that is under way."""
        self._over.set()

    def run(self) -> None:
        """One request after the other."""
        kinds = [self._create, self._create, self._change, self._change, self._change, self._together, self._undone, self._batch_undone]
        while not self._over.is_set():
            with self._stack.client() as client:
                try:
                    while not self._over.wait(self._chance.random() * 2 / self._rate):
                        self._chance.choice([*kinds, self._dry, self._remove])(client)
                except httpx.TransportError:
                    self._ledger.unknown += 1
                    self._over.wait(0.2)

    def _send(self, client: httpx.Client, method: str, path: str, body: Any = None) -> httpx.Response:
        answer = client.request(method, path, json=body)
        counts = self._ledger.answers
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
        return answer

    def _told(self, *records: Any) -> None:
        for record in records:
            self._ledger.acknowledged[record["id"], record["version"]] = monotonic()

    def _account(self) -> dict[str, Any]:
        return {"id": _new_id(), "name": f"Account {self._chance.random()}", "industry": self._chance.choice(COLORS)}

    def _create(self, client: httpx.Client) -> None:
        answer = self._send(client, "POST", "/v1/accounts", self._account())
        if answer.status_code == 201:
            self._told(answer.json())
            self._known.append(answer.json()["id"])

    def _change(self, client: httpx.Client) -> None:
        if not self._known:
            return
        # Few records, so that some change again and again.
        id = self._chance.choice(self._known[-20:])
        body = {"industry": self._chance.choice(COLORS), "employees": self._chance.randrange(10_000)}
        answer = self._send(client, "PATCH", f"/v1/accounts/{id}", body)
        if answer.status_code == 200:
            self._told(answer.json())

    def _remove(self, client: httpx.Client) -> None:
        if len(self._known) > 5:
            self._send(client, "DELETE", f"/v1/accounts/{self._known.pop(0)}")

    def _together(self, client: httpx.Client) -> None:
        one, two = self._account(), {"id": _new_id(), "last_name": "Together"}
        operations = [{"method": "POST", "path": "/v1/accounts", "body": one}, {"method": "POST", "path": "/v1/contacts", "body": two}]
        answer = self._send(client, "POST", "/v1/composite", {"operations": operations})
        if answer.status_code == 200:
            self._told(*(result["body"] for result in answer.json()["results"]))

    def _undone(self, client: httpx.Client) -> None:
        """The second operation fails, so the first is rolled back."""
        one = self._account()
        operations = [
            {"method": "POST", "path": "/v1/accounts", "body": one},
            {"method": "POST", "path": "/v1/accounts", "body": {"id": _new_id()}},
        ]
        self._must_fail(self._send(client, "POST", "/v1/composite", {"operations": operations}), one["id"])

    def _batch_undone(self, client: httpx.Client) -> None:
        one, two = self._account(), {"id": _new_id(), "name": "No", "employees": "many"}
        answer = self._send(client, "POST", "/v1/accounts/batch/create", {"mode": "atomic", "items": [one, two]})
        self._must_fail(answer, one["id"], two["id"])

    def _dry(self, client: httpx.Client) -> None:
        one = self._account()
        operations = [{"method": "POST", "path": "/v1/accounts", "body": one}]
        answer = self._send(client, "POST", "/v1/composite", {"dry_run": True, "operations": operations})
        if answer.status_code == 200:
            self._ledger.refused.add(one["id"])

    def _must_fail(self, answer: httpx.Response, *ids: str) -> None:
        if answer.is_success:
            self._ledger.wrong.append(answer.text)
        self._ledger.refused.update(ids)
