"""One picture of a pair registered on the other: where it lies, how far both agree, and what was edited."""
