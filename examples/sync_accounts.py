"""Brings accounts from a CSV file, as often as you like: `API=… TOKEN=… python sync_accounts.py accounts.csv`.

The file has the columns id, name, domain, industry, employees; `id` is the company's id in your system. Rows are sent in
batches of 200. A batch that got no answer is sent again under its Idempotency-Key, so it happens once.
"""

import csv
import os
import sys
import time
import uuid
from collections import Counter
from itertools import islice

import httpx

SYSTEM = "erp"
crm = httpx.Client(base_url=os.environ["API"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=30)


def item(row: dict) -> dict:
    return {
        "external_ids": {SYSTEM: row["id"]},
        "name": row["name"],
        "domain": row["domain"] or None,
        "industry": row["industry"] or None,
        "employees": int(row["employees"]) if row["employees"] else None,
    }


def send(items: list[dict]) -> list[dict]:
    """One batch; what became of each item."""
    key, body = str(uuid.uuid4()), {"match_on": f"external_ids.{SYSTEM}", "items": items}
    for attempt in range(7):
        wait = 2**attempt
        try:
            answer = crm.post("/v1/accounts/batch/upsert", headers={"Idempotency-Key": key}, json=body)
        except httpx.TransportError as error:  # perhaps it happened, perhaps not: the key makes asking again safe
            why = repr(error)
        else:
            # 409 means that the first attempt is still running; the conflicts of single items are in their results.
            if answer.status_code not in (409, 429, 500, 502, 503, 504):
                return answer.raise_for_status().json()["results"]
            why, wait = f"status {answer.status_code}", int(answer.headers.get("Retry-After", wait))
        time.sleep(wait)
    raise SystemExit(f"gave up: {why}")


outcomes: Counter[str] = Counter()
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = csv.DictReader(file)
    while some := list(islice(rows, 200)):
        for row, result in zip(some, send([item(row) for row in some]), strict=True):
            outcomes[result.get("outcome", "refused")] += 1
            if "error" in result:
                print(f"{row['id']} {row['name']}: {result['error']['detail']}", file=sys.stderr)
print(", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items())))
sys.exit(outcomes["refused"] > 0)
