"""Who may do what: rights as an organisation has set them, and what they mean for one user's records and fields."""
