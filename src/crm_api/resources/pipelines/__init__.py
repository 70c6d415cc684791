"""The pipelines resource."""

from crm_api.resources.pipelines.resource import pipelines

__all__ = ["pipelines"]
