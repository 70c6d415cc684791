"""Criteria patterns: what they mean, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.errors import InvalidValue
from crm_api.kernel.pattern import MAX_NESTING, combine

ABC = [{"field": name} for name in "abc"]
A, B, C = ABC


@pytest.mark.parametrize(
    ("pattern", "tree"),
    [
        ("(1 and 2) or 3", {"or": [{"and": [A, B]}, C]}),
        ("1 and (2 or 3)", {"and": [A, {"or": [B, C]}]}),
        ("1 and 2 or 3", {"or": [{"and": [A, B]}, C]}),
        ("1 or 2 and 3", {"or": [A, {"and": [B, C]}]}),
        ("NOT 1 And(2)OR not not 3", {"or": [{"and": [{"not": A}, B]}, {"not": {"not": C}}]}),
        ("1 and 2 and 3 and 1", {"and": [A, B, C, A]}),
        ("((1)) or ((2 or 3))", {"or": [A, {"or": [B, C]}]}),
    ],
)
def test_what_patterns_mean(pattern: str, tree: dict[str, Any]) -> None:
    assert combine(ABC, pattern) == tree


def test_without_a_pattern_all_conditions_hold() -> None:
    assert combine(ABC, None) == {"and": ABC}
    assert combine([A], None) == A
    assert combine([], None) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("1 and 2", "condition 3 is not used"),
        ("1 and 2 and 3 and 4", "there is no condition 4"),
        ("0 or 1 and 2 and 3", "there is no condition 0"),
        ("1 and 2 and 3 and 999999999999999999999", "there is no condition 99999"),
        ("1 and", "it ends too early"),
        ("", "it ends too early"),
        ("(1 and 2 or 3", "a parenthesis is not closed"),
        ("1 and 2 or 3)", "“)” was not expected"),
        ("1 2 3", "“2” was not expected"),
        ("1 xor 2 or 3", "“xor” was not expected"),
        ("1 & 2 | 3", "“&” was not expected"),
        ("and 1", "“and” was not expected"),
        ("(" * 50 + "1" + ")" * 50, f"it is nested more than {MAX_NESTING} levels deep"),
    ],
)
def test_what_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        combine(ABC, pattern)
    assert (caught.value.code, caught.value.params) == ("invalid_pattern", {"reason": reason})


def _value(tree: Any, facts: dict[str, bool]) -> bool:
    if "field" in tree:
        return facts[tree["field"]]
    if "not" in tree:
        return not _value(tree["not"], facts)
    word = "and" if "and" in tree else "or"
    return (all if word == "and" else any)(_value(item, facts) for item in tree[word])


_patterns = st.recursive(
    st.sampled_from(["1", "2", "3"]),
    lambda inner: st.one_of(
        inner.map(lambda p: f"not {p}" if p.isdigit() else f"not ({p})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
    ),
    max_leaves=8,
)


@given(_patterns, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_they_mean_what_python_takes_them_for(pattern: str, facts: tuple[bool, bool, bool]) -> None:
    whole = f"({pattern}) and (1 or 2 or 3 or not 1)"
    names = dict(zip("abc", facts, strict=True))
    python = whole
    for number, name in (("1", "a"), ("2", "b"), ("3", "c")):
        python = python.replace(number, name)
    assert _value(combine(ABC, whole), names) is eval(python, {}, names)
