"""What happens without anyone there: which months a night makes, what it did, and who is told."""
