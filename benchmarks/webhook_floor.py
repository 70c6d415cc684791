"""The floor of webhooks: bare httpx posting the same bytes to the same receiver. Reads a job from standard input.

`{"url", "bodies": […], "headers": {…}, "connections"}` -> `{"rate"}` in requests per second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import httpx


async def main() -> None:
    """Posts every body once."""
    job = json.load(sys.stdin)
    bodies: Iterator[bytes] = iter([body.encode() for body in job["bodies"]])
    limits = httpx.Limits(max_connections=job["connections"], max_keepalive_connections=job["connections"])
    async with httpx.AsyncClient(limits=limits, timeout=15, trust_env=False) as client:

        async def post() -> None:
            for body in bodies:
                (await client.post(job["url"], content=body, headers=job["headers"])).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(job["connections"])))
        print(json.dumps({"rate": len(job["bodies"]) / (time.perf_counter() - began)}))


if __name__ == "__main__":
    asyncio.run(main())
