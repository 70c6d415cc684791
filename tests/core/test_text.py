import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.errors import InvalidValue
from crm_api.core.text import check_text, fold, trigrams

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MIXED = st.text(st.sampled_from("aAbB éÉßẞİıΣσςçÇ\u0301\u0308ﬁǅ가がŉ¼日 .-"))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ada KING", "ada king"),
        ("Émile", "emile"),
        ("E\u0301mile", "emile"),
        ("Straße", "strasse"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("ﬁn ½", "fin 1⁄2"),
        ("İstanbul", "istanbul"),
        ("Ｆｕｌｌ", "full"),
    ],
)
def test_fold(text: str, key: str) -> None:
    assert fold(text) == key


@given(TEXT | MIXED)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT | MIXED, TEXT | MIXED)
def test_a_part_of_a_text_stays_a_part_of_its_key(a: str, b: str) -> None:
    assert fold(a + b) == fold(a) + fold(b)


@given(MIXED | TEXT, MIXED | TEXT, MIXED | TEXT)
def test_the_trigrams_of_a_part_are_among_those_of_the_whole(before: str, part: str, after: str) -> None:
    assert set(trigrams(part)) <= set(trigrams(before + part + after))


@given(MIXED | TEXT)
def test_trigrams_are_sorted_distinct_and_all_there(text: str) -> None:
    key = fold(text)
    assert trigrams(text) == sorted({key[i : i + 3] for i in range(len(key) - 2)})


def test_trigrams_of_short_texts() -> None:
    assert trigrams("ab") == []
    assert trigrams("ABC abc") == [" ab", "abc", "bc ", "c a"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "é\x00", "\ud800", "x\udfffé"])
def test_what_the_database_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_text(text)
    assert caught.value.code == "invalid_characters"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_everything_else_passes(text: str) -> None:
    assert check_text(text) is text
