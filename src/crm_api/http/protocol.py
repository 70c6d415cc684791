"""HTTP connections that their own requests may cut."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT: Final = "crm.abort"
"""Scope key of what cuts the request's connection at once, whatever waits to be sent. A server may not have it."""


class Protocol(HttpToolsProtocol):
    """uvicorn's own, with a way out for answers that nobody takes: closing such a connection waits for its client, for ever."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[typeddict-unknown-key]  # the scope is open to additions
