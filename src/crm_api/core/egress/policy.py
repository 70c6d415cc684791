"""What outgoing requests may reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crm_api.core.egress.addresses import Address, Network, is_public, within
from crm_api.core.networks import parse_network

PORTS: Final = frozenset({443, 8443})


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """`allow` are networks that are reached although they are private, over `http` as well, and on any port. Everything else must be
    public, `https`, and on one of `ports`."""

    allow: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS

    @classmethod
    def of(cls, allow: Iterable[Network], ports: Iterable[int]) -> EgressPolicy:
        """From settings; IPv4 networks in IPv6 form become IPv4 ones."""
        return cls(tuple(parse_network(str(network)) for network in allow), frozenset(ports))

    def excepted(self, address: Address) -> bool:
        """Whether an address lies in a network that is reached on purpose."""
        return within(address, self.allow)

    def reaches(self, address: Address) -> bool:
        """Whether an address may be dialled at all."""
        return self.excepted(address) or is_public(address)
