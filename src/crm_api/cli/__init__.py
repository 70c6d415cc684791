"""The command line: `crm-api up`, `serve`, `worker`, `migrate`, `org create`, `token create`, `openapi`, `demo`."""

from crm_api.cli.app import app, main

__all__ = ["app", "main"]
