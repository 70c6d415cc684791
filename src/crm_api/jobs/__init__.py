"""What happens beside requests: numbering events, sweeping up, and whatever is due later. PostgreSQL holds the truth; Valkey wakes."""
