"""E-mail addresses: how they are shown and by what they are equal."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from crm_api.core.errors import InvalidValue


class Email(NamedTuple):
    """`display` keeps the writer's capitals in front of the @; `key` is equal for addresses that reach one mailbox."""

    display: str
    key: str


_DOT_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64})*", re.ASCII)


def normalize_email(raw: str) -> Email:
    """Checks the syntax (RFC 5321, RFC 6531) without asking the DNS, and gives display form and key.

    The key is casefolded with the domain in ASCII (IDNA). In theory the part before the @ is case-sensitive; no
    provider in use makes it so, and treating `A@x` and `a@x` as two contacts would only make duplicates.
    Raises InvalidValue `invalid_email` with a `reason`; names that are reserved for tests (`.test`, `localhost`) are
    refused, `.example` is not.
    """
    text = raw.strip()
    local, _, host = text.rpartition("@")
    if len(local) <= 64 and len(text) <= 254 and _DOT_ATOM.fullmatch(local) and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES:
        # nearly all addresses: what is left to check is the domain, and domains repeat
        domains = _domain(host)
        if domains is not None and len(local) + len(domains[1]) < 254:
            return Email(f"{local}@{domains[0]}", f"{local.lower()}@{domains[1]}")
    try:
        address = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidValue("invalid_email", reason=str(error)) from None
    domain = address.ascii_domain.lower()
    return Email(address.normalized, f"{address.local_part.casefold()}@{domain}")


@lru_cache(maxsize=4096)
def _domain(host: str) -> tuple[str, str] | None:
    """A domain as shown and in ASCII, or None if no address can have it."""
    try:
        address = validate_email(f"a@{host}", check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    return address.domain, address.ascii_domain.lower()
