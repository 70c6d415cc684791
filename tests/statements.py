"""What the suite's statements must be like to run on one server and on a cluster: rules 7 to 9, checked on all that were run.

`Recorder` takes every statement of a `Database` (see `observers`); `problems()` tells what is wrong with which. Text is taken
apart with regular expressions, which our own compiler's output is regular enough for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from crm_api.models import Base
from crm_api.models.identity import PERSONAL
from crm_api.models.oauth import OAUTH
from crm_api.models.tickets import TICKETS

GLOBAL = frozenset({"organizations", "users", "credentials", "oauth_clients"})
LOOKED_UP_FIRST = frozenset({"tokens", *PERSONAL, *OAUTH, *TICKETS})
"""Found before the organisation is known."""

TENANT = frozenset(table.name for table in Base.metadata.sorted_tables) - GLOBAL - LOOKED_UP_FIRST

ACROSS = frozenset(
    {
        "SELECT DISTINCT org_id FROM outbox",
    }
)
"""The few statements that look across organisations to find those with work: plain aggregates over unfenced tables."""

UNFENCED = frozenset({"outbox", "job_due", "mails"})

BY_POSTGRESQL = frozenset({"webhook_states", "webhook_due", "webhook_queue", "webhook_deliveries", "webhook_attempts"})
"""Whose times are PostgreSQL's own: when something is tried again and who holds it until when is no business time."""

_STRING = re.compile(r"'(?:[^']|'')*'")
_MENTION = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE|USING|,)\s+(ONLY\s+)?\"?([a-z_]+)\"?(?:\s+(?:AS\s+)?\"?([a-z_][a-z0-9_]*)\"?)?", re.IGNORECASE
)
_WORDS = frozenset({
    "where", "on", "set", "values", "select", "join", "left", "right", "inner", "outer", "cross", "full", "order", "group", "limit",
    "having", "union", "as", "using", "returning", "for", "lateral", "natural", "offset", "window", "tablesample", "with",
})  # fmt: skip
_OTHER = r"(?:\$\d+(?:::\w+)?|CAST\(\$\d+|[a-z_][a-z0-9_]*\.org_id)"
_BOUND_LEFT = re.compile(rf"\b([a-z_][a-z0-9_]*)\.\"?org_id\"?\s*=\s*{_OTHER}", re.IGNORECASE)
_BOUND_RIGHT = re.compile(rf"{_OTHER}\s*=\s*\b([a-z_][a-z0-9_]*)\.\"?org_id\b", re.IGNORECASE)
_BOUND_BARE = re.compile(rf"(?<![.\w])org_id\s*=\s*{_OTHER}", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(SELECT|FROM|WHERE|SET|RETURNING|ON|BY|VALUES)\b", re.IGNORECASE)
_VOLATILE = re.compile(r"\b(gen_random_uuid|clock_timestamp|random|uuid_generate_v4|timeofday|nextval|setval)\s*\(", re.IGNORECASE)
_NOW = re.compile(r"\b(now\s*\(\)|current_timestamp|transaction_timestamp\s*\(\)|statement_timestamp\s*\(\))", re.IGNORECASE)
_SESSION = re.compile(r"^\s*(SET\s+(?!LOCAL\b)|RESET|SELECT\s+set_config)", re.IGNORECASE)


@dataclass
class Recorder:
    """Keeps each distinct statement once, with how often it ran."""

    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, sql: str) -> None:
        self.seen[sql] += 1

    def problems(self) -> list[str]:
        """What breaks a rule, with the beginning of the statement."""
        return [f"{problem}: {_short(sql)}" for sql in self.seen for problem in problems_of(sql)]


def problems_of(sql: str) -> Iterator[str]:
    """The rules that one statement breaks."""
    bare = _STRING.sub("''", sql)
    if _SESSION.search(bare):
        yield "a session setting survives in the pool (rule 9)"
    if _VOLATILE.search(bare):
        yield "a volatile function (rule 8)"
    if "current_setting" in bare:
        yield "current_setting() in place of the parameter (rule 7)"
    if re.search(r"\bMERGE\s+INTO\b", bare, re.IGNORECASE):
        yield "MERGE (rule 8)"
    if re.search(r"\bVALUES\s*\([^)]*\(\s*SELECT\b", bare, re.IGNORECASE):
        yield "a sub-select inside VALUES (rule 8)"
    if (
        _NOW.search(bare)
        and re.search(r"\b(UPDATE|INSERT|DELETE)\b", bare, re.IGNORECASE)
        and not (UNFENCED | BY_POSTGRESQL) & set(re.findall(r"[a-z_]+", bare))
    ):
        yield "now() in a write of business data; times are parameters (rule 8)"
    if " ".join(sql.split()) in ACROSS:
        return
    yield from _without_organization(bare)


def _without_organization(sql: str) -> Iterator[str]:
    held = set(re.findall(r"\b([a-z_][a-z0-9_]*)\s+AS\s+(?:NOT\s+MATERIALIZED\s+|MATERIALIZED\s+)?\(", sql))
    bound = {match[1].lower() for pattern in (_BOUND_LEFT, _BOUND_RIGHT) for match in pattern.finditer(sql)}
    if _BOUND_BARE.search(sql):
        bound.add("")
    words = list(_CLAUSE.finditer(sql))
    starts = [match.start() for match in words]
    for match in _MENTION.finditer(sql):
        word, _, table, alias = match.groups()
        if table not in TENANT or table in held:
            continue
        if word == ",":  # separates tables if the last keyword before it is FROM, at the same depth; else columns or arguments
            before = bisect_left(starts, match.start()) - 1
            if before < 0 or words[before].group().upper() != "FROM":
                continue
            between = sql[words[before].end() : match.start()]
            if between.count("(") != between.count(")"):
                continue
        if word.upper() == "INTO":
            if not re.match(r"\s*\(\s*org_id\b", sql[match.end(3) : match.end(3) + 100].lstrip('"')):
                yield f"INSERT INTO {table} does not begin with org_id (rule 7)"
            continue
        name = alias if alias is not None and alias.lower() not in _WORDS else table
        if name.lower() not in bound and not (name == table and "" in bound):
            yield f"{table} (as {name}) without org_id = $n (rule 7)"


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) < 400 else f"{text[:300]} … {text[-100:]}"
