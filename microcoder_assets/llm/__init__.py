"""Asking a model behind an OpenAI-compatible server: cache, budget, retries."""
