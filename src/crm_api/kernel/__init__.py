"""The record engine: what every object gets by declaring itself. Knows no particular object."""
