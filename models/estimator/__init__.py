"""The estimator, the rule before it, and what both say of a listing: score, band and reasons."""
