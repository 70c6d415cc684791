"""Full-text queries: a user's words as PostgreSQL's `tsquery`."""

from __future__ import annotations

import re

from crm_api.core.errors import InvalidValue
from crm_api.core.phone import normalize_phone
from crm_api.core.text import check_text, fold, folded_words

MAX_TEXT = 256
MAX_WORDS = 32
_NUMBER = re.compile(r"[+(]?\d[\d\s()./+-]{4,}")


def text_query(raw: object, region: str) -> str:
    """All the words, each as a prefix. What looks like a telephone number is also found as one, however it is written.

    Raises InvalidValue.
    """
    if not isinstance(raw, str):
        raise InvalidValue("type", expected="string")
    if len(raw) > MAX_TEXT:
        raise InvalidValue("max_length", max_length=MAX_TEXT)
    words = folded_words(fold(check_text(raw)))
    if not words:
        raise InvalidValue("min_length", min_length=1)
    if len(words) > MAX_WORDS:
        raise InvalidValue("too_many_items", max_items=MAX_WORDS)
    query = " & ".join(f"{word}:*" for word in words)
    return " | ".join([query, *(f"{number}:*" for number in numbers_in(raw, region))])


def numbers_in(raw: str, region: str) -> list[str]:
    """The digits of a telephone number, as typed and in E.164; none if the text is something else."""
    text = raw.strip()
    if _NUMBER.fullmatch(text) is None:
        return []
    phone = normalize_phone(text, region)
    digits = "".join(filter(str.isdigit, text))
    return list(dict.fromkeys([digits] if phone is None else [digits, phone.e164.removeprefix("+")]))
