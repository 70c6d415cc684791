"""What rules of objects ask about addresses before they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.egress.resolver import Resolver, SystemResolver
from crm_api.core.egress.urls import check_host, check_url
from crm_api.core.errors import InvalidValue


class EgressGuard:
    """The policy of this deployment, and what resolves names for it. One for a process, found as `context.egress`."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver | None = None) -> None:
        self.policy = policy
        self.resolver: Resolver = resolver or SystemResolver()

    async def check_url(self, url: str) -> None:
        """Raises InvalidValue if requests may not be sent there; see `urls.check_url`."""
        await check_url(url, self.policy, self.resolver)

    async def faults(self, urls: Iterable[str], hosts: Iterable[str] = ()) -> Mapping[str, InvalidValue]:
        """What is wrong with each address and host that may not be used. All are looked up at once, so that many take no longer than
        one."""
        asked = dict.fromkeys(hosts, self.check_host) | dict.fromkeys(urls, self.check_url)  # no text is both
        found = await asyncio.gather(*(_fault(check, text) for text, check in asked.items()))
        return {text: fault for text, fault in zip(asked, found, strict=True) if fault is not None}

    async def check_host(self, host: str) -> None:
        """The same for a host that is reached by another protocol than HTTP: raises InvalidValue `invalid_host`, `ambiguous_host` or
        `address_not_allowed`. Any port goes."""
        await check_host(host, self.policy, self.resolver)


async def _fault(check: Callable[[str], Awaitable[None]], text: str) -> InvalidValue | None:
    try:
        await check(text)
    except InvalidValue as fault:
        return fault
    return None


NO_EXCEPTIONS: Final = EgressGuard(EgressPolicy())
"""Public addresses only."""
