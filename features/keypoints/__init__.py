"""Places in a picture that are found again in its copies, each with a hash of what surrounds it."""
