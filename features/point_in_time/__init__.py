"""The features of a listing as of a moment, made only of what was known then."""
