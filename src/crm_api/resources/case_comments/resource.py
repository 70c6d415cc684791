"""Comments on cases: the conversation with the customer, and what staff tell each other."""

from __future__ import annotations

from crm_api.kernel.resource import ALL_VERBS, Resource
from crm_api.models.service import CaseComment
from crm_api.resources.case_comments.rules import CaseCommentRules
from crm_api.resources.case_comments.schemas import CaseCommentCreate, CaseCommentRead, CaseCommentUpdate

case_comments = Resource[CaseComment, CaseCommentCreate, CaseCommentUpdate, CaseCommentRead](
    name="case_comments",
    singular="case_comment",
    model=CaseComment,
    create=CaseCommentCreate,
    update=CaseCommentUpdate,
    read=CaseCommentRead,
    display=lambda row: str(row["body"]["content"])[:80],
    description="The conversation on a case. Public comments reach the customer, internal ones never do.",
    example={"body": {"format": "text", "content": "Please switch it off and on again."}, "visibility": "public"},
    search=("body",),
    rules=CaseCommentRules(),
    verbs=ALL_VERBS - {"merge"},
    parent="cases",
    sharing="parent",
)
