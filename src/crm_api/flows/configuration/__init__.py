"""An organisation's configuration as one JSON document: reading it, comparing it, applying it to this or another organisation."""
