"""A receiver of webhooks that answers at once and keeps when what came: `python -m benchmarks.webhook_receiver PORT`.

`GET /arrivals` gives what came since the last such request, as [[seconds since 1970, path, occurred_at], …].
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_MARK: Final = b'"occurred_at":"'

arrivals: list[tuple[float, str, str]] = []


class Receiver(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self) -> None:
        self.unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Whole requests are answered, parts wait for the rest."""
        self.unread += data
        while (end := self.unread.find(b"\r\n\r\n")) >= 0:
            head = self.unread[:end].lower()
            at = head.find(b"content-length:")
            length = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.unread) < end + 4 + length:
                return
            body, self.unread = self.unread[end + 4 : end + 4 + length], self.unread[end + 4 + length :]
            path = head.split(b" ", 2)[1].decode()
            if path == "/arrivals":
                found = json.dumps(arrivals).encode()
                arrivals.clear()
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(found) + found)
                continue
            place = body.find(_MARK)
            arrivals.append((time.time(), path, body[place + 15 : place + 42].decode() if place >= 0 else ""))
            self.transport.write(ANSWER)


async def main(port: int) -> None:
    """Serves until it is killed."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
