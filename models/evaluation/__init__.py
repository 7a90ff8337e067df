"""How good scores are, by which measure, for whom, and how surely."""
