"""Compiled loops; only `features.fast_hashes` and `features.index` import them."""
