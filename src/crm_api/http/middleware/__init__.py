"""What every request passes through before and after its route: one ASGI wrapper, `Edge`, made of small parts.

Each part is a module of plain functions on raw header lists; `edge.py` strings them together, so a request pays for
one wrapper and a handful of dictionary look-ups instead of a stack of nested callables.
"""

from crm_api.http.middleware.edge import Edge, EdgeConfig

__all__ = ["Edge", "EdgeConfig"]
