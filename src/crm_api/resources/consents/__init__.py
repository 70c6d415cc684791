"""The consents resource."""

from crm_api.resources.consents.resource import consents

__all__ = ["consents"]
