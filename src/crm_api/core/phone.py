"""Telephone numbers in E.164, read with the organisation's region (numbering plans by Google's libphonenumber)."""

from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult


class Phone(NamedTuple):
    """A number as it was typed and as it is compared."""

    original: str
    e164: str
    extension: str | None

    @property
    def key(self) -> str:
        """What makes two entries the same line: `+4930123456`, with an extension `+4930123456;ext=12` (RFC 3966 §5.3)."""
        return self.e164 if self.extension is None else f"{self.e164};ext={self.extension}"


@lru_cache(maxsize=4096)
def normalize_phone(raw: str, region: str | None) -> Phone | None:
    """Reads a number written nationally (for `region`, ISO 3166-1 alpha-2) or internationally (`+` or `00`).

    None if it can't be a complete number. Lengths are checked, assigned ranges are not: plans change faster than
    their tables, and a number that someone was given must be storable.
    """
    text = raw.strip()
    if not text or len(text) > 100:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Phone(raw, e164, number.extension or None)
