"""The largest consistent set of matches, by trying every match against every other."""

from __future__ import annotations

import math

import numpy as np

from features.copies.candidates import LOG_SCALE_TOLERANCE, PLACE_TOLERANCE_PIXELS, PLACE_TOLERANCE_SHARE
from features.keypoints.orientations import BETWEEN, MATRICES


def orientation_of(matches, n):
    return int(BETWEEN[matches.query_turn[n], matches.reference_turn[n]])


def agree(matches, centre, other):
    """Whether two matches tell of one orientation, scale and place."""
    log_scales = (matches.query - matches.reference)[[centre, other], 2]
    query_way = matches.query[other, :2] - matches.query[centre, :2]
    reference_way = matches.reference[other, :2] - matches.reference[centre, :2]
    off = np.linalg.norm(
        query_way - math.exp(log_scales[0]) * MATRICES[orientation_of(matches, centre)] @ reference_way
    )
    return (
        orientation_of(matches, centre) == orientation_of(matches, other)
        and abs(log_scales[0] - log_scales[1]) <= LOG_SCALE_TOLERANCE
        and off <= PLACE_TOLERANCE_PIXELS + PLACE_TOLERANCE_SHARE * np.linalg.norm(query_way)
    )


def peaks_slowly(matches):
    """The most matches around any one, and that one, for each pair of pictures."""
    for pair in np.unique(matches.pair):
        most, around = 0, None
        of_pair = np.flatnonzero(matches.pair == pair)
        for centre in of_pair:
            query_seen, reference_seen, count = set(), set(), 0
            for other in of_pair:
                points = int(matches.query_point[other]), int(matches.reference_point[other])
                if agree(matches, centre, other) and points[0] not in query_seen and points[1] not in reference_seen:
                    query_seen.add(points[0])
                    reference_seen.add(points[1])
                    count += 1
            if count > most:
                most, around = count, centre
        yield pair, most, around
