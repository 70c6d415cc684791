"""What signing in works with, as one value. Built once per process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from crm_api.core.clock import Clock
from crm_api.core.sealed import Keyring
from crm_api.db.engine import Database
from crm_api.flows.users.attempts import Attempts
from crm_api.flows.users.passwords import Passwords
from crm_api.settings import Settings


@dataclass(frozen=True, slots=True)
class People:
    """The database, and what keeps passwords, failures and second factors."""

    database: Database
    clock: Clock
    passwords: Passwords
    attempts: Attempts
    keys: Keyring

    @classmethod
    def of(cls, settings: Settings, database: Database, clock: Clock) -> People:
        """As it is configured."""
        secret = (settings.secret_key or settings.database_url).encode()
        key = hashlib.blake2b(secret, digest_size=32, person=b"failed attempts").digest()
        passwords = Passwords(settings.password_memory_kib, settings.password_time_cost)
        return cls(database, clock, passwords, Attempts(key, clock), settings.keyring)
