"""Pure functions: picture to hashes, hashes to matches, matches and time to features."""
