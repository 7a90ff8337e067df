"""Scores that were given, by which model, and which listings were drawn at random beside them."""
