"""LiveCodeBench scores."""
