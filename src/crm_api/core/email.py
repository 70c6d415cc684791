"""E-mail addresses: how they are shown and by what they are equal."""

from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from crm_api.core.errors import InvalidValue


class Email(NamedTuple):
    """`display` keeps the writer's capitals in front of the @; `key` is equal for addresses that reach one mailbox."""

    display: str
    key: str


def normalize_email(raw: str) -> Email:
    """Checks the syntax (RFC 5321, RFC 6531) without asking the DNS, and gives display form and key.

    The key is casefolded with the domain in ASCII (IDNA). In theory the part before the @ is case-sensitive; no
    provider in use makes it so, and treating `A@x` and `a@x` as two contacts would only make duplicates.
    Raises InvalidValue `invalid_email` with a `reason`; names that are reserved for tests (`.test`, `localhost`) are
    refused, `.example` is not.
    """
    try:
        address = validate_email(raw.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidValue("invalid_email", reason=str(error)) from None
    domain = address.ascii_domain.lower()
    return Email(address.normalized, f"{address.local_part.casefold()}@{domain}")
