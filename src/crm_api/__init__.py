"""crm_api: a headless CRM behind one HTTP API."""
