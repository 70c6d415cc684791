"""Who is meant: the records of one person among contacts and leads.

They are the record that was named, what was merged into it or it into, the contact that a lead became and the lead that a
contact came from, and whoever has the same e-mail address (or telephone number, if that is asked for: numbers are often shared).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from crm_api.core.errors import TooExpensive
from crm_api.core.text import fold
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.event_catalog import PEOPLE
from crm_api.kernel.suppression import Address, addresses_of, email_key

MatchOn = Literal["email", "phone"]
OBJECTS: Final = PEOPLE
MAX_PEOPLE: Final = 100
"""Records that one request may be about. More share an address only where it is nobody's own."""

_SHORTEST: Final = 4
_LONGEST: Final = 200
_ENVELOPE: Final = frozenset({"object", "version", "created_by", "updated_by", "kind", "currency", "custom_fields_key", "type"})

# Further addresses stand in a list without an index, so this reads all contacts of the organisation: it is a job's.
_CONTACTS: Final = Statement(
    """
    SELECT t.id, to_jsonb(t) - 'search' - 'search_text' - 'trigrams' AS row FROM contacts t WHERE t.org_id = $1
       AND (t.id = ANY($2::uuid[]) OR t.merged_into = ANY($2::uuid[]) OR t.email_key = ANY($3::text[]) OR t.phone_key = ANY($4::text[])
            OR (t.emails <> '[]'::jsonb
                AND EXISTS (SELECT FROM jsonb_array_elements(t.emails) m WHERE lower(m ->> 'address') = ANY($3::text[])))
            OR t.id IN (SELECT l.converted_contact_id FROM leads l WHERE l.org_id = $1 AND l.id = ANY($5::uuid[])))
     ORDER BY t.id LIMIT $6
    """,
    ("org_id", "contacts", "emails", "phones", "leads", "limit"),
)
_LEADS: Final = Statement(
    """
    SELECT t.id, to_jsonb(t) - 'search' - 'search_text' - 'trigrams' AS row FROM leads t WHERE t.org_id = $1
       AND (t.id = ANY($5::uuid[]) OR t.merged_into = ANY($5::uuid[]) OR t.email_key = ANY($3::text[]) OR t.phone_key = ANY($4::text[])
            OR t.converted_contact_id = ANY($2::uuid[]))
     ORDER BY t.id LIMIT $6
    """,
    ("org_id", "contacts", "emails", "phones", "leads", "limit"),
)


@dataclass(slots=True)
class People:
    """The records of one person, the addresses by which they are known, and what else would give them away.

    `texts` (addresses, names, ids in other systems) are looked for anywhere, `values` (whatever their fields hold) only as whole
    values in what is kept for days.
    """

    contacts: set[UUID] = field(default_factory=set)
    leads: set[UUID] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[UUID]:
        """All of them."""
        return sorted(self.contacts | self.leads)

    @property
    def addresses(self) -> list[Address]:
        """E-mail addresses and telephone numbers."""
        return [*(("email", key) for key in sorted(self.emails)), *(("phone", key) for key in sorted(self.phones))]

    def of(self, object_name: str) -> set[UUID]:
        """Those of one object."""
        return self.contacts if object_name == "contacts" else self.leads

    def json(self) -> dict[str, Any]:
        """As it is kept with a job while that is at work."""
        return {name: sorted(str(value) for value in getattr(self, name)) for name in self.__slots__}

    @classmethod
    def read(cls, kept: Mapping[str, Sequence[str]]) -> People:
        """The same, out of a job."""
        contacts, leads = ({UUID(text) for text in kept.get(name, ())} for name in OBJECTS)
        emails, phones, texts, values = (set(kept.get(name, ())) for name in ("emails", "phones", "texts", "values"))
        return cls(contacts, leads, emails, phones, texts, values)


async def find(context: Context, people: People, match_on: Sequence[MatchOn]) -> People:
    """Everybody who is the same person, as far as the records tell. Raises TooExpensive for more than `MAX_PEOPLE` records."""
    region = context.principal.organization.region
    found = People.read(people.json())
    known: tuple[int, ...] = ()
    while known != (size := (len(found.ids), len(found.emails), len(found.phones))):
        known = size
        values = {
            "org_id": context.uow.org_id,
            "contacts": list(found.contacts),
            "leads": list(found.leads),
            "emails": list(found.emails) if "email" in match_on else [],
            "phones": list(found.phones) if "phone" in match_on else [],
            "limit": MAX_PEOPLE + 1,
        }
        for name, statement in (("contacts", _CONTACTS), ("leads", _LEADS)):
            for record in await context.uow.fetch(statement, values):
                row = orjson.loads(record["row"])
                found.of(name).add(record["id"])
                if row.get("merged_into"):
                    found.of(name).add(UUID(row["merged_into"]))
                if row.get("converted_contact_id"):
                    found.contacts.add(UUID(row["converted_contact_id"]))
                _learn(found, row, region)
        if len(found.ids) > MAX_PEOPLE:
            raise TooExpensive("people", MAX_PEOPLE)
    return found


def known_by_email(text: str) -> People:
    """Whoever has this address; nobody for what is none."""
    key = email_key(text)
    return People() if key is None else People(emails={key}, texts={fold(text), key})


def _learn(people: People, row: Mapping[str, Any], region: str) -> None:
    """Notes by what somebody can be recognised."""
    for kind, key in addresses_of(row, region):
        (people.emails if kind == "email" else people.phones).add(key)
        people.texts.add(key)
    typed: list[str | None] = [row.get("email"), row.get("phone"), *(entry["address"] for entry in row.get("emails") or ())]
    typed += [*(entry["number"] for entry in row.get("phones") or ()), *(row.get("external_ids") or {}).values()]
    if " " in str(row.get("display_name") or ""):  # a single word is more often somebody else's
        typed.append(row["display_name"])
    people.texts |= set(_usable(typed))
    people.texts |= {text.strip().lower() for text in typed if text is not None and _SHORTEST <= len(text.strip()) <= _LONGEST}
    people.values |= set(_usable(_leaves({name: value for name, value in row.items() if name not in _ENVELOPE and not _is_id(name)})))


def _is_id(name: str) -> bool:
    return name in ("id", "org_id", "merged_into", "status", "lifecycle_stage", "rating") or name.endswith(("_id", "_at"))


def _leaves(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in _ENVELOPE:
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def _usable(texts: Iterable[str | None]) -> Iterable[str]:
    for text in texts:
        if text is not None and _SHORTEST <= len(text.strip()) <= _LONGEST:
            yield fold(text.strip())
