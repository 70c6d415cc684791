"""What happens in the demonstration organisation, day by day: the same for everybody, from one seed.

The plan says what is written and when; `demo.py` writes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from crm_api.flows import demo_words as words

SEED: Final = 20_261_122
DAYS: Final = 60
ACCOUNTS: Final = 40
CONTACTS: Final = 120
LEADS: Final = 60
DEALS: Final = 80
CASES: Final = 30
TASKS: Final = 60
NOTES: Final = 50

OPEN_STAGES: Final = ("Qualification", "Discovery", "Proposal", "Negotiation")


@dataclass(slots=True)
class Day:
    """What is written on one day, in this order."""

    creates: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    links: list[tuple[str, str, UUID, UUID, dict[str, Any]]] = field(default_factory=list)
    updates: list[tuple[str, UUID, dict[str, Any]]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)


def fixed_id(kind: int, number: int) -> UUID:
    """A UUIDv7 (RFC 9562 §5.7) that is the same in every demonstration: 1 January 2026, object kind, number."""
    milliseconds = 1_767_225_600_000
    return UUID(int=milliseconds << 80 | 7 << 76 | kind << 64 | 2 << 62 | number)


class Plan:
    """The days of the demonstration. `today` anchors dates, `owners` are the users who share the work, `stages` name → id."""

    def __init__(self, today: date, owners: Sequence[UUID], stages: dict[str, UUID]) -> None:
        self._random = Random(SEED)
        self._today = today
        self._owners = [str(owner) for owner in owners]
        self._stages = stages
        self.days = [Day() for _ in range(DAYS)]
        self._companies: list[str] = []
        self._accounts()
        self._contacts()
        self._leads()
        self._deals()
        self._cases()
        self._activities()

    def _pick(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def _date(self, day: int) -> str:
        return str(self._today - timedelta(days=DAYS - day))

    def _person(self, number: int) -> tuple[str, str]:
        first = words.FIRST_NAMES[number * 7 % len(words.FIRST_NAMES)]
        return first, words.LAST_NAMES[(number * 11 + number // len(words.LAST_NAMES)) % len(words.LAST_NAMES)]

    def _account_day(self, number: int) -> int:
        return number // 4

    def _accounts(self) -> None:
        for number in range(ACCOUNTS):
            trade, industry = words.TRADES[number % len(words.TRADES)]
            name = f"{words.COMPANY_WORDS[number]} {trade}"
            self._companies.append(f"{name.lower().replace(' ', '-')}.example")
            city, code, country = self._pick(words.CITIES)
            body: dict[str, Any] = {
                "id": str(fixed_id(1, number)),
                "name": name,
                "domain": self._companies[-1],
                "website": f"https://{self._companies[-1]}",
                "industry": industry,
                "employees": self._random.randrange(10, 5_000),
                "annual_revenue": f"{self._random.randrange(1, 900) * 100_000}.00",
                "type": self._pick(("customer", "customer", "prospect", "partner")),
                "billing_address": {
                    "street": f"{self._pick(words.STREETS)} {self._random.randrange(1, 120)}",
                    "city": city,
                    "postal_code": code,
                    "country": country,
                },
                "tags": [self._pick(("north", "south", "west"))],
                "external_ids": {"erp": f"{10_000 + number}"},
                "owner_id": self._pick(self._owners),
            }
            if number % 8 == 7:
                body["parent_id"] = str(fixed_id(1, number - 7))
            self.days[self._account_day(number)].creates["accounts"].append(body)

    def _contacts(self) -> None:
        for number in range(CONTACTS):
            account = number % ACCOUNTS
            first, last = self._person(number)
            address = f"{first}.{last}@{self._companies[account]}".lower()
            body: dict[str, Any] = {
                "id": str(fixed_id(2, number)),
                "first_name": first,
                "last_name": last,
                "emails": [{"address": address, "type": "work", "is_primary": True}],
                "phone": f"+49 30 5550{number:04d}",
                "title": self._pick(words.TITLES),
                "account_id": str(fixed_id(1, account)),
                "lifecycle_stage": self._pick(("opportunity", "customer", "customer", "sql")),
                "source": self._pick(words.SOURCES),
                "owner_id": self._pick(self._owners),
            }
            if number % 3 == 0:
                body["emails"].append({"address": f"{first}{number}@mail.example".lower(), "type": "private", "is_primary": False})
            if number % 10 == 0:
                body["tags"] = ["vip"]
            day = self._account_day(account)
            self.days[day].creates["contacts"].append(body)
            if number % 12 == 5:  # works for two companies
                second = (account + 1) % ACCOUNTS
                later = max(day, self._account_day(second))
                edge = {"roles": ["influencer"], "is_primary": False}
                self.days[later].links.append(("contacts", "accounts", fixed_id(2, number), fixed_id(1, second), edge))

    def _leads(self) -> None:
        for number in range(LEADS):
            first, last = self._person(number + 500)
            day = self._random.randrange(DAYS)
            id = fixed_id(3, number)
            company = (
                f"{words.COMPANY_WORDS[-1 - number % len(words.COMPANY_WORDS)]} {self._pick(('Group', 'Partners', 'Works', 'Trading'))}"
            )
            body = {
                "id": str(id),
                "first_name": first,
                "last_name": last,
                "company": company,
                "email": f"{first}.{last}@{company.lower().replace(' ', '-')}.example".lower(),
                "title": self._pick(words.TITLES),
                "source": self._pick(words.SOURCES),
                "rating": self._pick(("hot", "warm", "warm", "cold")),
                "lifecycle_stage": self._pick(("lead", "lead", "mal", "mql", "sal")),
                "owner_id": self._pick(self._owners),
            }
            self.days[day].creates["leads"].append(body)
            path: list[dict[str, Any]] = []
            if number % 4:
                path.append({"status": "contacted"})
                path.append(
                    self._pick(({"status": "qualified"}, {"status": "nurturing"}, {"status": "lost", "status_reason": "no budget"}))
                )
            elif number % 8 == 0:
                path.append({"status": "junk", "status_reason": "not a real request"})
            for step in path:
                day += self._random.randrange(1, 6)
                self._later(day, "leads", id, step)

    def _later(self, day: int, name: str, id: UUID, body: dict[str, Any]) -> bool:
        if day >= DAYS:
            return False
        self.days[day].updates.append((name, id, body))
        return True

    def _deals(self) -> None:
        for number in range(DEALS):
            account = self._random.randrange(ACCOUNTS)
            day = 10 + self._random.randrange(DAYS - 14)
            id = fixed_id(4, number)
            body: dict[str, Any] = {
                "id": str(id),
                "name": f"{words.COMPANY_WORDS[account]}: {self._pick(words.PRODUCTS)}",
                "account_id": str(fixed_id(1, account)),
                "amount": f"{self._random.randrange(4, 400) * 250}.00",
                "close_date": self._date(day + self._random.randrange(15, 90)),
                "source": self._pick(words.SOURCES),
                "type": self._pick(("new business", "expansion", "renewal")),
                "next_step": self._pick(words.NEXT_STEPS),
                "owner_id": self._pick(self._owners),
            }
            if number % 13 == 4:
                body["probability"] = 0.5
            self.days[day].creates["deals"].append(body)
            people = [account + ACCOUNTS * turn for turn in range(CONTACTS // ACCOUNTS)]
            for turn, person in enumerate(self._random.sample(people, 2)):
                edge = {"roles": self._random.sample(words.ROLES, 1 + turn % 2), "is_primary": turn == 0}
                self.days[day].links.append(("deals", "contacts", id, fixed_id(2, person), edge))
            for stage in OPEN_STAGES[1 : 1 + self._random.randrange(len(OPEN_STAGES))]:
                day += self._random.randrange(2, 8)
                self._later(day, "deals", id, {"stage_id": str(self._stages[stage])})
            day += self._random.randrange(2, 10)
            end = self._random.random()
            if end < 0.38:
                self._later(day, "deals", id, {"stage_id": str(self._stages["Won"])})
            elif end < 0.62:
                self._later(day, "deals", id, {"stage_id": str(self._stages["Lost"]), "lost_reason": self._pick(words.LOST)})

    def _cases(self) -> None:
        for number in range(CASES):
            person = self._random.randrange(CONTACTS)
            day = 12 + self._random.randrange(DAYS - 12)
            id = fixed_id(5, number)
            subject = self._pick(words.TROUBLES)
            body = {
                "id": str(id),
                "subject": subject,
                "description": f"{subject}. It began on {self._date(day)}.",
                "priority": self._pick(("low", "normal", "normal", "high", "urgent")),
                "channel": self._pick(("email", "phone", "web", "chat")),
                "type": self._pick(("problem", "question", "request")),
                "account_id": str(fixed_id(1, person % ACCOUNTS)),
                "contact_id": str(fixed_id(2, person)),
                "owner_id": self._pick(self._owners),
            }
            self.days[day].creates["cases"].append(body)
            talk = (
                ("customer", "public", "Please help, we can't work."),
                ("staff", "internal", "Asked the workshop."),
                ("staff", "public", "We found the cause and send a part."),
            )
            for turn, (who, visibility, said) in enumerate(talk[: 1 + number % 3]):
                if day + turn < DAYS:
                    content = {"format": "text", "content": said}
                    comment = {"case_id": str(id), "author_kind": who, "visibility": visibility, "body": content}
                    self.days[day + turn].comments.append({"id": str(fixed_id(6, number * 10 + turn)), **comment})
            for status in ("open", "pending", "resolved", "closed")[: self._random.randrange(5)]:
                day += self._random.randrange(1, 5)
                self._later(day, "cases", id, {"status": status})

    def _activities(self) -> None:
        for number in range(TASKS):
            day = 20 + self._random.randrange(DAYS - 20)
            id = fixed_id(7, number)
            due = f"{self._date(day + self._random.randrange(1, 14))}T15:00:00Z"
            body = {
                "id": str(id),
                "subject": self._pick(words.NEXT_STEPS),
                "priority": self._pick(("low", "normal", "high")),
                "due_at": due,
            }
            self.days[day].creates["tasks"].append({**body, "owner_id": self._pick(self._owners)})
            account = self._random.randrange(ACCOUNTS)
            self.days[day].links.append(("tasks", "accounts", id, fixed_id(1, account), {}))
            self.days[day].links.append(("tasks", "contacts", id, fixed_id(2, account), {}))
            if number % 2:
                self._later(day + self._random.randrange(1, 9), "tasks", id, {"status": "done"})
        for number in range(NOTES):
            day = 20 + self._random.randrange(DAYS - 20)
            id = fixed_id(8, number)
            body = {
                "id": str(id),
                "title": f"Call of {self._date(day)}",
                "body": {"format": "markdown", "content": self._pick(words.REMARKS)},
            }
            self.days[day].creates["notes"].append({**body, "owner_id": self._pick(self._owners)})
            self.days[day].links.append(("notes", "accounts", id, fixed_id(1, self._random.randrange(ACCOUNTS)), {}))
