"""Request limits per credential, counted in Valkey so that every process sees the same numbers.

A fixed window per credential that begins with its first request. One Lua script per request counts and decides in one
step, so parallel requests can't overspend; a refused request is not counted. Without Valkey nothing is refused: the API
goes on serving, `crm_rate_limit_failures_total` tells, and the answers state the policy as if nothing had been spent.

Headers follow draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`) and RFC 9110 10.2.3 (`Retry-After`).
"""

import hashlib
from dataclasses import dataclass
from math import ceil
from typing import Final, Protocol

from crm_api.core.errors import RateLimited
from crm_api.http.middleware.headers import RawHeaders
from crm_api.http.valkey import Valkey, ValkeyDown, ValkeyError

_PREFIX: Final = "crm:rate:"

# KEYS[1] the credential's counter; ARGV cost, limit, window in ms. Answers spent so far, ms left, 1 if allowed.
_SCRIPT: Final = """
local cost, limit, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spent = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then spent, left = 0, window end
if spent + cost > limit and spent > 0 then return {spent, left, 0} end
if spent == 0 then redis.call('SET', KEYS[1], cost, 'PX', window) else redis.call('INCRBY', KEYS[1], cost) end
return {spent + cost, left, 1}
"""
_SHA: Final = hashlib.sha1(_SCRIPT.encode("ascii"), usedforsecurity=False).hexdigest()


class LimiterCounters(Protocol):
    """What the limiter reports; the metrics implement it."""

    def rate_limit_failed(self) -> None: ...
    def rate_limited(self) -> None: ...


class _Silent:
    def rate_limit_failed(self) -> None: ...
    def rate_limited(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RateState:
    """How a credential stands after one request. `reset_s` is the seconds until the window ends."""

    allowed: bool
    remaining: int
    reset_s: int
    policy: bytes | None

    def headers(self) -> RawHeaders:
        """`RateLimit-Policy` and `RateLimit`; nothing where limits are off."""
        if self.policy is None:
            return []
        return [(b"ratelimit-policy", self.policy), (b"ratelimit", b'"default";r=%d;t=%d' % (self.remaining, self.reset_s))]

    def require(self) -> None:
        """Raises `RateLimited` (429 with `Retry-After`) if the request was one too many."""
        if not self.allowed:
            raise RateLimited(max(1, self.reset_s))


class RateLimiter:
    """Counts the cost of requests. `rate` is (cost, seconds), or None for no limits."""

    def __init__(self, valkey: Valkey | None, rate: tuple[int, int] | None, counters: LimiterCounters | None = None) -> None:
        self._valkey = valkey
        self._counters: LimiterCounters = counters or _Silent()
        self._limit, self._window_s = rate or (0, 0)
        self._window_ms = self._window_s * 1000
        policy = None if rate is None else b'"default";q=%d;w=%d' % rate
        self._policy = policy
        self.untouched = RateState(True, self._limit, self._window_s, policy)
        """The state of a credential that has spent nothing: for answers that no credential was charged for."""

    async def check(self, key: str, cost: int = 1) -> RateState:
        """Charges `cost` to the credential `key` and tells how it stands. Never raises and never waits for a dead Valkey.

        A single request that costs more than the whole limit passes if the window is otherwise unused, or it never could.
        """
        if self._policy is None:
            return self.untouched
        valkey = self._valkey
        if valkey is None:
            return self.untouched
        name = _PREFIX + key
        try:
            try:
                reply = await valkey.call("EVALSHA", _SHA, 1, name, cost, self._limit, self._window_ms)
            except ValkeyError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
                reply = await valkey.call("EVAL", _SCRIPT, 1, name, cost, self._limit, self._window_ms)
            spent, left_ms, allowed = reply
        except (ValkeyDown, ValkeyError):
            self._counters.rate_limit_failed()
            return self.untouched
        if not allowed:
            self._counters.rate_limited()
        return RateState(bool(allowed), max(0, self._limit - spent), ceil(left_ms / 1000), self._policy)
