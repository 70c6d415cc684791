"""What becomes of an outgoing request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["address_not_allowed", "dns", "connect", "tls", "timeout", "protocol", "closed"]

UNREACHABLE: Final = "The address could not be reached."
_HIDDEN: Final = frozenset({"address_not_allowed", "dns", "connect"})


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the phases of a request took, in milliseconds; None for those that did not happen, such as connecting where an open
    connection was used again, or were not reached.

    `wait_ms` is from the request being written to the head of the answer, `read_ms` from there to the end of its body.
    """

    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    wait_ms: float | None = None
    read_ms: float | None = None
    total_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, cut to what was asked to be kept.

    `headers` are the first ones, in the order they came, names in lower case; `body` is as it was sent, compressed or not;
    `truncated` tells that there was more. `address` is the IP address that answered.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    address: str | None
    timings: Timings


class EgressFailed(Exception):
    """A request got no whole answer.

    `kind`, `timings`, `address` and the exception's own text are for our logs. Whoever named the address is told `text` and
    `shown_timings`: they are the same for one that is refused, unknown or dead, so that nobody can explore a network with them.
    """

    def __init__(self, kind: Kind, detail: str, *, timings: Timings | None = None, address: str | None = None) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: Kind = kind
        self.detail = detail
        self.timings = timings or Timings()
        self.address = address

    @property
    def connected(self) -> bool:
        """Whether there was a connection; before that, nothing is told."""
        return self.kind not in _HIDDEN and self.address is not None

    @property
    def text(self) -> str:
        """One sentence for whoever named the address."""
        return self.detail if self.connected else UNREACHABLE

    @property
    def shown_timings(self) -> Timings:
        """The timings for whoever named the address: the phases only once there was a connection."""
        return self.timings if self.connected else Timings(total_ms=self.timings.total_ms)

    @property
    def shown_address(self) -> str | None:
        """The IP address for whoever named the host: only once there was a connection."""
        return self.address if self.connected else None
