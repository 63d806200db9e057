"""Immutable Parquet, the decision ledger and the DuckDB catalogue."""
