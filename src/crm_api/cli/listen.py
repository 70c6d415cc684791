"""`crm-api listen`: the journal, forwarded to a receiver on the developer's machine."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
from rich.text import Text

from crm_api.cli.forward import Forwarded, Forwarder, forwarder
from crm_api.cli.target import Wanted, api_of, problem_of
from crm_api.cli.terminal import answer_json, answers, fail, say
from crm_api.core.webhook_signing import SigningKey

WAIT_S: Final = 20
PAGE: Final = 100
LONGEST_PAUSE_S: Final = 30.0
_AGAIN: Final = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Listening:
    """What `listen` was asked for. `stop_after` is a number of events."""

    target: Wanted
    forward: str
    events: str | None
    payload: str
    key: SigningKey
    cursor: str | None
    since: str | None
    stop_after: int | None
    verify: bool
    json: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """One page of the journal, and the cursor after it."""

    events: list[dict[str, Any]]
    cursor: str


class Follower:
    """Reads the journal page by page, and goes on after whatever lies between it and the API.

    `cursor` is the end of the last page that was dealt with: reading from it misses nothing.
    """

    def __init__(self, api: httpx.AsyncClient, options: Listening) -> None:
        self._api = api
        self._types = options.events
        self._json = options.json
        self._start = {"since": options.since} if options.since else {"cursor": options.cursor or "now"}
        self.cursor: str | None = None

    async def begin(self) -> None:
        """Finds the place to begin, so that what happens from this moment on is read."""
        if "since" in self._start or self._start["cursor"] != "now":
            return
        self.cursor = (await self._page(wait=0, limit=1)).cursor

    async def next_page(self, limit: int = PAGE) -> Followed:
        """The next page, which may be empty; who has dealt with it says so by `done`. Ends the program if the API refuses."""
        return await self._page(wait=WAIT_S, limit=limit)

    def done(self, page: Followed) -> None:
        """A page has been dealt with."""
        self.cursor = page.cursor

    async def _page(self, *, wait: int, limit: int) -> Followed:
        params: dict[str, Any] = {"wait": wait, "limit": limit, **({"cursor": self.cursor} if self.cursor else self._start)}
        if self._types:
            params["event_types"] = self._types
        pause = 0.5
        while True:
            try:
                answer = await self._api.get("/v1/events", params=params)
            except httpx.TransportError as error:
                why, least = str(error) or type(error).__name__, 0.0
            else:
                if answer.is_success:
                    body = orjson.loads(answer.content)
                    return Followed(body["data"], body["page"]["next_cursor"])
                why = problem_of(answer)
                if answer.status_code not in _AGAIN:
                    fail(f"GET /v1/events: {why}")
                given = answer.headers.get("retry-after", "")
                least = float(given) if given.isdigit() else 0.0
            wait_s = min(max(pause, least), LONGEST_PAUSE_S)
            self._tell_pause(why, wait_s)
            await asyncio.sleep(wait_s)
            pause *= 2

    def _tell_pause(self, why: str, wait_s: float) -> None:
        if self._json:
            answer_json({"event": "reconnecting", "error": why, "seconds": wait_s})
        else:
            say(f"{why}; trying again in {wait_s:g} s")


def run(options: Listening) -> None:
    """Listens until it is interrupted, or as many events have been forwarded as were asked for.

    Exit status 0; 1 where the API refuses, or where one of the events that were asked for was not accepted.
    """
    raise SystemExit(asyncio.run(_until_interrupted(options)))


async def _until_interrupted(options: Listening) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await _listen(options)
    except asyncio.CancelledError:
        return 0


async def _listen(options: Listening) -> int:
    refused = sent = 0
    async with api_of(options.target) as api, forwarder(options.forward, options.key, options.payload, verify=options.verify) as receiver:
        follower = Follower(api, options)
        await follower.begin()
        _tell_start(options, api, follower)
        try:
            while sent != options.stop_after:
                left = PAGE if options.stop_after is None else options.stop_after - sent
                page = await follower.next_page(min(PAGE, left))
                for event in page.events:
                    done = await _forward(receiver, event, options)
                    sent += 1
                    refused += not done.accepted
                follower.done(page)
        finally:
            _tell_end(options, follower, sent)
    return 1 if refused else 0


async def _forward(receiver: Forwarder, event: dict[str, Any], options: Listening) -> Forwarded:
    done = await receiver.post(event)
    if options.json:
        told = {name: event[name] for name in ("id", "seq", "type", "object", "record_id")}
        answer_json({"event": "forwarded", **told, "status": done.status, "milliseconds": done.milliseconds, "error": done.error})
        return done
    line = Text.assemble(
        (event["occurred_at"][11:19], "dim"),
        "  ",
        (str(done.status) if done.status is not None else "---", "bold green" if done.accepted else "bold red"),
        f"  {event['type']:<28} {event['seq']:>8}  {event['id']}  {event['record_id']}  {done.milliseconds:.0f} ms",
        ("" if done.error is None else f"  {done.error}", "red"),
    )
    answers.print(line)
    return done


def _tell_start(options: Listening, api: httpx.AsyncClient, follower: Follower) -> None:
    url = str(api.base_url).rstrip("/")
    if options.json:
        told = {"event": "listening", "url": url, "forward": options.forward, "secret": options.key.text, "cursor": follower.cursor}
        answer_json(told if options.key.public is None else {**told, "public_key": options.key.public})
        return
    say(f"Forwarding {options.events or 'all events'} of {url} to {options.forward}; Ctrl-C ends it.")
    answers.print(f"signing secret  {options.key.text}")
    if options.key.public is not None:
        answers.print(f"public key      {options.key.public}")


def _tell_end(options: Listening, follower: Follower, sent: int) -> None:
    if options.json:
        answer_json({"event": "stopped", "forwarded": sent, "cursor": follower.cursor})
    elif follower.cursor is not None:
        say(f"\n{sent} forwarded. To go on from here: --cursor {follower.cursor}")
