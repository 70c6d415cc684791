"""Webhooks: which events go to which endpoint, what is sent, and what follows from the answer."""
