"""A few objects over real tables, without the rules of the product's resources: what the kernel's tests write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from crm_api.kernel.context import Context
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import Draft, ManyToMany, Resource, Row, Rules
from crm_api.kernel.schema import (
    Address,
    Currency,
    DateValue,
    Domain,
    Email,
    Emails,
    Input,
    Key,
    Keys,
    LongText,
    Money,
    Name,
    Output,
    Phone,
    Phones,
    Position,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Ref,
    RichText,
    Text,
    Timestamp,
    Url,
    create_of,
    update_of,
)
from crm_api.models.access import Profile, Role
from crm_api.models.activities import Note
from crm_api.models.sales import Account, Contact
from crm_api.models.service import Case, CaseComment
from crm_api.models.tenancy import Member
from crm_api.models.vocabulary import ContactRole, LifecycleStage


class Roles(Input):
    """An edge with roles."""

    roles: Keys = Field(default_factory=list)
    is_primary: bool = False


class AccountFields(Output):
    name: Name
    domain: Domain | None
    website: Url | None
    phone: Phone | None
    annual_revenue: Money | None
    currency: Currency
    parent_id: Ref | None
    billing_address: Address | None
    description: LongText | None


class AccountRead(AccountFields, RecordRead): ...


@create_of(AccountFields, required=("name",))
class AccountCreate(RecordCreate): ...


@update_of(AccountFields)
class AccountUpdate(RecordUpdate): ...


accounts = Resource[Account, AccountCreate, AccountUpdate, AccountRead](
    "accounts", "account", Account, AccountCreate, AccountUpdate, AccountRead, lambda row: str(row["name"]), "", {},
    search=("name", "domain", "phone", "description"),
)  # fmt: skip


class ContactFields(Output):
    first_name: Text | None
    last_name: Text | None
    email: Email | None
    emails: Emails
    phone: Phone | None
    phones: Phones
    account_id: Ref | None
    lifecycle_stage: Key | None
    rating: Annotated[Literal["hot", "warm", "cold"], "rating"] | None
    birthdate: DateValue | None
    do_not_call: bool


class ContactRead(ContactFields, RecordRead): ...


@create_of(ContactFields)
class ContactCreate(RecordCreate): ...


@update_of(ContactFields)
class ContactUpdate(RecordUpdate): ...


def _person(row: Row) -> str:
    return " ".join(part for part in (row["first_name"], row["last_name"]) if part) or row["email"] or ""


class ContactRules(Rules):
    """Remembers what it was asked, and refuses the name Nobody."""

    calls: list[tuple[str, int]]

    def __init__(self) -> None:
        self.calls = []

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        self.calls.append(("before_write", len(drafts)))
        for draft in drafts:
            if draft.new["last_name"] == "Nobody":
                draft.fail("last_name", "pattern", pattern="somebody")

    async def after_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        self.calls.append(("after_write", len(drafts)))


contact_rules = ContactRules()

contacts = Resource[Contact, ContactCreate, ContactUpdate, ContactRead](
    "contacts", "contact", Contact, ContactCreate, ContactUpdate, ContactRead, _person, "", {},
    search=("first_name", "last_name", "email", "emails", "phone", "phones"),
    links=(ManyToMany("accounts", "accounts", "people", Roles, primary_field="account_id"),),
    rules=contact_rules,
)  # fmt: skip


class CaseFields(Output):
    subject: Name
    account_id: Ref | None
    contact_id: Ref | None
    closed_at: Timestamp | None


class CaseRead(CaseFields, RecordRead): ...


@create_of(CaseFields, required=("subject",))
class CaseCreate(RecordCreate): ...


@update_of(CaseFields)
class CaseUpdate(RecordUpdate): ...


class CaseRules(Rules):
    """Fills in what the table needs."""

    async def before_write(self, context: Context, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.old is None:
                draft.new.update(number=draft.id.int % 2**50, opened_at=context.uow.now)


cases = Resource[Case, CaseCreate, CaseUpdate, CaseRead](
    "cases", "case", Case, CaseCreate, CaseUpdate, CaseRead, lambda row: str(row["subject"]), "", {}, rules=CaseRules(),
    links=(ManyToMany("contacts", "contacts", "linked_cases", Roles),),
)  # fmt: skip


class CommentFields(Output):
    case_id: Ref
    body: RichText


class CommentRead(CommentFields, RecordRead): ...


@create_of(CommentFields, required=("case_id", "body"))
class CommentCreate(RecordCreate): ...


class CommentUpdate(RecordUpdate):
    pass


comments = Resource[CaseComment, CommentCreate, CommentUpdate, CommentRead](
    "case_comments", "case_comment", CaseComment, CommentCreate, CommentUpdate, CommentRead, lambda row: "comment", "", {}, search=("body",)
)


class NoteFields(Output):
    title: Text | None
    body: RichText


class NoteRead(NoteFields, RecordRead): ...


@create_of(NoteFields, required=("body",))
class NoteCreate(RecordCreate): ...


@update_of(NoteFields)
class NoteUpdate(RecordUpdate): ...


notes = Resource[Note, NoteCreate, NoteUpdate, NoteRead](
    "notes", "note", Note, NoteCreate, NoteUpdate, NoteRead, lambda row: row["title"] or "", "", {}, search=("title", "body")
)


class VocabularyFields(Output):
    key: Key
    label: Name
    position: Position


class VocabularyRead(VocabularyFields, RecordRead): ...


@create_of(VocabularyFields, required=("key", "label", "position"))
class VocabularyCreate(RecordCreate): ...


@update_of(VocabularyFields)
class VocabularyUpdate(RecordUpdate): ...


contact_roles = Resource[ContactRole, VocabularyCreate, VocabularyUpdate, VocabularyRead](
    "contact_roles", "contact_role", ContactRole, VocabularyCreate, VocabularyUpdate, VocabularyRead, lambda row: str(row["label"]), "", {}
)
lifecycle_stages = Resource[LifecycleStage, VocabularyCreate, VocabularyUpdate, VocabularyRead](
    "lifecycle_stages",
    "lifecycle_stage",
    LifecycleStage,
    VocabularyCreate,
    VocabularyUpdate,
    VocabularyRead,
    lambda row: str(row["label"]),
    "",
    {},
)


class UserRead(RecordRead):
    name: Name
    email: Email | None


users = Resource[Member, RecordCreate, RecordUpdate, UserRead](
    "users", "user", Member, RecordCreate, RecordUpdate, UserRead, lambda row: str(row["name"]), "", {}
)


class NamedRead(RecordRead):
    name: Name


profiles = Resource[Profile, RecordCreate, RecordUpdate, NamedRead](
    "profiles", "profile", Profile, RecordCreate, RecordUpdate, NamedRead, lambda row: str(row["name"]), "", {}
)
roles = Resource[Role, RecordCreate, RecordUpdate, NamedRead](
    "roles", "role", Role, RecordCreate, RecordUpdate, NamedRead, lambda row: str(row["name"]), "", {}
)

REGISTRY = Registry([accounts, contacts, cases, comments, notes, contact_roles, lifecycle_stages, users, profiles, roles])
