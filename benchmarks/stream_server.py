"""The product on one process, as `crm-api serve` runs it, which tells on SIGUSR1 how many statements it has run: into the file named."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import uvicorn

from crm_api.http.app import Application
from crm_api.http.protocol import Protocol
from crm_api.main import build
from crm_api.settings import Settings

if __name__ == "__main__":
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    app = build(Settings())
    assert isinstance(app, Application)
    run: list[str] = []
    app.state.services.database.observers.append(run.append)

    def tell(*_: object) -> None:
        file.write_text("\n".join(" ".join(sql.split())[:60] for sql in run))
        run.clear()

    signal.signal(signal.SIGUSR1, tell)
    uvicorn.run(
        app, port=port, http=Protocol, lifespan="on", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
