"""What a monitor checks, and how chance is told from change."""
