"""Downloading from addresses that strangers wrote: guarded, bounded in time and size, and fair between hosts."""
