"""Hugging Face data sets of problems: one module a set, which says how a row of its layout becomes a problem."""
