"""Sandboxes: organisations made from another one, with ids of their own, personal data masked, and nothing that gets out."""
