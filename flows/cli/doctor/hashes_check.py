"""Whether the compiled hashes are in use, which a check against ImageHash decides."""

from __future__ import annotations

from features.hashing.fingerprint import RECIPE
from features.hashing.selfcheck import warmup
from flows.cli.console import STDERR
from flows.cli.doctor.finding import Finding, State, ok


def hashes() -> Finding:
    """Check that pictures are hashed the fast way; the slow way gives the same bits."""
    trouble = warmup(STDERR.print)
    if trouble is None:
        return ok("hashes", f"compiled, and as ImageHash gives them ({RECIPE})")
    advice = "Nothing is wrong with the hashes: ImageHash makes them, more slowly. Report it with the versions above."
    return Finding("hashes", State.WARN, trouble, advice)
