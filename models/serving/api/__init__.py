"""What notebooks and scripts use: a home with its tables as frames, searches, single scores and training."""
