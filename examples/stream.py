"""Prints what happens to deals while it happens: `API=… TOKEN=… python stream.py`. Ends with Ctrl-C.

`GET /v1/events/stream` pushes events (server-sent events). Each has an id; after a lost connection `Last-Event-ID` asks for
everything since, so nothing is missed and nothing told twice.
"""

import json
import os
import time
from collections.abc import Iterator

import httpx

crm = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
stages = {stage["id"]: stage["name"] for stage in crm.get("/v1/stages?limit=200").raise_for_status().json()["data"]}


def messages() -> Iterator[tuple[str, dict]]:
    """What the server sends (its kind and data), over as many connections as it takes."""
    last = None
    while True:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            # The server says something at least every 15 seconds; a longer silence is a dead connection.
            with crm.stream("GET", "/v1/events/stream?object=deals", headers=headers, timeout=httpx.Timeout(10, read=40)) as answer:
                if answer.is_client_error:
                    raise SystemExit(answer.read().decode())
                answer.raise_for_status()
                message = {"event": "message"}
                for line in answer.iter_lines():
                    if line:
                        name, _, value = line.partition(":")
                        message[name] = value.removeprefix(" ")
                        continue
                    if "data" in message:
                        yield message["event"], json.loads(message["data"])
                    last = message.get("id", last)  # only now: what was not dealt with is sent again
                    message = {"event": "message"}
        except httpx.HTTPError as error:
            print(f"-- connection lost ({error!r}), resuming", flush=True)
        time.sleep(1)


for kind, data in messages():
    if kind == "end":  # the token was revoked, or the place is too long ago
        raise SystemExit(data["reason"])
    if kind != "message":
        print(f"-- {kind}", flush=True)
        continue
    deal, changes = data["record"], data["changes"]
    moved = f" → {stages.get(changes['stage_id']['new'], 'a new stage')}" if "stage_id" in changes else ""
    print(f"{data['occurred_at'][11:19]} {data['type']}: {deal['name'] if deal else data['record_id']}{moved}", flush=True)
