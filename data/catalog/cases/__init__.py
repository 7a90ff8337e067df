"""The analysts' cases: which there are, in which order, who has one, and what was decided."""
