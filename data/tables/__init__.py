"""The input tables: which columns they have, how their texts become typed values, and how tables become files."""
