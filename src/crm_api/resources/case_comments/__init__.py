"""The case comments resource."""

from crm_api.resources.case_comments.resource import case_comments

__all__ = ["case_comments"]
