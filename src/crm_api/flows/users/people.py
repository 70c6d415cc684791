"""What signing in works with, as one value. Built once per process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from crm_api.core.clock import Clock
from crm_api.core.sealed import Keyring
from crm_api.db.engine import Database
from crm_api.flows.users.attempts import Attempts
from crm_api.flows.users.passwords import Passwords
from crm_api.settings import Settings

_CONNECTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class People:
    """The database, and what keeps passwords, failures and second factors.

    It has connections of its own: a flood of sign-ins takes none from the API, and a request of the API that already holds one
    may ask here without the danger that all wait for each other.
    """

    database: Database
    clock: Clock
    passwords: Passwords
    attempts: Attempts
    keys: Keyring

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> People:
        """As it is configured."""
        secret = (settings.secret_key or settings.database_url).encode()
        key = hashlib.blake2b(secret, digest_size=32, person=b"failed attempts").digest()
        database = Database(settings.database_url, pool_size=_CONNECTIONS, statement_timeout_ms=settings.statement_timeout_ms)
        passwords = Passwords(settings.password_memory_kib, settings.password_time_cost)
        return cls(database, clock, passwords, Attempts(key, clock), settings.keyring)

    async def close(self) -> None:
        """Ends its connections and threads."""
        self.passwords.close()
        await self.database.close()
