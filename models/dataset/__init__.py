"""What is learned from: examples, labels, and divisions of them in time, by seller and by photo."""
