"""``python -m seenbefore`` is the command ``seenbefore``."""

from seenbefore import main

main()
