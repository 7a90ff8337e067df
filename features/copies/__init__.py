"""The search for copies: from a query picture to the reference pictures that show the same photo."""
