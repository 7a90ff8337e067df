"""The analysts' desk: where people look at scored listings and decide."""
