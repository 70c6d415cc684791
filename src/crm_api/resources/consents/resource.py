"""Consents: what people have said about being addressed. Only ever added to."""

from __future__ import annotations

from crm_api.kernel.resource import Resource
from crm_api.models.privacy import Consent
from crm_api.resources.consents.rules import ConsentRules
from crm_api.resources.consents.schemas import ConsentCreate, ConsentRead, ConsentUpdate

consents = Resource[Consent, ConsentCreate, ConsentUpdate, ConsentRead](
    name="consents",
    singular="consent",
    model=Consent,
    create=ConsentCreate,
    update=ConsentUpdate,
    read=ConsentRead,
    display=lambda row: f"{row['purpose']} {row['channel']} {row['status']}",
    description="What people have granted, withdrawn or denied, for a purpose and over a channel, with source and proof. Consents are "
    "only ever added: who changes their mind gets another one, and the latest counts.",
    example={
        "contact_id": "01976f6e-8a00-7000-8000-000000000001",
        "purpose": "newsletter",
        "channel": "email",
        "status": "granted",
        "legal_basis": "consent",
        "source": "web form",
        "proof": "Ticked “Send me the newsletter” and confirmed by mail.",
    },
    rules=ConsentRules(),
    verbs=frozenset({"list", "get", "create"}),
)
