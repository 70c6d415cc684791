"""Where a person's data can be: every table of an organisation, with what erasing does there.

A test walks the database's catalogue and fails for a table that is not named here, so that nobody adds one without thinking
of it. The rules are carried out by the modules named with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Rule = Literal["none", "person", "delete", "blank", "unlink", "beside", "history", "answer", "job", "criteria", "hash", "audit"]


@dataclass(frozen=True, slots=True)
class Place:
    """What a table can hold of a person, and what becomes of it.

    `none`: nothing, for the reason given. `person`: the records themselves, purged (`erasing.py`). `delete`: records that are
    about the person alone, purged; `blank`: records that stay for the figures without what was written (`hanging.py`).
    `unlink`: records that stay as they are, without the reference. `beside`: rows that go with the record
    (`kernel/writes/erasure.py`). `history`: events and snapshots, whose values go. `answer`: stored answers, emptied.
    `job`: what was asked of jobs and came of them, scrubbed, with their files (`payloads.py`, `files.py`). `criteria`: values in
    filters and settings that name the person, replaced. `hash`: keyed hashes, which stay on purpose. `audit`: see `kernel/audit.py`.
    """

    rule: Rule
    why: str
    exported: bool = False


_IDS: Final = "Ids and times only."
_WORKERS: Final = "The people who work here: how they sign in, and mails to them about it."
_SETUP: Final = "What the organisation is set up to be; nothing a person wrote or is."

PLACES: Final[Mapping[str, Place]] = {
    "contacts": Place("person", "People, with custom fields, search text and slots.", exported=True),
    "leads": Place("person", "People too; the same one by e-mail address, conversion or merge.", exported=True),
    "notes": Place("delete", "Written about a person or their case.", exported=True),
    "case_comments": Place("delete", "The conversation on a person's case.", exported=True),
    "consents": Place("delete", "What a person agreed to, with proof; owned by the person's record.", exported=True),
    "tasks": Place("blank", "Subject, description and free fields go; state and dates stay.", exported=True),
    "cases": Place("blank", "The same; the number, times and states stay for the figures.", exported=True),
    "accounts": Place("unlink", "A company stays; its link to the person goes."),
    "deals": Place("unlink", "A deal stays; its link to the person goes."),
    "custom_records": Place("unlink", "References to the person are emptied.", exported=True),
    "links": Place("beside", "Edges from and to the person, with their attributes; memberships of segments too.", exported=True),
    "external_ids": Place("beside", "Ids of the record in other systems."),
    "recent_items": Place("beside", "That somebody looked at the record."),
    "board_positions": Place("beside", "Where its card was put."),
    "record_shares": Place("beside", "With whom the record was shared."),
    "events": Place("history", "Old and new values of every change; the cause may hold a key that a caller chose.", exported=True),
    "event_snapshots": Place("history", "The record after each change."),
    "idempotency_keys": Place("answer", "Answers to writes, kept for a day."),
    "jobs": Place("job", "Requests and results, and the files in the data directory."),
    "job_errors": Place("job", "Problems of single records."),
    "views": Place("criteria", "Conditions may name somebody."),
    "segments": Place("criteria", "Filters may name somebody."),
    "layouts": Place("criteria", "Texts and conditions."),
    "widgets": Place("criteria", "Settings are free."),
    "custom_links": Place("criteria", "Addresses are free."),
    "navigation_menus": Place("criteria", "Labels and addresses are free."),
    "sharing_rules": Place("criteria", "Criteria may name somebody."),
    "restriction_rules": Place("criteria", "Criteria may name somebody."),
    "territories": Place("criteria", "Criteria may name somebody."),
    "retention_policies": Place("criteria", "Filters may name somebody."),
    "home_pages": Place("criteria", "Titles are free."),
    "config_snapshots": Place("criteria", "Earlier configurations, with their filters."),
    "suppressions": Place("hash", "What keeps the person from coming back."),
    "outbox": Place("none", _IDS),
    "journal": Place("none", _IDS),
    "tombstones": Place("none", _IDS + " The id of an erased record is nobody's any more."),
    "job_chunks": Place("none", _IDS),
    "job_due": Place("none", _IDS),
    "timers": Place("none", _IDS),
    "stage_changes": Place("none", "Moves of deals."),
    "counters": Place("none", "Numbers."),
    "tokens": Place("none", "Hashes of the tokens of the people who work here, who are not the subjects of these requests."),
    "members": Place("none", "The people who work here. They leave by being removed, not by being erased."),
    "pipelines": Place("none", _SETUP),
    "stages": Place("none", _SETUP),
    "lead_statuses": Place("none", _SETUP),
    "lifecycle_stages": Place("none", _SETUP),
    "contact_roles": Place("none", _SETUP),
    "exchange_rates": Place("none", _SETUP),
    "themes": Place("none", _SETUP),
    "profiles": Place("none", _SETUP),
    "roles": Place("none", _SETUP),
    "teams": Place("none", _SETUP),
    "object_definitions": Place("none", _SETUP),
    "field_definitions": Place("none", _SETUP),
    "schema_versions": Place("none", _SETUP),
    "audit_log": Place("audit", "What entries tell of a person stands in a column of its own, which is blanked; the chain holds."),
    "audit_heads": Place("none", "Hashes."),
    "audit_checkpoints": Place("none", "Hashes and signatures."),
    "connections": Place("none", "How the organisation reaches the services of others."),
    "connection_secrets": Place("none", "Sealed secrets of those services."),
    "webhook_endpoints": Place("criteria", "Filters may name somebody; addresses and descriptions are free."),
    "webhook_secrets": Place("none", "Sealed keys and values of headers."),
    "webhook_states": Place("none", _IDS),
    "webhook_due": Place("none", _IDS),
    "webhook_queue": Place("none", _IDS),
    "webhook_deliveries": Place("none", _IDS + " What was sent is made from the events each time."),
    "webhook_attempts": Place("none", "What receivers answered; requests are not kept."),
    "journal_heads": Place("none", _IDS),
    "journal_consumers": Place("none", _IDS),
    "event_consumers": Place("none", "Names that programs gave to their places in the journal, and numbers."),
    "encryption_keys": Place("none", "Sealed keys."),
    "oauth_grants": Place("none", "Ids and scopes: what users allowed apps to do."),
    "event_tickets": Place("none", "Hashes and ids, for an hour."),
    "oauth_codes": Place("none", "Hashes and ids, for minutes."),
    "oauth_requests": Place("none", "Parameters of sign-ins by the people who work here, for minutes."),
    "oauth_device_codes": Place("none", "Hashes and ids, for minutes."),
    "organizations": Place("none", _SETUP),
    "users": Place("none", _WORKERS),
    "credentials": Place("none", _WORKERS),
    "oauth_clients": Place("none", "Apps."),
    "sessions": Place("none", _WORKERS),
    "session_devices": Place("none", _WORKERS),
    "failed_attempts": Place("none", _WORKERS),
    "second_factors": Place("none", _WORKERS),
    "recovery_codes": Place("none", _WORKERS),
    "mail_links": Place("none", _WORKERS),
    "mails": Place("none", _WORKERS),
    "belongings": Place("none", _WORKERS),
    "sandboxes": Place("none", "Names of sandboxes. Erase there too, or refresh them: a copy is an organisation of its own."),
}


def tables(rule: Rule) -> list[str]:
    """The tables with a rule."""
    return [name for name, place in PLACES.items() if place.rule == rule]
