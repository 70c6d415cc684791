"""Changing an organisation's schema: its objects, fields and options, with what follows from a change."""
