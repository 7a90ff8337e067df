"""The commands that look pictures up: ``similar`` and ``duplicates``, and how they show what they found."""
