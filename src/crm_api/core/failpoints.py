"""Places at which a process can be made to die, so that tests show what is left behind and that others go on from it.

Nothing happens here unless `arm` was called, which the commands `serve` and `worker` do as they start, and unless two variables of the
environment ask for it: `CRM_FAILPOINT` names the place, and `CRM_FAILPOINTS_ENABLED` says `kill-this-process`, which nobody sets by
accident. Neither is a setting; who can set them could kill the process anyway. `CRM_FAILPOINT=picked` ends the process there as
`kill -9` does, `CRM_FAILPOINT=picked:stop` freezes it until it is sent SIGCONT. A place acts once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Final

POINTS: Final[Mapping[str, str]] = {
    "committed": "a change is committed, nobody is woken yet",
    "numbered": "events have their numbers, the dispatcher is not woken yet",
    "dispatching": "deliveries are written but not committed",
    "dispatched": "deliveries are committed, the sender is not woken yet",
    "taken": "an endpoint's lease is taken",
    "picked": "deliveries are picked, no request is made yet",
    "answered": "a request was answered, the result is only in memory",
    "storing": "results are written but not committed",
    "stored": "results are committed, nothing followed yet",
    "releasing": "an endpoint is given back, but that is not committed",
    "released": "an endpoint is given back",
}
"""The names, each with what is done and what is not when it is reached."""

ENABLED: Final = "kill-this-process"

_armed: str | None = None
_signal: signal.Signals = signal.SIGKILL


def reach(point: str) -> None:
    """Dies here if this is the armed place; otherwise nothing, for the cost of one comparison."""
    if point == _armed:
        _act()


def arm(environment: Mapping[str, str]) -> None:
    """Arms the place that the environment names. Raises ValueError for one that there is not."""
    global _armed, _signal
    if environment.get("CRM_FAILPOINTS_ENABLED") != ENABLED or not environment.get("CRM_FAILPOINT"):
        return
    point, _, how = environment["CRM_FAILPOINT"].partition(":")
    if point not in POINTS or how not in ("", "stop"):
        raise ValueError(f"CRM_FAILPOINT must be one of {', '.join(POINTS)}, with `:stop` behind it or nothing")
    _armed = point
    _signal = signal.SIGSTOP if how else signal.SIGKILL


def _act() -> None:
    global _armed
    _armed = None
    os.kill(os.getpid(), _signal)
