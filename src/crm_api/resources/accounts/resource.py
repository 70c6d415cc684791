"""Accounts: the companies that one does business with, in a tree."""

from __future__ import annotations

from crm_api.kernel.resource import Resource
from crm_api.models.sales import Account
from crm_api.resources.accounts.rules import AccountRules
from crm_api.resources.accounts.schemas import AccountCreate, AccountRead, AccountUpdate

accounts = Resource[Account, AccountCreate, AccountUpdate, AccountRead](
    name="accounts",
    singular="account",
    model=Account,
    create=AccountCreate,
    update=AccountUpdate,
    read=AccountRead,
    display=lambda row: row["name"],
    description="Companies and other organisations that you do business with. Accounts form a tree by `parent_id`.",
    example={"name": "Acme Robotics", "domain": "acme.example", "industry": "robotics", "employees": 240, "annual_revenue": "12500000.00"},
    search=("name", "domain", "website", "phone", "industry", "description"),
    rules=AccountRules(),
    timeline=True,
    searchable=True,
)
