"""A person about whom everything is known, and looking for what is left of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import redis.asyncio

from crm_api.db.engine import Database
from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.kernel import audit
from crm_api.settings import Settings, driver_url
from tests import databases
from tests.api import Api, Record
from tests.jobs.support import bulk, finished
from tests.meta.work import field as make_field

_SNAPSHOT = Statement(
    "INSERT INTO config_snapshots (org_id, id, reason, config, created_at, created_by)"
    " VALUES ($1, $2, 'apply', $3::jsonb, $4, '{}'::jsonb)",
    ("org_id", "id", "config", "now"),
)


@dataclass
class Planted:
    """A person, and a word that stands in everything that is known of them."""

    marker: str
    contact: Record
    lead: Record
    others: dict[str, Record] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """What must be found nowhere: the word, and the digits of the telephone number."""
        return [self.marker, self.digits]

    @property
    def digits(self) -> str:
        """The telephone number's last digits."""
        return "77" + "".join(character for character in str(int(self.marker[2:], 16)))[:7]


def contact_body(planted_marker: str, digits: str, **more: Any) -> dict[str, Any]:
    """Every field that a contact has, with the word in it."""
    word = planted_marker
    return {
        "first_name": f"Ada {word}", "last_name": f"King-{word}", "title": f"Head {word}", "department": f"Dept {word}",
        "email": f"{word}@acme.example",
        "emails": [
            {"address": f"{word}@acme.example", "type": "work", "is_primary": True},
            {"address": f"{word.upper()}.home@mail.example", "type": "home", "is_primary": False},
        ],
        "phone": f"+4930{digits}", "birthdate": "1985-12-10", "source": f"fair {word}", "description": f"Says {word} often.",
        "address": {"street": f"{word} 1", "city": f"{word}-burg", "postal_code": "12345", "country": "DE"},
        "tags": [word], "external_ids": {"erp": f"erp-{word}"},
        "custom_fields": {"nickname": f"Nick {word}", "passport": f"P-{word}", "private_mail": f"{word}@private.example"},
        **more,
    }  # fmt: skip


async def plant(api: Api, data_dir: Path) -> Planted:
    """Makes the person, and lets what is known of them travel everywhere."""
    marker = f"zq{uuid4().hex[:14]}"
    planted = Planted(marker, {}, {})
    await make_field(api, "contacts", "nickname", "text", indexed=True)
    await make_field(api, "contacts", "passport", "text", unique=True, sensitivity="sensitive")
    await make_field(api, "contacts", "private_mail", "email")
    await make_field(api, "cases", "wish", "long_text")
    body = contact_body(marker, planted.digits)
    headers = {"Idempotency-Key": f"import-{marker}", "X-Request-Id": f"req-{marker}"}
    planted.contact = await api.ok("POST", "/v1/contacts", json=body, headers=headers, status=201)
    contact = planted.contact
    await api.ok(
        "PATCH", f"/v1/contacts/by/email/{marker}@acme.example", json={"title": f"Chief {marker}"}, headers={"Idempotency-Key": "k1"}
    )
    await api.change(contact, custom_fields={"nickname": f"New {marker}"}, description=f"{marker} twice")
    twin = await api.make("contacts", first_name=f"Twin {marker}", last_name=f"Twin-{marker}", email=f"{marker}.old@acme.example")
    await api.ok("POST", "/v1/contacts/merge", json={"winner_id": contact["id"], "loser_ids": [twin["id"]]})
    planted.lead = await api.make(
        "leads", first_name=f"Ada {marker}", last_name=f"King-{marker}", email=f"{marker.upper()}@ACME.example",
        phone=f"+4930{planted.digits}",
        company=f"{marker} Ltd", description=f"Lead {marker}", qualification={"budget": marker}, website=f"https://{marker}.example/",
        title=f"Boss {marker}", tags=[marker],
    )  # fmt: skip
    await _around(api, planted)
    await _in_passing(api, planted, data_dir)
    return planted


async def _around(api: Api, planted: Planted) -> None:
    marker, contact, others = planted.marker, planted.contact, planted.others
    others["account"] = await api.make("accounts", name="Acme", domain=f"acme-{uuid4().hex[:8]}.example")
    others["deal"] = await api.make("deals", name="Robots", amount="900.00")
    await api.ok("PUT", f"/v1/deals/{others['deal']['id']}/links/contacts/{contact['id']}", json={"is_primary": True})
    await api.change(contact, account_id=others["account"]["id"])
    others["case"] = await api.make(
        "cases", subject=f"{marker} fails", description=f"{marker} said so", contact_id=contact["id"], priority="high",
        custom_fields={"wish": f"{marker} wants"}, tags=[marker],
    )  # fmt: skip
    await api.change(others["case"], status="open", description=f"{marker} said more")
    comment = {"body": {"format": "text", "content": f"Dear {marker}"}, "visibility": "public"}
    others["comment"] = await api.ok("POST", f"/v1/cases/{others['case']['id']}/comments", json=comment, status=201)
    notes = [await api.make("notes", title=f"Call {marker}", body={"format": "markdown", "content": f"**{marker}**"}) for _ in range(3)]
    for note, record in zip(notes, (contact, planted.lead, others["case"]), strict=True):
        await api.ok("PUT", f"/v1/notes/{note['id']}/links/{record['object']}/{record['id']}", json={})
    others["note"] = notes[0]
    others["task"] = await api.make("tasks", subject=f"Write to {marker}", description=f"{marker}!", due_at="2030-01-01T00:00:00Z")
    await api.ok("PUT", f"/v1/tasks/{others['task']['id']}/links/contacts/{contact['id']}", json={})
    said = {"purpose": "newsletter", "channel": "email", "status": "granted", "source": f"form {marker}", "proof": f"IP of {marker}"}
    others["consent"] = await api.make("consents", contact_id=contact["id"], **said)
    equal = {"field": "email", "value": f"{marker}@acme.example"}
    others["view"] = await api.make("views", name=f"{marker}@acme.example only", applies_to="contacts", criteria=[equal])
    await api.change(others["view"], criteria=[equal, {"field": "title", "op": "is_not_null"}])
    others["segment"] = await api.make("segments", name="One", applies_to="contacts", kind="dynamic", filter=equal)
    static = await api.make("segments", name="Some", applies_to="contacts")
    await api.ok("PUT", f"/v1/segments/{static['id']}/members/{contact['id']}")
    await api.ok("POST", "/v1/me/recent", json={"object": "contacts", "id": contact["id"]}, status=204)
    await api.ok("PUT", "/v1/me/home", json={"widgets": [{"key": "a", "type": "recent", "title": f"{marker}@acme.example"}]})


async def _in_passing(api: Api, planted: Planted, data_dir: Path) -> None:
    """Jobs with their files, the audit log, an earlier configuration."""
    marker, contact = planted.marker, planted.contact
    wanted = {"field": "email", "value": f"{marker}@acme.example"}
    for job in (
        await bulk(api, "contacts", ids=[contact["id"]], action="update", set={"title": f"Chief {marker}"}),
        await bulk(api, "contacts", filter=wanted, action="tag", set={"tags": [f"late-{marker}@acme.example"]}),
        await api.ok("POST", "/v1/events/snapshot", json={"objects": ["contacts", "notes", "cases"], "deleted": "include"}, status=202),
        await api.ok("POST", "/v1/privacy/export", json={"subject": {"email": f"{marker}@acme.example"}}, status=202),
    ):
        done = await finished(api, job)
        assert done["status"] == "succeeded", done
    services = api.app.state.services
    async with unit_of_work(services.database, api.org_id, services.clock) as uow:
        audit.record(uow, "contact.looked_up", object="contacts", personal={"email": f"{marker}@acme.example"})
        config = f'{{"views": [{{"name": "x", "criteria": [{{"field": "email", "value": "{marker}@acme.example"}}]}}]}}'
        await uow.fetch(_SNAPSHOT, {"org_id": api.org_id, "id": uow.new_id(), "config": config, "now": uow.now})
    # stays alive over everything: nothing personal may be in what is kept of requests
    assert any(planted.marker.encode() in data for _, data in files(data_dir / "files" / str(api.org_id)))


def files(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, what is packed unpacked."""
    for path in sorted(root.rglob("*")) if root.exists() else ():
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path}:{name}", archive.read(name)
        elif path.is_file():
            yield str(path), path.read_bytes()


async def rows_with(urls: DatabaseUrls, words: list[str]) -> dict[str, list[str]]:
    """The rows of all tables, of all organisations, in which one of the words stands in whatever form; read past all fences."""
    name = urlsplit(driver_url(urls.database_owner_url)).path.lstrip("/")
    connection = await asyncpg.connect(databases.servers().admin_url, database=name)
    found: dict[str, list[str]] = {}
    try:
        tables = await connection.fetch(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition ORDER BY 1"
        )
        assert len(tables) > 50
        for (table,) in tables:
            looked_for = [form for word in words for form in (word.lower(), word.lower().encode().hex(), word.upper().encode().hex())]
            rows = await connection.fetch(
                f'SELECT t::text AS text FROM "{table}" t WHERE EXISTS'
                " (SELECT FROM unnest($1::text[]) AS w (word) WHERE strpos(lower(t::text), w.word) > 0)",
                looked_for,
            )
            if rows:
                found[table] = [row["text"][:2000] for row in rows]
    finally:
        await connection.close()
    return found


async def keys_with(settings: Settings, words: list[str]) -> list[str]:
    """The keys of Valkey that hold one of the words, in their name or their value."""
    assert settings.redis_url is not None
    found = []
    async with redis.asyncio.Redis.from_url(settings.redis_url) as client:
        async for key in client.scan_iter():
            dumped = await client.dump(key) or b""
            if any(word.encode() in text.lower() for word in words for text in (key, dumped)):
                found.append(key.decode())
    return found


async def erased(api: Api, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The job of an erasure, ended well."""
    job = await api.ok("POST", "/v1/privacy/erase", json={"subject": subject, **more}, status=202)
    assert job["type"] == "privacy_erase"
    done = await finished(api, job, 25)
    assert done["status"] == "succeeded", done
    return done


def database_of(api: Api) -> Database:
    """The application's database."""
    database: Database = api.app.state.services.database
    return database
