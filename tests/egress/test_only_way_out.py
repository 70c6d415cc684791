"""Nothing else in the product makes requests to others."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "crm_api"
CLIENTS = {
    "httpx",
    "httpcore",
    "aiohttp",
    "requests",
    "urllib3",
    "http.client",
    "urllib.request",
    "ftplib",
    "smtplib",
    "aiosmtplib",
    "socket",
}
KNOWN = {
    "core/egress",  # the way out
    "cli",  # runs at the user's, and asks this API or the user's own machine
    "embedded",  # starts servers of its own
    "http/valkey.py",  # the operator's Valkey
    "jobs/mail.py",  # the operator's mail server
    "flows/connection_test.py",  # speaks SMTP over a socket that core/egress connected
}


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute) and node.attr in ("open_connection", "create_connection", "sock_connect", "getaddrinfo"):
            found.add("socket")
    return found


def test_nobody_else_connects() -> None:
    others = {
        str(file.relative_to(SOURCE)): sorted(_imported(file) & CLIENTS)
        for file in SOURCE.rglob("*.py")
        if not any(str(file.relative_to(SOURCE)).startswith(known) for known in KNOWN) and _imported(file) & CLIENTS
    }
    assert others == {}
