"""Proof by execution."""
