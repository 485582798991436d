"""The loop of the supervisor: watch the children, start again what died, stop all of them in a bounded time."""

import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from portal.supervisor.child import Child

TICK_SECONDS = 0.2
GRACE_SECONDS = 8.0
HURRIED_GRACE_SECONDS = 0.5

Tell = Callable[[str], None]


class Supervisor:
    """Watches the children until it is told to stop.

    `first` are those that the rest leans on: they start before the rest and stop after it.
    """

    def __init__(self, *, first: Sequence[Child], rest: Sequence[Child], tell: Tell) -> None:
        self.first = list(first)
        self.rest = list(rest)
        self.tell = tell
        self.signals = 0

    @property
    def children(self) -> list[Child]:
        """Return all children in the order of their start."""
        return [*self.first, *self.rest]

    def listen(self) -> None:
        """Take Ctrl-C, SIGTERM and a closed terminal as the wish to stop; a second one hurries."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.signals += 1

    def start(self, children: Sequence[Child]) -> None:
        """Start these children, a line each."""
        for child in children:
            if not self.signals:
                child.start(time.monotonic())
                self.tell(f"Started {child.name} (process {child.pid})")

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> bool:
        """Watch the children until `ready`, a stop or the end of the time; return whether it became ready."""
        end = time.monotonic() + seconds
        while not self.signals and time.monotonic() < end:
            if ready():
                return True
            self.look(time.monotonic())
            time.sleep(TICK_SECONDS)
        return False

    def look(self, now: float) -> None:
        """Look once at every child: say who died, and start those whose pause is over."""
        for child in self.children:
            ended = child.found_dead(now)
            if ended:
                self.tell(f"{child.name} ended ({ended}); starting it again in {child.pause:g} s. Its log: {child.log}")
            elif child.failures and not child.running and now >= child.again:
                child.start(now)
                self.tell(f"Started {child.name} again (process {child.pid})")

    def run(self) -> None:
        """Watch until a signal asks to stop."""
        while not self.signals:
            self.look(time.monotonic())
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Stop all children: first those that lean on others, then the others. Nothing is left when it returns."""
        self.tell("Stopping; press Ctrl-C again to hurry")
        for children in (self.rest, self.first):
            self._stop_all(children)
        self.tell("Stopped")

    def _stop_all(self, children: Sequence[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        began = time.monotonic()
        left = list(children)
        while left := [child for child in left if not child.gone()]:
            grace = HURRIED_GRACE_SECONDS if self.signals > 1 else GRACE_SECONDS
            if time.monotonic() - began > grace:
                break
            time.sleep(TICK_SECONDS / 4)
        for child in left:
            self.tell(f"{child.name} did not stop in time and was ended")
            child.end()
