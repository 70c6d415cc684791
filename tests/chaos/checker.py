"""What must be true afterwards: the journal held against what the receiver wrote down.

What an endpoint is to be told is worked out here from the journal by rules of our own, not by the program's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.receiver import Request
from tests.chaos.writers import Ledger

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """An endpoint of the run: what it was made with, and what it is to be told."""

    path: str
    made: dict[str, Any]
    wants: Callable[[Event], bool]

    @property
    def fifo(self) -> bool:
        """Whether order is promised."""
        return self.made.get("ordering") == "fifo"


def _of(*objects: str) -> Callable[[Event], bool]:
    return lambda event: event["object"] in objects


ENDPOINTS: Final = (
    Asked("plain", {"event_types": ["account.*", "contact.*"]}, _of("accounts", "contacts")),
    Asked("fifo", {"event_types": ["account.*"], "ordering": "fifo"}, _of("accounts")),
    Asked(
        "batched",
        {"event_types": ["account.*", "contact.*"], "ordering": "fifo", "batch": {"size": 5, "wait_s": 1}},
        _of("accounts", "contacts"),
    ),
    Asked(
        "filtered",
        {
            "event_types": ["account.created", "account.updated"],
            "filters": [{"object": "accounts", "filter": {"field": "industry", "op": "eq", "value": "red"}}],
            "payload": "thin",
        },
        lambda event: event["type"] in ("account.created", "account.updated") and event["record"]["industry"] == "red",
    ),
    Asked("debounced", {"event_types": ["account.*"], "debounce_s": 1}, _of("accounts")),
)  # fmt: skip


def journal(client: httpx.Client) -> list[Event]:
    """All events, as `GET /v1/events` gives them."""
    found: list[Event] = []
    cursor = "oldest"
    while True:
        page = client.get("/v1/events", params={"cursor": cursor, "limit": 1000}).raise_for_status().json()
        found += page["data"]
        cursor = page["page"]["next_cursor"]
        if not page["page"]["has_more"]:
            return found


@dataclass
class Finding:
    """What is wrong (nothing, if all is well), and what was counted."""

    wrong: list[str] = field(default_factory=list)
    events: int = 0
    requests: int = 0
    expected: int = 0
    missing: int = 0
    duplicates: int = 0
    repeats: list[float] = field(default_factory=list)

    def say(self, *problems: str) -> None:
        """Notes what is wrong."""
        self.wrong += problems


def check(events: Sequence[Event], received: Sequence[Request], ledger: Ledger) -> Finding:
    """Holds one against the other."""
    found = Finding(events=len(events), requests=len(received))
    known = {event["id"]: event for event in events}
    found.say(*(f"answered {text[:200]} to what had to fail" for text in ledger.wrong))
    if [event["seq"] for event in events] != list(range(events[0]["seq"], events[0]["seq"] + len(events))):
        found.say("the journal's numbers have gaps")
    told = {(event["record_id"], event["version"]) for event in events}
    found.say(*(f"acknowledged, but not in the journal: {key}" for key in ledger.acknowledged if key not in told))
    found.say(*(f"rolled back, but in the journal: {event['id']}" for event in events if event["record_id"] in ledger.refused))
    for request in received:
        found.say(*_about(request, known, ledger))
    for asked in ENDPOINTS:
        mine = [request for request in received if request.path == asked.path]
        _check_endpoint(found, asked, events, known, mine)
    return found


def _about(request: Request, known: dict[str, Event], ledger: Ledger) -> list[str]:
    problems = []
    for event in request.events:
        stored = known.get(event.id)
        if stored is None:
            problems.append(f"{request.path} was told of {event.id}, which was never committed")
        elif (stored["seq"], stored["record_id"], stored["version"]) != (event.seq, event.record_id, event.version):
            problems.append(f"{request.path} was told of {event.id} otherwise than the journal has it")
        if event.record_id in ledger.refused:
            problems.append(f"{request.path} was told of {event.record_id}, which was rolled back")
    if not request.batch and request.id != request.events[0].id:
        problems.append(f"{request.path}: webhook-id {request.id}, but event {request.events[0].id}")
    return problems


def _check_endpoint(found: Finding, asked: Asked, events: Sequence[Event], known: dict[str, Event], mine: Sequence[Request]) -> None:
    wanted = [event for event in events if asked.wants(event)]
    found.expected += len(wanted)
    arrived: set[str] = set()
    contents: dict[str, tuple[str, ...]] = {}
    batch_of: dict[str, str] = {}
    times: dict[str, list[float]] = defaultdict(list)
    order = [event["id"] for event in wanted]
    place = 0
    for request in mine:
        ids = tuple(event.id for event in request.events)
        if request.batch:
            if contents.setdefault(request.id, ids) != ids:
                found.say(f"{asked.path}: batch {request.id} had other events at another time")
            found.say(*(f"{asked.path}: {id} went in two batches" for id in ids if batch_of.setdefault(id, request.id) != request.id))
        if asked.fifo:
            for id in ids:
                if id in arrived:
                    continue
                if place >= len(order) or id != order[place + ids.index(id) - sum(one in arrived for one in ids)]:
                    found.say(f"{asked.path}: {id} (seq {known[id]['seq']}) came before its turn")
        if request.taken:
            times[request.id].append(request.at)
            for event in request.events:
                place += event.id not in arrived
                arrived.update((event.id, *event.coalesced))
    found.say(*(f"{asked.path} was told of {id}, which it did not ask for" for id in arrived - set(order)))
    missing = [id for id in order if id not in arrived]
    found.missing += len(missing)
    found.say(*(f"{asked.path} was never told of {id} (seq {known[id]['seq']})" for id in missing))
    for arrivals in times.values():
        found.duplicates += len(arrivals) - 1
        found.repeats += arrivals[1:]


def recovery(events: Sequence[Event], received: Sequence[Request], ledger: Ledger, at: float) -> dict[str, float]:
    """How many seconds after `at` the first of what each endpoint had waiting came; nothing for those with nothing waiting."""
    found = {}
    for asked in ENDPOINTS:
        due = {
            event["id"] for event in events
            if asked.wants(event) and ledger.acknowledged.get((event["record_id"], event["version"]), at) < at
        }  # fmt: skip
        mine = [request for request in received if request.path == asked.path]
        for request in mine:
            if request.at < at and request.taken:
                due.difference_update(id for event in request.events for id in (event.id, *event.coalesced))
        if due:
            late = [request.at for request in mine if request.at >= at and any(
                id in due for event in request.events for id in (event.id, *event.coalesced))]  # fmt: skip
            found[asked.path] = (late[0] if late else float("inf")) - at
    return found


def slowest(events: Sequence[Event], received: Sequence[Request], ledger: Ledger, since: float, until: float) -> float:
    """The longest that a change which was acknowledged in that time waited for its first request, at the endpoint without conditions."""
    first: dict[str, float] = {}
    for request in received:
        if request.path == "plain":
            first.setdefault(request.events[0].id, request.at)
    waits = [
        first[event["id"]] - at
        for event in events
        if (at := ledger.acknowledged.get((event["record_id"], event["version"]), 0)) and since <= at <= until and event["id"] in first
    ]
    return max([0.0, *waits])
