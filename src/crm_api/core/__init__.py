"""Plain Python that everything else stands on: no database, no HTTP framework, no settings."""
