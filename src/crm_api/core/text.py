"""The folded key by which text is compared, sorted and found, and the trigrams of that key.

The database compares bytes (`COLLATE "C"`) so that every server sorts alike; what makes `Émile` equal `emile` happens
here, once per write. Changing `fold` or `trigrams` needs a rewrite of all stored keys.
"""

import re
from typing import Final
from unicodedata import combining, normalize

from crm_api.core.errors import InvalidValue

MAX_WORD: Final = 64
"""Characters of a word that full text looks at; no real word is longer, and PostgreSQL refuses those beyond 2 KB."""

_FORBIDDEN: Final = re.compile("[\x00\ud800-\udfff]")
_WORD: Final = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """NFKD, combining marks removed, casefolded; spaces and punctuation stay.

    Works character by character, so `fold(a + b) == fold(a) + fold(b)`: a part of a text stays a part of its key. That
    is what lets `contains`, `starts_with` and `ends_with` run on keys.
    """
    if text.isascii():
        return text.lower()
    return "".join([c for c in normalize("NFKD", text) if not combining(c)]).casefold()


def trigrams(text: str) -> list[str]:
    """All distinct three-character parts of the folded text, sorted; empty for a key shorter than three.

    Parts cross spaces and nothing is padded. So with stored arrays `t` and a query `q` whose key has at least three
    characters: if the text contains `q`, then `t` contains every element of `trigrams(q)` (`t @> trigrams(q)`, which a
    GIN index answers). The converse doesn't hold, so the key itself is compared after.
    """
    return folded_trigrams(fold(text))


def folded_trigrams(key: str) -> list[str]:
    """`trigrams` of a text that is folded already."""
    return sorted(set(map("".join, zip(key, key[1:], key[2:], strict=False))))


def folded_words(key: str) -> list[str]:
    """The words of a folded text, as stored texts and queries alike are split: runs of letters and digits.

    `ada@acme.example` is three words, `jean-luc` two. PostgreSQL's own parser takes each of them as one token, so what it
    sees as an e-mail address, a host name or a signed number in the text they come from plays no part.
    """
    words = _WORD.findall(key)
    return words if len(key) <= MAX_WORD else [word[:MAX_WORD] for word in words]


def check_text(text: str) -> str:
    """Returns the text unless it holds NUL or an unpaired surrogate, which no PostgreSQL text can store.

    Raises InvalidValue `invalid_characters`.
    """
    if ("\x00" in text) if text.isascii() else _FORBIDDEN.search(text):
        raise InvalidValue("invalid_characters")
    return text
