"""People: how they sign in, what proves who they are, and how they come into an organisation and leave it."""
