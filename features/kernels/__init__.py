"""Compiled loops over pixels; nothing outside `features.fast_hashes` imports them."""
