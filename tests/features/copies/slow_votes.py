"""The largest consistent set of matches, by trying every match against every other."""

from __future__ import annotations

import math

import numpy as np

from features.copies.hough_voting import LOG_SCALE_TOLERANCE, PLACE_TOLERANCE_PIXELS, PLACE_TOLERANCE_SHARE
from features.keypoints.orientations import BETWEEN, MATRICES


def lead_of(matches, n):
    return int(BETWEEN[matches.asked_turn[n], matches.known_turn[n]])


def agree(matches, centre, other):
    """Whether two matches tell of one orientation, scale and place."""
    log_scales = (matches.asked - matches.known)[[centre, other], 2]
    asked_way = matches.asked[other, :2] - matches.asked[centre, :2]
    known_way = matches.known[other, :2] - matches.known[centre, :2]
    off = np.linalg.norm(asked_way - math.exp(log_scales[0]) * MATRICES[lead_of(matches, centre)] @ known_way)
    return (
        lead_of(matches, centre) == lead_of(matches, other)
        and abs(log_scales[0] - log_scales[1]) <= LOG_SCALE_TOLERANCE
        and off <= PLACE_TOLERANCE_PIXELS + PLACE_TOLERANCE_SHARE * np.linalg.norm(asked_way)
    )


def voted_slowly(matches):
    """The most matches around any one, and that one, for each pair of pictures."""
    for pair in np.unique(matches.pair):
        most, around = 0, None
        of_pair = np.flatnonzero(matches.pair == pair)
        for centre in of_pair:
            asked_seen, known_seen, count = set(), set(), 0
            for other in of_pair:
                points = int(matches.asked_point[other]), int(matches.known_point[other])
                if agree(matches, centre, other) and points[0] not in asked_seen and points[1] not in known_seen:
                    asked_seen.add(points[0])
                    known_seen.add(points[1])
                    count += 1
            if count > most:
                most, around = count, centre
        yield pair, most, around
