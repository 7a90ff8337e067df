"""Sources of rows: CSV, TSV, JSON Lines and Parquet files, folders of them, and SQL databases."""

from data.sources.batching import Batch, Broken, Source
from data.sources.files import DEFAULT_ENCODING, open_source

__all__ = ["DEFAULT_ENCODING", "Batch", "Broken", "Source", "open_source"]
