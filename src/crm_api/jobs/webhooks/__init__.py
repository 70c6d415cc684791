"""The worker's part in webhooks: making deliveries of the journal's events, and sending them."""
