"""Training: candidates, their choice, and whether one may replace the champion."""
