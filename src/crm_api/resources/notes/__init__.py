"""The notes resource."""

from crm_api.resources.notes.resource import notes

__all__ = ["notes"]
