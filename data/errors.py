"""Every error Seenbefore raises on purpose, in one tree.

::

    SeenbeforeError
    ├── CallerError        exit 2: the request cannot be carried out as given
    │   ├── SettingsError      a setting is missing or malformed
    │   ├── SourceError        a table cannot be opened or read
    │   ├── TableError         a table lacks columns, or a mapping does not fit it
    │   ├── BusyError          another run holds this home
    │   ├── ModelError         a model is unknown, changed, or made for other features
    │   ├── NotEnoughLabels    too few decisions are known to learn from or to judge by
    │   ├── EmptySpan          nothing became known in the span of time that was asked for
    │   ├── ExportError        a table cannot be written as asked
    │   ├── VerdictError       a decision cannot be written as asked
    │   └── CaseChanged        somebody else decided first
    ├── LeakError          exit 1: a time-ordered split lets the future or the same photos into training
    └── OutsideError       exit 3: network, disk, database or system did not do their part
        ├── UnreachableError   a database that holds a table does not answer
        ├── CatalogError       the catalog cannot be opened, or holds another schema
        ├── StoreError         the image store cannot be read or written
        │   └── LostPicture        a picture that was stored is gone or damaged
        ├── SegmentsError      the files of the match index are missing, damaged, or of another version
        ├── WriteError         a output file cannot be written
        └── WorkerError        a process that opens pictures cannot be started

Constructors take the facts and write the sentence: what was expected, what was found, where, and how to go on.
Anything else that escapes is our bug: exit 1.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class ExitCode(IntEnum):
    """How every command ends."""

    DONE = 0
    OUR_BUG = 1
    CALLER = 2
    OUTSIDE = 3


class SeenbeforeError(Exception):
    """Root of the errors that are raised on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.OUR_BUG


class CallerError(SeenbeforeError):
    """The request cannot be carried out as given; the caller can correct it."""

    exit_code = ExitCode.CALLER


class OutsideError(SeenbeforeError):
    """The network, the disk or the database did not do its part; trying again may help."""

    exit_code = ExitCode.OUTSIDE


class SettingsError(CallerError):
    """One or more settings are malformed.

    Parameters
    ----------
    problems
        One sentence each, all of them at once.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(
            f"{len(self.problems)} setting(s) cannot be used:\n{listed}\n"
            "Set SEENBEFORE_* in the environment, in .env or in seenbefore.toml; "
            "`seenbefore doctor` shows what is in force."
        )


class SourceError(CallerError):
    """A source of rows cannot be opened or read."""

    def __init__(self, source: str, found: str, advice: str) -> None:
        self.source = source
        super().__init__(f"Cannot read {source}: {found}. {advice}")


class TableError(CallerError):
    """A table does not have the columns it must have; every problem is named at once."""

    def __init__(self, source: str, problems: Sequence[str], advice: str) -> None:
        self.source = source
        self.problems = list(problems)
        self.advice = advice
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{source} cannot be loaded, and nothing was written:\n{listed}\n{advice}")


class BusyError(CallerError):
    """Another run holds this home."""

    def __init__(self, home: str, holder: str) -> None:
        super().__init__(f"Another run holds {home} ({holder}). One run at a time: wait for it, or use another --home.")


class ModelError(CallerError):
    """A model is unknown, was changed on disk, or belongs to other features or libraries."""

    def __init__(self, model_id: str, found: str, advice: str) -> None:
        self.model_id = model_id
        super().__init__(f"Model {model_id} cannot be used: {found}. {advice}")


class NotEnoughLabels(CallerError):  # noqa: N818 -- the name is the fact
    """Too few decisions are known to learn from, or to judge a model by."""

    def __init__(self, *, fraud: int, legit: int, needed: int, what_for: str) -> None:
        self.fraud = fraud
        self.legit = legit
        super().__init__(
            f"Not enough labels {what_for}: found {fraud} fraud and {legit} legit, needed at least {needed} of each. "
            "Load more with `seenbefore ingest LISTINGS --labels LABELS`, or use a later --until; until then the "
            "rule scores."
        )


class EmptySpan(CallerError):  # noqa: N818 -- the name is the fact
    """Nothing became known in a span of time."""

    def __init__(self, since: datetime, until: datetime, known: tuple[datetime, datetime] | None) -> None:
        shown = "%Y-%m-%dT%H:%M:%SZ"
        found = (
            f"what the catalog knows came from {known[0]:{shown}} to {known[1]:{shown}}. Give a --since and an --until "
            "that include some of it"
            if known
            else "the catalog is empty. Load listings with `seenbefore ingest LISTINGS` first"
        )
        super().__init__(
            f"Nothing to score: expected listings or pictures first known from {since:{shown}} to {until:{shown}}, "
            f"found none; {found}."
        )


class ExportError(CallerError):
    """A table cannot be written as asked."""

    def __init__(self, what: str, found: str, advice: str = "") -> None:
        super().__init__(f"Cannot export {what}: {found}. {advice}".rstrip())


class VerdictError(CallerError):
    """A decision cannot be written as asked."""

    def __init__(self, what: str, found: str, advice: str) -> None:
        super().__init__(f"Cannot {what}: found {found}. {advice}")


class CaseChanged(CallerError):  # noqa: N818 -- the name is the fact
    """Somebody else wrote about a listing after the page that was decided on had been made."""

    def __init__(self, actor: str, kind: str, verdict: str) -> None:
        self.actor = actor
        super().__init__(
            f"{actor} was faster: {kind.replace('_', ' ')}, and the listing is {verdict} now. "
            "Nothing of yours was written; look at the case as it stands."
        )


class LeakError(SeenbeforeError):
    """A split that must keep time, sellers and photos apart does not; every leak is named at once."""

    def __init__(self, leaks: Sequence[str]) -> None:
        self.leaks = list(leaks)
        listed = "\n".join(f"  - {leak}" for leak in leaks)
        super().__init__(f"The time-ordered split leaks, so none of its figures can be trusted:\n{listed}")


class UnreachableError(OutsideError):
    """A database that holds a table to be loaded does not answer."""

    def __init__(self, source: str, found: str) -> None:
        super().__init__(f"Cannot reach {source}: {found}. Nothing was lost: run it again when the database answers.")


class CatalogError(OutsideError):
    """The catalog cannot be opened, or holds a schema this version does not know."""

    def __init__(self, url: str, found: str, advice: str) -> None:
        super().__init__(f"The catalog at {url} cannot be used: {found}. {advice}")


class StoreError(OutsideError):
    """The image store cannot be read or written."""

    def __init__(self, url: str, found: str, advice: str) -> None:
        super().__init__(f"The image store at {url} cannot be used: {found}. {advice}")


class LostPicture(StoreError):  # noqa: N818 -- the name is the fact
    """A picture that was stored is gone, or holds other bytes than its name says."""

    def __init__(self, url: str, image_id: str, found: str) -> None:
        super().__init__(url, f"{image_id} {found}", "The next ingest downloads it again.")


class SegmentsError(OutsideError):
    """The files of the match index are missing, damaged, or of another version."""

    def __init__(self, path: str, found: str) -> None:
        self.path = path
        super().__init__(
            f"The match index at {path} cannot be used: {found}. Rebuild it: everything in it is also in the catalog."
        )


class WriteError(OutsideError):
    """A output file cannot be written."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__(f"Cannot write {path}: {found}. Any earlier file there is unchanged.")


class WorkerError(OutsideError):
    """A process that opens pictures ended before it was ready for any."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(
            f"A process that opens pictures cannot be started: it ended with {exit_code}. "
            "See its output above, check free memory, and run `seenbefore doctor`."
        )
