"""The authorization server's routes and pages. What they do is in `flows/oauth`."""
