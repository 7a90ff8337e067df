"""Compiled loops that find keypoints and describe them."""
