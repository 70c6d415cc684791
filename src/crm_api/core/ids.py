"""UUIDv7 (RFC 9562 §5.7): ids that sort by time of creation, made without asking the database."""

import os
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from crm_api.core.clock import EPOCH, Clock

_FIXED: Final = (7 << 76) | (2 << 62)  # version and variant bits
_TAIL_BITS: Final = 74
_TAIL_MAX: Final = (1 << _TAIL_BITS) - 1
_LOW_62: Final = (1 << 62) - 1
_MAX_MS: Final = (1 << 48) - 1
_BACKWARDS_MS: Final = 10_000
_CANONICAL: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


class Uuid7Generator:
    """Makes UUIDs that only rise, also within one millisecond and when the clock is set back a little.

    RFC 9562 §6.2 method 2: the 74 random bits are a counter that rises by a random step while the millisecond stays.
    The step keeps ids unguessable and apart after a fork. A clock that falls back more than ten seconds is another
    timeline (a sandbox beside live time): it starts afresh instead of giving ids far in the future.
    """

    __slots__ = ("_lock", "_ms", "_tail")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = -1
        self._tail = 0

    def next(self, now: datetime) -> UUID:
        ms = _milliseconds(now)
        entropy = int.from_bytes(os.urandom(10), "big")
        with self._lock:
            if self._ms - _BACKWARDS_MS <= ms <= self._ms:
                tail = self._tail + (entropy >> 40) + 1  # a step of up to 2^40 leaves room for 2^33 ids a millisecond
                if tail > _TAIL_MAX:
                    self._ms += 1
                    tail = entropy >> 7
                ms = self._ms
            else:
                tail = entropy >> 7  # 73 bits: the top bit is left to the counter
                self._ms = ms
            self._tail = tail
        return UUID(int=(ms << 80) | ((tail >> 62) << 64) | (tail & _LOW_62) | _FIXED)


_process: Final = Uuid7Generator()


def uuid7(clock: Clock) -> UUID:
    """A new id, greater than every one this process made before. Thread-safe."""
    return _process.next(clock.now())


def uuid7_floor(at: datetime) -> UUID:
    """The smallest UUIDv7 of the millisecond that holds `at`: a bound for partitions and time ranges over ids."""
    return UUID(int=(_milliseconds(at) << 80) | _FIXED)


def uuid7_time(value: UUID) -> datetime:
    """The millisecond in which a UUIDv7 was made, in UTC. Raises ValueError for other versions and years over 9999."""
    if not is_uuid7(value):
        raise ValueError(f"{value} is not a UUIDv7")
    try:
        return EPOCH + timedelta(milliseconds=value.int >> 80)
    except OverflowError:
        raise ValueError(f"{value} lies after the year 9999") from None


def is_uuid7(value: UUID) -> bool:
    """Whether version and variant are those of RFC 9562 §5.7."""
    return (value.int >> 76) & 0xF == 7 and (value.int >> 62) & 0b11 == 0b10


def parse_uuid(text: str) -> UUID | None:
    """Reads the canonical spelling alone (36 characters with hyphens, either case); anything else is None.

    `uuid.UUID` also takes braces, `urn:uuid:` and hyphens anywhere; with those, one record would have many URLs.
    """
    if len(text) != 36 or _CANONICAL.fullmatch(text) is None:
        return None
    return UUID(int=int(text.replace("-", ""), 16))


def _milliseconds(at: datetime) -> int:
    # integer arithmetic: float timestamps put some instants into the millisecond before
    delta = (at if at.tzinfo is UTC else at.astimezone(UTC)) - EPOCH
    ms = delta.days * 86_400_000 + delta.seconds * 1_000 + delta.microseconds // 1_000
    if not 0 <= ms <= _MAX_MS:
        raise ValueError(f"{at} can't be the time of a UUIDv7")
    return ms
