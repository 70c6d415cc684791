"""The organisation's own schema over HTTP: what there is, and changing it."""
