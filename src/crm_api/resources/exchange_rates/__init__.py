"""The exchange rates resource."""

from crm_api.resources.exchange_rates.resource import exchange_rates

__all__ = ["exchange_rates"]
