"""`crm-api trigger`: makes an event happen, by really changing a record.

What follows is no example but the event itself: with a number in the journal, in the stream, at webhook endpoints.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from uuid import UUID

import httpx
import orjson
from rich.text import Text

from crm_api.cli.forward import Forwarded, forwarder
from crm_api.cli.target import Wanted, api_of, ask
from crm_api.cli.terminal import answer_json, answers, fail
from crm_api.core.clock import SystemClock, format_timestamp
from crm_api.core.webhook_signing import SigningKey

VERBS: Final = ("created", "updated", "deleted", "restored", "purged")
TAG: Final = "triggered"
"""The tag of records that were made here, by which they are found again; of a record that was named, the one that comes or goes."""

_SAMPLES: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "accounts": ({"name": "Demo account"}, "description"),
    "contacts": ({"first_name": "Demo", "last_name": "Contact"}, "title"),
    "leads": ({"first_name": "Demo", "last_name": "Lead", "company": "Demo Ltd"}, "title"),
    "deals": ({"name": "Demo deal"}, "next_step"),
    "cases": ({"subject": "Demo case"}, "description"),
    "tasks": ({"subject": "Demo task"}, "description"),
    "notes": ({"body": {"format": "text", "content": "Demo note"}}, "body"),
}
"""What records of these objects are made of, and the field that an update changes. Objects that an organisation has made follow from
their fields."""


@dataclass(frozen=True)
class Triggering:
    """What `trigger` was asked for. `values` are fields of the record that is made or changed."""

    target: Wanted
    event_type: str
    record_id: str | None
    values: Mapping[str, Any]
    endpoint_id: str | None
    forward: str | None
    payload: str
    key: SigningKey | None
    verify: bool
    json: bool


def run(options: Triggering) -> None:
    """Makes the event, and prints its id and number. Exit status 1 where the API refuses, or the receiver of `--forward`."""
    raise SystemExit(asyncio.run(_trigger(options)))


def parsed_values(given: list[str]) -> dict[str, Any]:
    """`name=value` options; a value that reads as JSON is that, any other is text."""
    found = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name:
            fail(f"--set {one}: write field=value.")
        try:
            found[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[name] = text
    return found


async def _trigger(options: Triggering) -> int:
    async with api_of(options.target) as api:
        if options.endpoint_id is not None:
            return await _test_endpoint(api, options)
        event = await _Maker(api, options).event()
        done = None
        if options.forward is not None and options.key is not None:
            async with forwarder(options.forward, options.key, options.payload, verify=options.verify) as receiver:
                done = await receiver.post(event)
    _tell(options, event, done)
    return 0 if done is None or done.accepted else 1


async def _test_endpoint(api: httpx.AsyncClient, options: Triggering) -> int:
    """Has the API send an example of the type to one endpoint; no record changes. 1 if its receiver didn't take it."""
    path = f"/v1/webhook_endpoints/{options.endpoint_id}/test"
    told = await ask(api, "POST", path, json={"event_type": options.event_type})
    if options.json:
        answer_json(told)
    else:
        answered = told["status_code"] if told["status_code"] is not None else told["error"]
        text = f"{options.event_type}  test event {told['message_id']}  {told['url']} answered {answered}"
        answers.print(Text(text, "green" if told["succeeded"] else "red"))
    return 0 if told["succeeded"] else 1


class _Maker:
    """Makes one event of a type by what a caller would do."""

    def __init__(self, api: httpx.AsyncClient, options: Triggering) -> None:
        self._api = api
        self._options = options
        self._values = dict(options.values)
        self._mark = secrets.token_hex(3)

    async def event(self) -> dict[str, Any]:
        """The event, as the journal has it. Ends the program with what would be possible for a type that can't be made so."""
        singular, _, verb = self._options.event_type.partition(".")
        objects = (await ask(self._api, "GET", "/v1/meta", params={"include": "fields"}))["objects"]
        found = next((one for one in objects if one["singular"] == singular and not one.get("archived")), None)
        if found is None or verb not in VERBS:
            self._refuse(objects)
        return await self._made(found, verb)

    def _refuse(self, objects: list[dict[str, Any]]) -> NoReturn:
        made = sorted(one["singular"] for one in objects if _makeable(one))
        others = sorted(one["singular"] for one in objects if not _makeable(one))
        fail(
            f"{self._options.event_type} can't be triggered. Possible are {', '.join(VERBS)} of {', '.join(made)}; with --record or --set"
            f" also of {', '.join(others)}. Events of any type can be sent to one webhook endpoint: --endpoint ID."
        )

    async def _made(self, described: dict[str, Any], verb: str) -> dict[str, Any]:
        name, given = described["api_name"], self._options.record_id
        if verb == "created" and given is not None:
            fail("--record is for events of a record that is there.")
        if given is not None:
            try:
                record_id = str(UUID(given))
            except ValueError:
                fail(f"--record {given} is no id.")
        elif verb == "created":
            cursor = await self._cursor()
            record_id = (await self._create(described, self._values))["id"]
            return await self._look(cursor, record_id)
        else:
            record_id = (await self._create(described, {}))["id"]
            if verb == "restored":
                await ask(self._api, "DELETE", f"/v1/{name}/{record_id}")
        cursor = await self._cursor()
        await self._change(name, record_id, verb)
        return await self._look(cursor, record_id)

    async def _change(self, name: str, record_id: str, verb: str) -> None:
        path = f"/v1/{name}/{record_id}"
        if verb == "updated":
            await ask(self._api, "PATCH", path, json=self._values or await self._difference(name, path))
        elif verb == "restored":
            await ask(self._api, "POST", f"{path}/restore")
        else:
            await ask(self._api, "DELETE", path, params={"purge": "true"} if verb == "purged" else {})

    async def _difference(self, name: str, path: str) -> dict[str, Any]:
        """A harmless change: a line of the record that was made here, a tag of one that was named."""
        if self._options.record_id is None and name in _SAMPLES:
            field = _SAMPLES[name][1]
            text = f"Triggered {self._mark}"
            return {field: {"format": "text", "content": text} if field == "body" else text}
        tags = (await ask(self._api, "GET", path))["tags"]
        return {"tags": [tag for tag in tags if tag != TAG] if TAG in tags else [*tags, TAG]}

    async def _create(self, described: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        name = described["api_name"]
        if not _makeable(described) and not values:
            fail(f"A record of {name} isn't made up; name one with --record, or say what it is to be with --set field=value.")
        body: dict[str, Any] = {**_SAMPLES.get(name, ({}, ""))[0], **values}
        for field in described["fields"]:
            await self._fill(body, field)
        if _makeable(described):
            body.setdefault("tags", [TAG])
        made: dict[str, Any] = await ask(self._api, "POST", f"/v1/{name}", json=body, params={"allow_duplicates": "true"})
        return made

    async def _fill(self, body: dict[str, Any], field: Mapping[str, Any]) -> None:
        """Gives a required field that is still missing a value."""
        path = field.get("path") or field["api_name"]
        if field["of"] in _SAMPLES and field["standard"]:
            return  # the sample has what can't be left out
        if not field.get("required") or field.get("read_only") or field.get("archived") or path in body or field["api_name"] in body:
            return
        if field.get("default") is not None:
            return
        if field["type"] == "reference":
            found = (await ask(self._api, "GET", f"/v1/{field['target']}", params={"limit": 1}))["data"]
            if not found:
                fail(f"{path} must name a record of {field['target']}, and there is none; give it with --set {path}=ID.")
            value: Any = found[0]["id"]
        else:
            value = _sample(field, self._mark)
            if value is None:
                fail(f"{path} ({field['type']}) must have a value: --set {path}=…")
        at = body
        *heads, last = path.split(".")
        for head in heads:
            at = at.setdefault(head, {})
        at[last] = value

    async def _cursor(self) -> str:
        return str((await ask(self._api, "GET", "/v1/me"))["events_cursor"])

    async def _look(self, cursor: str, record_id: str) -> dict[str, Any]:
        """The event in the journal."""
        params = {"cursor": cursor, "record_id": record_id, "event_types": self._options.event_type, "limit": 1}
        found: list[dict[str, Any]] = (await ask(self._api, "GET", "/v1/events", params=params))["data"]
        if not found:
            fail(f"Nothing of the record {record_id} has made {self._options.event_type}; it was so before, or the token may not see it.")
        return found[0]


def _makeable(described: Mapping[str, Any]) -> bool:
    """Whether records of an object are made up without being told how: of those that hold customers' data, nobody is harmed by one."""
    return described["api_name"] in _SAMPLES or not described["standard"]


def _sample(field: Mapping[str, Any], mark: str) -> Any:
    """A value of a field's type; None for a type without any."""
    now = format_timestamp(SystemClock().now())
    least = field.get("min") or 1
    options = [one["key"] for one in field.get("options") or () if not one.get("archived")]
    text = f"Demo {mark}"[: field.get("max_length") or 255]
    values: dict[str, Any] = {
        "text": text, "long_text": text, "integer": int(least), "number": least, "decimal": str(least), "currency": "1.00", "boolean": True,
        "date": now[:10], "datetime": now, "email": f"demo-{mark}@example.com", "phone": "+12025550100", "url": "https://example.com/",
        "picklist": options[0] if options else None, "multi_picklist": options[:1] or None, "json": {"demo": mark},
        "rich_text": {"format": "text", "content": text},
    }  # fmt: skip
    return values.get(field["type"])


def _tell(options: Triggering, event: Mapping[str, Any], done: Forwarded | None) -> None:
    told = {name: event[name] for name in ("id", "seq", "type", "object", "record_id", "version")}
    if options.json:
        posted = {} if done is None else {"status": done.status, "milliseconds": done.milliseconds, "error": done.error}
        answer_json({**told, **posted})
        return
    line = f"{event['type']}  event {event['id']}  seq {event['seq']}  /v1/{event['object']}/{event['record_id']}"
    answers.print(line)
    if done is not None:
        status = str(done.status) if done.status is not None else done.error
        text = f"{options.forward} answered {status}" if done.status is not None else f"{options.forward}: {status}"
        answers.print(Text(f"{text}, after {done.milliseconds:.0f} ms", "green" if done.accepted else "red"))
