"""One supervised process: it dies with us, is started again with growing pauses, and leaves nobody behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 30.0
LARGEST_LOG = 20 * 1024 * 1024
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with(parent: int) -> Callable[[], None]:
    """Return what a new process runs first: Linux kills it as soon as `parent` is gone, even by kill -9.

    The tie belongs to the thread that forks, so children are started from the main thread only.
    """

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # the parent went before the tie was made
                os._exit(1)

    return tie


class Child:
    """A process of the portal, with its log and with the pause before it may start again. Times are in seconds."""

    def __init__(
        self, name: str, argv: Sequence[str], *, log: Path, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.log = log
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}
        self.failures = 0
        self.started = 0.0
        self.again = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the id of the running process, or nothing."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Return whether the process was started and has not been found dead."""
        return self._process is not None

    def start(self, now: float) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own command lines
                self.argv,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=dies_with(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )
        self.started = now

    def found_dead(self, now: float) -> str:
        """Return how the process ended when it did, else "". Its own children go too, and the pause begins."""
        if self._process is None:
            return ""
        code = self._process.poll()
        if code is None:
            return ""
        self.signal(signal.SIGKILL)
        self._process = None
        self.failures = 1 if now - self.started >= SETTLED_SECONDS else self.failures + 1
        self.again = now + self.pause
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    @property
    def pause(self) -> float:
        """Return the seconds before the next start: doubled with each failure in a row, never above the longest."""
        return float(min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** max(0, min(self.failures, 10) - 1)))

    def signal(self, number: int) -> None:
        """Send a signal to the process and to everything that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def ask_to_stop(self) -> None:
        """Ask the process itself to end; it ends its own children in its own order."""
        if self._process is not None:
            self._process.terminate()

    def gone(self) -> bool:
        """Return whether the process has ended; then nothing that it started is left."""
        if self._process is not None and self._process.poll() is not None:
            self.signal(signal.SIGKILL)
            self._process = None
        return self._process is None

    def end(self) -> None:
        """Kill the process and everything that it started, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None
