"""Where a photo was seen before, under which other party, and what of it counts as evidence."""
