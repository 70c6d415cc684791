"""Tasks: what is to be done, linked to whatever it concerns."""

from __future__ import annotations

from crm_api.kernel.resource import ManyToMany, Resource
from crm_api.kernel.schema import PlainLink
from crm_api.models.activities import Task
from crm_api.resources.tasks.rules import TaskRules
from crm_api.resources.tasks.schemas import TaskCreate, TaskRead, TaskUpdate

tasks = Resource[Task, TaskCreate, TaskUpdate, TaskRead](
    name="tasks",
    singular="task",
    model=Task,
    create=TaskCreate,
    update=TaskUpdate,
    read=TaskRead,
    display=lambda row: row["subject"],
    description="Things to be done by somebody by a certain time, linked to any number of accounts, contacts, leads, deals and cases.",
    example={"subject": "Send the offer", "due_at": "2026-11-30T16:00:00Z", "priority": "high"},
    search=("subject", "description"),
    links=tuple(ManyToMany(target, target, "tasks", PlainLink) for target in ("accounts", "contacts", "leads", "deals", "cases")),
    rules=TaskRules(),
    searchable=True,
)
