"""The record engine as one value: the objects, and what reads and writes them. Built once per process."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_api.db.statement import StatementCache
from crm_api.kernel.reader import Reader
from crm_api.kernel.registry import Registry
from crm_api.kernel.writer import Writer


@dataclass(frozen=True, slots=True)
class Engine:
    """`statements` keeps compiled statements for the life of the process; `reader` and `writer` hold no state of
    requests. `cursor_key` signs page cursors and is the same in every process."""

    registry: Registry
    reader: Reader
    writer: Writer
    cursor_key: bytes
    statements: StatementCache = field(default_factory=StatementCache)
