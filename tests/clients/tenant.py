"""Writes and finds values of an organisation's own fields and objects through a client generated from its own description.

Run as a program beside the generated package, with CRM_URL and CRM_TOKEN in the environment; mypy --strict checks it first.
"""

from __future__ import annotations

import os
from uuid import uuid4

from crm_tenant_client import AuthenticatedClient
from crm_tenant_client.api.contacts import create_contacts, list_contacts
from crm_tenant_client.api.vessels import create_vessels, get_vessels, list_vessels, update_vessels
from crm_tenant_client.models import (
    ContactCreate,
    ContactCustomFields,
    ContactCustomFieldsCreate,
    ContactList,
    ContactRead,
    ContactTierOption,
    VesselCreate,
    VesselFlagOption,
    VesselList,
    VesselRead,
    VesselUpdate,
)


def main() -> None:
    """The round trip."""
    client = AuthenticatedClient(os.environ["CRM_URL"], token=os.environ["CRM_TOKEN"])
    mark = uuid4().hex

    own = ContactCustomFieldsCreate(tier=ContactTierOption.GOLD, amount="10.50")
    contact = create_contacts.sync(client=client, body=ContactCreate(last_name=mark, custom_fields=own))
    assert isinstance(contact, ContactRead), contact
    assert isinstance(contact.custom_fields, ContactCustomFields)
    assert contact.custom_fields.tier is ContactTierOption.GOLD
    assert contact.custom_fields.amount == "10.5"

    found = list_contacts.sync(client=client, last_name=mark, custom_fields_amountgte="10")
    assert isinstance(found, ContactList), found
    assert [hit.id for hit in found.data] == [contact.id]

    body = VesselCreate(imo=mark, name="Emma", length=397.7, flag=VesselFlagOption.DK, captain_id=contact.id)
    vessel = create_vessels.sync(client=client, body=body)
    assert isinstance(vessel, VesselRead), vessel
    assert (vessel.imo, vessel.length, vessel.flag) == (mark, 397.7, VesselFlagOption.DK)

    read = get_vessels.sync(vessel.id, client=client, expand=["captain"])
    assert isinstance(read, VesselRead), read
    assert isinstance(read.captain, ContactRead)
    assert read.captain.last_name == mark

    changed = update_vessels.sync(vessel.id, client=client, body=VesselUpdate(length=None))
    assert isinstance(changed, VesselRead), changed
    assert changed.length is None

    listed = list_vessels.sync(client=client, imo=mark, sort=["-created_at"])
    assert isinstance(listed, VesselList), listed
    assert [hit.id for hit in listed.data] == [vessel.id]
    print("ok")


if __name__ == "__main__":
    main()
