"""Keeps a copy of all contacts in SQLite, exactly once: `API=… TOKEN=… python mirror.py contacts.db [--once]`.

The first load remembers where the journal was before it; from there on events are applied. A change and the cursor behind it
are one transaction of the copy, so however this program ends, it goes on where the copy is. Stop it and start it at will.
"""

import json
import os
import sqlite3
import sys

import httpx

crm = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=60)
copy = sqlite3.connect(sys.argv[1])
copy.execute("CREATE TABLE IF NOT EXISTS contacts (id TEXT PRIMARY KEY, version INTEGER NOT NULL, record TEXT NOT NULL)")
copy.execute("CREATE TABLE IF NOT EXISTS place (cursor TEXT NOT NULL)")


def keep(record: dict) -> None:
    # The first load may have seen more than the events after it tell, so an older version never replaces a newer one.
    copy.execute(
        "INSERT INTO contacts VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version, record = excluded.record"
        " WHERE excluded.version > contacts.version",
        (record["id"], record["version"], json.dumps(record)),
    )


def load() -> str:
    """Keeps all that is there; the journal's cursor from before."""
    start, params = None, {"limit": 200}
    while not start or params["cursor"]:
        page = crm.get("/v1/contacts", params=params).raise_for_status().json()
        for record in page["data"]:
            keep(record)
        start, params["cursor"] = start or page["page"]["events_cursor"], page["page"]["next_cursor"]
    return start


once, behind = "--once" in sys.argv, True
while behind or not once:
    place = copy.execute("SELECT cursor FROM place").fetchone()
    with copy:  # one transaction: all of it or nothing
        if place is None:
            copy.execute("DELETE FROM contacts")
            copy.execute("INSERT INTO place VALUES (?)", (load(),))
            continue
        answer = crm.get("/v1/events", params={"cursor": place[0], "object": "contacts", "wait": 0 if once else 20})
        if answer.status_code == 410:  # away for longer than the journal reaches back: begin again
            copy.execute("DELETE FROM place")
            continue
        page = answer.raise_for_status().json()
        for event in page["data"]:
            if event["record"] is None or event["record"]["deleted_at"]:
                copy.execute("DELETE FROM contacts WHERE id = ?", (event["record_id"],))
            else:
                keep(event["record"])
        copy.execute("UPDATE place SET cursor = ?", (page["page"]["next_cursor"],))
        behind = page["page"]["has_more"]
