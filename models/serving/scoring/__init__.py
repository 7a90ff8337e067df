"""Listings described, scored and queued, with what the catalog knows."""
