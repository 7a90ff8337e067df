"""The worker processes of this process: each opens one picture at a time, and a lost one is replaced.

A picture that ends two workers is poison. The second decides, because the first may have been ended by something else:
by the system, for one, when another program took all memory.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import WorkerError
from data.images.decode import UnreadableReason
from data.progress import say
from models.serving.decoding.worker import MEMORY_EXIT, Late, Message, Wanted, hear, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.settings import DecodeSettings

COMMAND = (sys.executable, "-P", "-m", "models.serving.decoding.worker")
TRIES = 2
GRACE_S = 30.0
"""How much later than a worker's own alarm it is ended from here: one that the system has stopped has no alarm."""
START_LIMIT_S = 300.0
"""Compiling takes ten seconds of a core that is free."""
END_LIMIT_S = 5.0
HOW_IT_ENDED = {
    UnreadableReason.POISON_TIME: "Opening it took too long.",
    UnreadableReason.POISON_MEMORY: "Opening it took too much memory.",
    UnreadableReason.POISON_CRASH: "The process that opened it crashed.",
}
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class _Lost(Exception):  # noqa: N818 -- the name is the fact
    """A worker ended over what it was given."""


class Worker:
    """One worker process, ready to open pictures.

    Parameters
    ----------
    command
        What to start; two arguments are added: the number of the file it is to talk on, and the settings as JSON.
    settings
        What a picture may take.

    Raises
    ------
    WorkerError
        It cannot be started.
    """

    def __init__(self, command: Sequence[str], settings: DecodeSettings) -> None:
        self._patience_s = settings.timeout_s + GRACE_S
        self._connection, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 -- the command is ours
                [*command, str(theirs.fileno()), settings.model_dump_json()],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        try:
            while "ready" not in (message := self._hear(START_LIMIT_S)):
                say(message["say"])
        except (_Lost, Late) as error:
            self.end()
            raise WorkerError(self.process.returncode) from error

    def ask(self, wanted: Wanted, content: bytes, **more: int) -> Message | UnreadableReason:
        """Return what a picture file gives, or how it ended this worker, which is of no more use then."""
        try:
            tell(self._connection, {"wanted": wanted, "content": content, **more})
            return self._hear(self._patience_s)
        except Late:
            self.process.kill()
            self.end()
            return UnreadableReason.POISON_TIME
        except (_Lost, ConnectionError):
            self.end()
            return _verdict(self.process.returncode)

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self.process.poll() is None

    def end(self) -> None:
        """End it: an idle one leaves when its connection is closed, any other is killed."""
        self._connection.close()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _hear(self, patience_s: float) -> Message:
        try:
            return hear(self._connection, patience_s)
        except (EOFError, ConnectionError) as error:
            raise _Lost from error


@dataclass(slots=True)
class Workers:
    """The idle workers of this process; there come to be as many as there are threads that ask at once.

    Parameters
    ----------
    settings
        What a picture may take.
    command
        What a worker is started with.
    """

    settings: DecodeSettings
    command: Sequence[str] = COMMAND
    _idle: list[Worker] = field(default_factory=list)
    _first: threading.Lock = field(default_factory=threading.Lock)
    _warmed: bool = False

    def fingerprint(self, content: bytes) -> Message:
        """Decode, fingerprint and sketch a picture file.

        Returns
        -------
        dict
            As `models.serving.decoding.worker.answer` says; the reasons are those of poison too.

        Raises
        ------
        WorkerError
            No worker can be started.
        """
        return self._ask(Wanted.FINGERPRINT, content)

    def thumbnail(self, content: bytes, side_pixels: int) -> bytes | None:
        """Return a JPEG of a picture file for people, at most so large a side; ``None`` if it cannot be read.

        Raises
        ------
        WorkerError
            No worker can be started.
        """
        jpeg: bytes | None = self._ask(Wanted.THUMBNAIL, content, side_pixels=side_pixels).get("jpeg")
        return jpeg

    def prepare(self) -> None:
        """Have a worker ready, so that the first picture waits for none to start.

        Raises
        ------
        WorkerError
            No worker can be started.
        """
        self._idle.append(self._take(fresh=False))

    def end(self) -> None:
        """End all idle workers."""
        while self._idle:
            self._idle.pop().end()

    def _ask(self, wanted: Wanted, content: bytes, **more: int) -> Message:
        ended_by = UnreadableReason.POISON_CRASH
        for attempt in range(TRIES):
            worker = self._take(fresh=attempt > 0)
            answer = worker.ask(wanted, content, **more)
            if not isinstance(answer, UnreadableReason):
                self._idle.append(worker)
                return answer
            ended_by = answer
        return {"reason": str(ended_by), "detail": HOW_IT_ENDED[ended_by]}

    def _take(self, *, fresh: bool) -> Worker:
        while self._idle and not fresh:
            try:
                worker = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if worker.alive:
                return worker
            worker.end()
        return self._started()

    def _started(self) -> Worker:
        if self._warmed:
            return Worker(self.command, self.settings)
        with self._first:  # it may compile; the others then load what it compiled
            worker = Worker(self.command, self.settings)
            self._warmed = True
        return worker


@cache
def workers_for(settings: DecodeSettings) -> Workers:
    """Return this process's workers with some settings; they end with the process."""
    workers = Workers(settings)
    atexit.register(workers.end)
    return workers


def _verdict(exit_code: int | None) -> UnreadableReason:
    if exit_code == MEMORY_EXIT:
        return UnreadableReason.POISON_MEMORY
    return UnreadableReason.POISON_TIME if exit_code == -signal.SIGALRM else UnreadableReason.POISON_CRASH


def _environment() -> dict[str, str]:
    """Return ours, with one thread for each library that would start several, and the same code in the same order."""
    places = [str(Path(place).absolute()) for place in sys.path]
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(places)}
