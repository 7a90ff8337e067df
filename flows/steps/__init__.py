"""The stages of a run as plain functions: each takes a context and keys, does its part for good, and returns counts."""
