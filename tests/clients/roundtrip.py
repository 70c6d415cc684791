"""Creates, reads, changes and finds a contact through a client generated from the API's description.

Run as a program beside the generated package, with CRM_URL and CRM_TOKEN in the environment; mypy --strict checks it first.
"""

from __future__ import annotations

import os
from uuid import UUID, uuid4

from crm_api_client import AuthenticatedClient
from crm_api_client.api.accounts import create_accounts
from crm_api_client.api.contacts import create_contacts, get_contacts, list_contacts, search_contacts, update_contacts
from crm_api_client.models import (
    AccountCreate,
    AccountRead,
    ContactCreate,
    ContactList,
    ContactRead,
    ContactUpdate,
    FilterCondition,
    Problem,
    Search,
)


def main() -> None:
    """The round trip."""
    client = AuthenticatedClient(os.environ["CRM_URL"], token=os.environ["CRM_TOKEN"])
    last_name = f"Roundtrip {uuid4().hex}"

    account = create_accounts.sync(client=client, body=AccountCreate(name="Acme Corp", industry="saas"))
    assert isinstance(account, AccountRead), account

    body = ContactCreate(first_name="Ada", last_name=last_name, account_id=account.id, tags=["python"])
    created = create_contacts.sync_detailed(client=client, body=body, idempotency_key=uuid4().hex)
    assert created.status_code == 201, created
    contact = created.parsed
    assert isinstance(contact, ContactRead)
    assert isinstance(contact.id, UUID)

    read = get_contacts.sync(contact.id, client=client, expand=["account"])
    assert isinstance(read, ContactRead), read
    assert read.display_name == f"Ada {last_name}"
    assert isinstance(read.account, AccountRead)
    assert read.account.name == "Acme Corp"

    tag = created.headers["ETag"]
    patched = update_contacts.sync(contact.id, client=client, body=ContactUpdate(title="Head of Purchasing"), if_match=tag)
    assert isinstance(patched, ContactRead), patched
    assert (patched.title, patched.version) == ("Head of Purchasing", 2)

    stale = update_contacts.sync(contact.id, client=client, body=ContactUpdate(title="Nobody"), if_match=tag)
    assert isinstance(stale, Problem), stale
    assert stale.code == "version_conflict"

    found = search_contacts.sync(client=client, body=Search(filter_=FilterCondition(field="last_name", value=last_name)))
    assert isinstance(found, ContactList), found
    assert [hit.id for hit in found.data] == [contact.id]

    listed = list_contacts.sync(client=client, last_namestarts_with=last_name, sort=["-created_at"], fields=["display_name"], limit=5)
    assert isinstance(listed, ContactList), listed
    assert [(hit.id, hit.display_name) for hit in listed.data] == [(contact.id, f"Ada {last_name}")]
    print("ok")


if __name__ == "__main__":
    main()
