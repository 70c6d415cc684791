"""Places in an order made by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.fractions import place_after, place_at_end, place_between

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_there_is_always_room(insertions: list[int]) -> None:
    places = [place_at_end(NOW, number) for number in range(3)]
    for where in insertions:
        at = where % (len(places) + 1)
        low = places[at - 1] if at else ""
        high = places[at] if at < len(places) else None
        made = place_between(low, high)
        assert low < made
        assert high is None or made < high
        assert not made.endswith("0")
        places.insert(at, made)


def test_later_is_behind() -> None:
    first, second = place_at_end(NOW, 9_000), place_at_end(NOW + timedelta(microseconds=1), 0)
    assert place_at_end(NOW, 0) < first < second
    assert len(first) == len(second)


def test_no_room_between_equals() -> None:
    with pytest.raises(ValueError, match="no place"):
        place_between("a", "a")


def test_places_stay_short() -> None:
    low, high = place_at_end(NOW, 0), place_at_end(NOW, 1)
    for _ in range(100):
        high = place_between(low, high)
    assert len(high) < 40


def test_behind_the_last_stays_short_and_behind() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    places: list[str] = ["zzzz"]
    for _ in range(2_000):  # always at the same instant, as in one transaction
        places.append(place_after(places[-1], now))
    assert places == sorted(set(places))
    assert max(map(len, places)) <= 13
    assert place_after(None, now) == place_at_end(now, 0) == place_after("1", now)
    assert place_after("z" * 12, now) > "z" * 12
    assert place_between(places[5], places[6]) not in places
