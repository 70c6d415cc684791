"""The cache of compiled statements is bounded by number and by the length of the SQL."""

from __future__ import annotations

from crm_api.db.statement import Statement, StatementCache


def _noted(built: list[str], name: str) -> str:
    built.append(name)
    return name


def test_the_least_recently_used_goes_first() -> None:
    cache = StatementCache(size=2)
    built: list[str] = []

    def make(name: str) -> str:
        return cache.get(name, lambda: _noted(built, name))

    for name in ("a", "b", "a", "c", "a", "b"):
        assert make(name) == name
    assert built == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_long_statements_leave_room_for_fewer() -> None:
    cache = StatementCache(size=100, characters=1_000)
    for number in range(10):
        cache.put(number, Statement("x" * 400, ()))
    assert len(cache) == 2
    assert cache.peek(9) is not None
    assert cache.peek(7) is None
    cache.put("long", Statement("x" * 5_000, ()))
    assert len(cache) == 1  # what is in use is kept, however long
    cache.put("long", Statement("x" * 10, ()))
    cache.put("short", Statement("x" * 10, ()))
    assert len(cache) == 2
