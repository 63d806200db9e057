"""Immutable Parquet, the decision ledger and the DuckDB catalogue."""

from microcoder_assets.store.packs import Blobs, Packs
from microcoder_assets.store.parquet_store import Manifest, ParquetStore, Part, Partition

__all__ = ["Blobs", "Manifest", "Packs", "ParquetStore", "Part", "Partition"]
