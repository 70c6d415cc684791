"""The segments resource."""

from crm_api.resources.segments.resource import segments

__all__ = ["segments"]
