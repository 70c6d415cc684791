"""Operations that span objects, and those on what is no record: organisations, tokens, reports, demo data."""
