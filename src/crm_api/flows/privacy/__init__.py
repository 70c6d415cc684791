"""A person's data: where it can be, bringing it together, and removing it."""
