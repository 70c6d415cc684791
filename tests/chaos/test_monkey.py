"""Real processes are killed and frozen while records change: no event is lost, none is invented, order holds, nothing is left behind.

`make chaos` does the long run: at least a hundred processes killed, about ten minutes, the seed by chance (CRM_CHAOS_SEED repeats one,
CRM_CHAOS_KILLS sets how many).
"""

from __future__ import annotations

import os

import pytest

from tests.chaos.campaign import Outcome, run, seed_of
from tests.chaos.processes import stack

pytestmark = pytest.mark.chaos


def prove(outcome: Outcome) -> None:
    print(outcome.summary(), flush=True)
    assert not outcome.finding.wrong, "\n".join([outcome.summary(), *outcome.finding.wrong[:50]])
    assert not any(outcome.stuck.values()), outcome.summary()
    assert outcome.worst <= outcome.allowed, outcome.summary()
    assert outcome.finding.missing == 0


def test_a_minute_of_kills_loses_nothing() -> None:
    everything = ["kill a worker", "freeze the API", "kill PostgreSQL", "flush Valkey", "kill the API", "kill Valkey and lose its data",
                  "freeze a worker", "kill a worker"]  # fmt: skip
    with stack() as made:
        outcome = run(made, seed_of(8), [everything], pause_s=0.6, rate=8)
    assert outcome.kills >= 5
    prove(outcome)


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing() -> None:
    with stack() as made:
        outcome = run(made, seed_of(), [[None] * 10], pause_s=1.2, rate=5, kills=int(os.environ.get("CRM_CHAOS_KILLS", "100")))
    prove(outcome)
