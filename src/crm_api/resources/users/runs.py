"""What the statements about people run on: a transaction, or a connection on which each is a transaction of its own."""

from __future__ import annotations

from crm_api.db.engine import Connection
from crm_api.db.uow import Uow

Runs = Connection | Uow
