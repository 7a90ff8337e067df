"""Exact Hamming search that looks into few buckets instead of at all keys.

The definition of a hit is `features.hamming`; this finds the same rows. Importing it loads the compiler, which takes
a third of a second: import it where it is used.

Keys are put in order several times, each time by another part of their bits (multi-index hashing: Norouzi, Punjani and
Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing", 2014). A pair that differs in few bits differs in
fewer within at least one part, so only buckets near the query's own need be looked into.
"""
