"""What turns stored facts into matches, scores and searches, for whoever asks: scheduled runs or the desk."""
