"""One search box for all objects: words and prefixes, and where they find nothing, near misses.

A near miss is found without an extension: a word with one wrong, missing or extra letter still contains the trigrams left and
right of it. For each place where the letter may be, those trigrams are asked for, and the index on them answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause, Select

from crm_api.core.text import fold, folded_trigrams, folded_words
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.filters import ORG
from crm_api.kernel.query.text import text_query
from crm_api.kernel.query.visible_text import contains_parts, matches, words_of
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

MAX_HITS: Final = 50
RANKED: Final = 500
"""Of each object the newest matches are ranked, at most so many."""
SHORTEST_GUESS: Final = 5
MAX_GUESSES: Final = 16
_DETAIL_TYPES: Final = (FieldType.EMAIL, FieldType.PHONE, FieldType.TEXT, FieldType.URL)


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found. `highlight` is HTML-escaped text with the matching parts in `<em>`."""

    object: str
    id: str
    display_name: str
    detail: str | None
    highlight: str
    score: float

    def json(self) -> dict[str, Any]:
        """The hit as the API shows it."""
        return {
            "object": self.object,
            "id": self.id,
            "display_name": self.display_name,
            "detail": self.detail,
            "highlight": self.highlight,
            "score": self.score,
        }


async def search(context: Context, resources: Sequence[AnyResource], text: str, limit: int) -> list[Hit]:
    """The best hits over several objects. Raises InvalidValue for a text that is none."""
    query = text_query(text, context.principal.organization.region)
    words = folded_words(fold(text))
    guesses = near_misses(max(words, key=len)) if len(words) <= 3 else []
    names = tuple(resource.name for resource in resources)
    policy = context.policy
    context.plan_by_values(*resources)
    shape = ("global_search", context.registry.key, policy.shape, names, len(guesses))
    statement = context.statements.get(shape, lambda: _statement(policy, resources, len(guesses)))
    near = {f"t{i}": grams for i, grams in enumerate(guesses)}
    values = {"org_id": context.principal.org_id, **policy.values, "q": query, "limit": limit, **near}
    rows = await context.uow.fetch(statement, values)
    return [
        Hit(
            row["object"],
            str(row["id"]),
            row["display_name"],
            row["detail"],
            highlight(row["display_name"], row["detail"], words),
            float(row["score"]),
        )
        for row in rows
    ]


def near_misses(word: str) -> list[list[str]]:
    """For each place of a letter that may be wrong: the trigrams that stay right. Empty for words too short to guess at."""
    if len(word) < SHORTEST_GUESS:
        return []
    found: dict[tuple[str, ...], None] = {}
    for place in range(len(word)):
        grams = tuple(sorted({*folded_trigrams(word[:place]), *folded_trigrams(word[place + 1 :])}))
        if len(grams) >= 2:
            found[grams] = None
    return [list(grams) for grams in found][:MAX_GUESSES]


def highlight(name: str, detail: str | None, words: Sequence[str]) -> str:
    """The text that was found, with the parts that match marked."""
    parts = []
    for text in (name, detail or ""):
        shown = [f"<em>{escape(part)}</em>" if _matches(part, words) else escape(part) for part in re.split(r"(\W+)", text) if part]
        if shown:
            parts.append("".join(shown))
    return " · ".join(parts)


def _matches(part: str, words: Sequence[str]) -> bool:
    folded = fold(part)
    return any(folded.startswith(word) for word in words)


def _statement(policy: Policy, resources: Sequence[AnyResource], guesses: int) -> Statement:
    tsquery = sa.func.to_tsquery(sa.literal_column("'simple'"), sa.bindparam("q", type_=sa.Text()))
    limit = sa.bindparam("limit", type_=sa.Integer())
    exact = sa.union_all(*(_exact(policy, resource, tsquery) for resource in resources)).cte("exact")
    best = sa.select(exact).order_by(exact.c.score.desc(), exact.c.id.desc()).limit(limit).cte("best")
    parts: list[Select[Any]] = [sa.select(best)]
    if guesses:
        nothing = ~sa.exists(sa.select(sa.literal_column("1")).select_from(best))
        near = sa.union_all(*(_near(policy, resource, guesses, nothing) for resource in resources)).subquery("near")
        parts.append(sa.select(near).limit(limit))
    found = sa.union_all(*parts).subquery("found")
    return compile_statement(sa.select(found).order_by(found.c.score.desc(), found.c.id.desc()).limit(limit))


def _columns(resource: AnyResource, row: FromClause, score: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    details = [
        row.c[name]
        for kind in _DETAIL_TYPES
        for name in resource.search
        if resource.fields[name].type is kind and name not in ("name", "subject", "first_name", "last_name", "title")
    ]
    detail = sa.func.coalesce(*details) if details else sa.cast(sa.null(), sa.Text)
    return [
        sa.literal_column(f"'{resource.name}'").label("object"),
        row.c.id,
        resource.fields["display_name"].value(row).label("display_name"),
        detail.label("detail"),
        sa.cast(score, sa.Double).label("score"),
    ]


def _live(policy: Policy, resource: AnyResource, row: FromClause) -> list[ColumnElement[bool]]:
    seen = policy.predicate(resource, row)
    return [row.c.org_id == ORG, row.c.deleted_at.is_(None), *resource.scope(row), *([] if seen is None else [seen])]


def _exact(policy: Policy, resource: AnyResource, tsquery: ColumnElement[Any]) -> Select[Any]:
    row = resource.table.alias("t")
    rank = sa.func.ts_rank_cd(words_of(resource, row), tsquery, sa.literal_column("1"))
    newest = (
        sa.select(*_columns(resource, row, rank))
        .where(*_live(policy, resource, row), *matches(resource, row, tsquery))
        .order_by(row.c.created_at.desc())
        .limit(sa.literal_column(str(RANKED)))
        .subquery("n")
    )
    return sa.select(newest)


def _near(policy: Policy, resource: AnyResource, guesses: int, nothing: ColumnElement[bool]) -> Select[Any]:
    row = resource.table.alias("t")
    fits = [contains_parts(resource, row, sa.bindparam(f"t{i}", type_=ARRAY(sa.Text()))) for i in range(guesses)]
    # the more of the places fit, the better the guess
    score: ColumnElement[Any] = sum(
        (sa.case((fit, sa.literal_column("0.0001")), else_=sa.literal_column("0")) for fit in fits), sa.literal_column("0")
    )
    rows = (
        sa.select(*_columns(resource, row, score))
        .where(nothing, *_live(policy, resource, row), sa.or_(*fits))
        .order_by(row.c.created_at.desc())
        .limit(sa.literal_column(str(RANKED)))
        .subquery("n")
    )
    return sa.select(rows)
