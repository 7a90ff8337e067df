"""Exact search of 64-bit keys by Hamming distance."""
