"""Texts of errors in the languages the API speaks, and the choice of language (RFC 9110 §12.5.4).

Only titles and messages are translated. Codes and params are the same in every language, so programs read those.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from crm_api.core.accept import weighted
from crm_api.core.messages_de import FIELD_MESSAGES_DE, TITLES_DE
from crm_api.core.problem_types import PROBLEMS

DEFAULT_LANGUAGE: Final = "en"

#: Codes of single mistakes (`errors[].code`) with the English template of the message.
FIELD_CODES: Final[dict[str, str]] = {
    "required": "This field is required.",
    "unknown_field": "There is no such field.",
    "unknown_parameter": "There is no such parameter.",
    "unknown_operator": "There is no such operator for this field.",
    "unknown_relation": "There is no such relation.",
    "unknown_view": "There is no such view.",
    "read_only": "This field is read-only.",
    "field_read_only": "Your profile allows to read this field, not to write it.",
    "not_filterable": "This field can't be used in a filter.",
    "not_sortable": "This field can't be used to sort.",
    "sort_not_indexed": "No index serves this order.",
    "type": "The value must be of type {expected}.",
    "null_not_allowed": "The value must not be null.",
    "min": "The value must be at least {min}.",
    "max": "The value must be at most {max}.",
    "exclusive_min": "The value must be greater than {min}.",
    "exclusive_max": "The value must be less than {max}.",
    "min_length": "At least {min_length} characters are needed.",
    "max_length": "At most {max_length} characters are allowed.",
    "min_items": "At least {min_items} items are needed.",
    "too_many_items": "At most {max_items} items are allowed.",
    "repeated_item": "The same item appears more than once.",
    "digits": "At most {scale} digits are allowed after the decimal point.",
    "max_digits": "At most {max_digits} digits are allowed.",
    "pattern": "The value does not have the form asked for: {pattern}",
    "enum": "The value is not one of those allowed.",
    "multiple_of": "The value must be a multiple of {multiple_of}.",
    "invalid_email": "This is not an e-mail address: {reason}",
    "invalid_phone": "This is not a telephone number.",
    "invalid_url": "This is not a web address (http or https).",
    "url_too_long": "An address may have at most {max_bytes} bytes.",
    "fragment_in_url": "An address for requests has no fragment (#…).",
    "ambiguous_host": "Write an IP address in its usual form, such as 192.0.2.1.",
    "invalid_host": "This is not the name or IP address of a server.",
    "address_not_allowed": "This address leads to a network that requests may not be sent to.",
    "port_not_allowed": "Requests may not be sent to this port.",
    "invalid_redirect_uri": "This redirect URI can't be registered: {reason}",
    "invalid_network": "This is not a network in CIDR notation: {reason}",
    "wider_than_token": "This goes beyond what the calling token may do.",
    "https_required": "The address must begin with https://.",
    "credentials_in_url": "A name or password does not belong in an address.",
    "invalid_domain": "This is not a domain name.",
    "invalid_date": "This is not a date of the form YYYY-MM-DD: {reason}",
    "invalid_timestamp": "This is not an RFC 3339 timestamp with an offset: {reason}",
    "invalid_duration": "This is not an ISO 8601 duration such as P30D or PT1H.",
    "invalid_period": "This is neither a relative period nor a duration.",
    "invalid_time_zone": "There is no such time zone; use an IANA name such as Europe/Berlin.",
    "invalid_language": "This is not a language tag such as en or de-CH.",
    "invalid_currency": "This is not an ISO 4217 currency code.",
    "invalid_country": "This is not an ISO 3166-1 alpha-2 country code.",
    "invalid_decimal": 'Decimals are strings of digits with an optional sign and decimal point, such as "1000.50".',
    "invalid_number": "This is not a number.",
    "invalid_boolean": "This must be true or false.",
    "invalid_uuid": "This is not a UUID.",
    "invalid_id": "An id given by the client must be a UUIDv7.",
    "invalid_characters": "The text contains NUL or an unpaired surrogate.",
    "invalid_json": "This is not valid JSON: {reason}",
    "invalid_utf8": "The text is not valid UTF-8.",
    "invalid_header": "The header can't be understood: {reason}",
    "invalid_etag": "This is not an entity tag (RFC 9110 §8.8.3).",
    "invalid_cursor": "The cursor is not valid here: {reason}",
    "invalid_filter": "The filter can't be understood: {reason}",
    "invalid_pattern": "The pattern can't be understood: {reason}",
    "invalid_combination": "This can't be combined with {other}.",
    "invalid_path": "There is no such path.",
    "invalid_body": "The request needs a JSON {expected} as its body.",
    "json_depth": "JSON may be nested {max} levels deep at most.",
    "body_not_allowed": "This request takes no body.",
    "repeated_parameter": "This parameter may be given once.",
    "not_found_reference": "There is no such record.",
    "unresolved_reference": "No record has this value.",
    "ambiguous_reference": "More than one record has this value.",
    "deleted_reference": "The record it refers to is deleted.",
    "wrong_object": "The record it refers to is of another object; expected {expected}.",
    "own_currency": "{currency} is the organisation's own currency, which needs no rate.",
    "no_exchange_rate": "There is no exchange rate of {currency} for this day.",
    "mixed_currencies": "Amounts in several currencies can't be taken together: {currencies}.",
    "too_many_hops": "At most {max} relations may be crossed.",
    "filter_depth": "A filter may be nested {max} levels deep at most.",
    "filter_conditions": "A filter may have {max} conditions at most.",
    "expand_depth": "Expansions may be nested {max} levels deep at most.",
    "cycle": "This would make the record its own ancestor.",
    "duplicate": "This value is already taken.",
    "reserved_name": "This name is reserved.",
    "immutable": "This field can't be changed once it is set.",
    "one_of_required": "At least one of these fields is required: {fields}.",
    "exactly_one_primary": "Exactly one must be primary.",
    "required_on_enter": "The target stage requires this field.",
    "required_on_lost": "A lost deal needs a reason.",
    "illegal_transition": "It can't change from {from} to this value.",
    "has_children": "Other records refer to it.",
    "in_use": "It is in use by {count} records.",
    "formula_syntax": "The formula can't be understood at line {line}, column {column}: {found} is not expected there.",
    "formula_type": "At line {line}, column {column} of the formula, {expected} is expected, not {found}.",
    "formula_field_type": "The field at line {line}, column {column} can't be used in a formula.",
    "formula_function": "There is no function {name} (line {line}, column {column} of the formula).",
    "formula_arguments": "The function at line {line}, column {column} of the formula is written {usage}.",
    "formula_constant": "At line {line}, column {column} of the formula a whole number from {min} to {max} has to be written out.",
    "formula_text_constant": "At line {line}, column {column} of the formula a text has to be written out.",
    "formula_null": "Nothing equals null (line {line}, column {column} of the formula); ask is_null(…).",
    "formula_depth": "A formula may be nested {max} levels deep at most.",
    "formula_size": "A formula may have {max} parts at most.",
    "formula_cycle": "The formulas would depend on each other: {path}.",
    "formula_chain": "At most {max} formulas and roll-ups may follow from one another.",
    "formula_broken": "The field {field} would no longer make sense: {reason}",
    "formula_volatile": "The field {field} uses this one; it can't begin or cease to depend on the present moment.",
    "rollup_volatile": "A roll-up can't depend on the present moment.",
    "rollup_filter": "A roll-up's filter can only look at the related records' own fields, not at {field}.",
    "not_for_type": "A field of type {type} has no {property}.",
    "name_taken": "The name {name} is already taken.",
    "standard_field": "Of a standard field only label, help and sensitivity can be changed.",
    "field_used": "{kind} {name} uses the field.",
    "object_used": "{name} refers to the object.",
    "not_unique": "The value {value} appears more than once.",
    "busy": "A job is still at work on the field.",
    "password_common": "Passwords like this one are tried first. Choose another.",
    "password_personal": "The password must not be made from your e-mail address.",
    "wrong_password": "This is not your present password.",
    "wrong_code": "The code is wrong, or it was used already.",
    "field_forbidden": "You may not read or write this field.",
    "limit": "The limit is {max}.",
    "suppressed": "This address belongs to somebody who was erased.",
    "exactly_one_of": "Exactly one of these is needed: {fields}.",
    "without_read": "Other actions need the action read too.",
    "needed_to_create": "Nobody can create a record without this field, and the profile allows to create.",
    "in_the_future": "The time must not be in the future.",
}

_TITLES_EN: Final = {code: problem.title for code, problem in PROBLEMS.items()}
_TITLES: Final[dict[str, Mapping[str, str]]] = {"en": _TITLES_EN, "de": TITLES_DE}
_FIELD_MESSAGES: Final[dict[str, Mapping[str, str]]] = {"en": FIELD_CODES, "de": FIELD_MESSAGES_DE}


class _Params(dict[str, object]):
    """A template whose param was not given keeps the rest of the sentence."""

    def __missing__(self, key: str) -> str:
        return "…"


def title(code: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The title of a problem, in English where the language has none."""
    return _TITLES.get(language, _TITLES_EN).get(code) or _TITLES_EN[code]


def field_message(code: str, params: Mapping[str, object] | None = None, language: str = DEFAULT_LANGUAGE) -> str:
    """The sentence for one mistake; an unknown code is its own message."""
    template = _FIELD_MESSAGES.get(language, FIELD_CODES).get(code) or FIELD_CODES.get(code)
    if template is None:
        return code
    if "{" not in template:
        return template
    return template.format_map(_Params(params or {})).removesuffix(": …")


def language_of(locale: str) -> str:
    """The language of texts for people of this locale: their own if the API speaks it, else English."""
    primary = locale.partition("-")[0].lower()
    return primary if primary in _TITLES else DEFAULT_LANGUAGE


@lru_cache(maxsize=512)
def negotiate(accept_language: str | None, default: str = DEFAULT_LANGUAGE) -> str:
    """The best language for an `Accept-Language` header; `default` when nothing fits or the header is damaged.

    Basic filtering by primary subtag (RFC 4647 §3.3.1): `de-AT` is served by `de`. A damaged range is skipped rather
    than refused, because browsers send this header without the user's doing.
    """
    best, best_quality = default, 0.0
    refused: set[str] = set()
    for name, quality in weighted(accept_language or ""):
        primary = name.partition("-")[0]
        if quality == 0:
            refused.add(primary)
            continue
        if primary == "*":
            primary = default if default not in refused else primary
        if primary in _TITLES and quality > best_quality:
            best, best_quality = primary, quality
    return best
