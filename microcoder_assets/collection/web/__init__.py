"""Live collection: contest sites asked politely, every answer archived, problems read from the archive."""
