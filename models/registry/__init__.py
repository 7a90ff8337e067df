"""Kept models, their cards, and files that are checked before anything in them is believed."""
