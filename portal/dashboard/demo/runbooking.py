"""The runbooks of Halyard Desk Ltd: taken in from files, approved by a second person, one still in review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from portal.approvals import services as approvals
from portal.approvals.enums import StageState
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import System, Team
from portal.runbooks import services
from portal.runbooks.configuration import services as configuration
from portal.runbooks.configuration.knowing import known_of
from portal.runbooks.models import RunbookVersion

FILES = Path(__file__).parent / "runbooks"
CHANGED = ("desk-admin search rebuild --days 1", "desk-admin search rebuild --days 2")


@dataclass(frozen=True)
class Written:
    """One runbook: its file, how many days ago it was taken in, and how many days ago it was put in force."""

    name: str
    days: int
    in_force: int | None
    system: str = ""
    owner: str = ""


BOOKS = (
    Written("security", 92, 90, owner="security"),
    Written("ticket-desk", 88, 86, "ticket-desk"),
    Written("ticket-database", 70, 69, "ticket-database"),
    Written("mail-intake", 1, None, "mail-intake"),
)
WRITER, READER = "amara", "hannah"


def play(play: Play) -> int:
    """Take every runbook in, each on its day; return how many. Only accounts ask and decide: without them none."""
    if not (play.people[WRITER].user_id and play.people[READER].user_id):
        return 0
    for book in sorted(BOOKS, key=lambda book: -book.days):
        version = play.alone(_take_in, play, book)
        play.alone(_submit, play, version, book.days - 0.2)
        if book.in_force is not None:
            play.alone(_approve, play, version, book.in_force + 0.1)
            play.alone(_publish, play, version, book.in_force)
    play.alone(_improve, play)
    play.alone(_look, play, System.objects.get(slug="ticket-desk"))
    play.deliver(until=play.now)
    return len(BOOKS)


def _moment(play: Play, days: float) -> datetime:
    return play.now - timedelta(days=days)


def _take_in(play: Play, book: Written) -> RunbookVersion:
    by, at = play.people[WRITER], _moment(play, book.days)
    system = System.objects.select_related("owner").get(slug=book.system) if book.system else None
    data = (FILES / f"{book.name}.md").read_bytes()
    with acting(by=by, at=at, origin=ORIGIN):
        taken = services.take_in(f"{book.name}.md", data, system=system, with_checklists=False, by=by, at=at)
        if book.owner and taken.runbook is not None:
            services.change_facts(
                taken.runbook, title=taken.runbook.title, system=system, owner=Team.objects.get(slug=book.owner),
                review_every_days=180, by=by, at=at,
            )  # fmt: skip
    if taken.version is None:
        raise ValueError(f"{book.name}.md was not taken in")
    return taken.version


def _look(play: Play, system: System) -> None:
    """Mark all that the runbook asks of a system as present, but for its last file, which nobody has looked for yet."""
    by, at = play.people[WRITER], _moment(play, 12)
    (known,) = known_of([system], at=at)
    with acting(by=by, at=at, origin=ORIGIN):
        configuration.mark(system, [one.item for one in known.items[:-1]], present=True, by=by, at=at)


def _submit(play: Play, version: RunbookVersion, days: float) -> None:
    by, at = play.people[WRITER], _moment(play, days)
    with acting(by=by, at=at, origin=ORIGIN):
        services.submit(version, by=by, at=at, reason=version.summary or "It is ready to be read")


def _approve(play: Play, version: RunbookVersion, days: float) -> None:
    by, at = play.people[READER], _moment(play, days)
    request = approvals.standing(version).request
    if request is None:
        raise ValueError(f"{version} was not asked for")
    with acting(by=by, at=at, origin=ORIGIN, reason="Read through with the one on call"):
        approvals.decide(
            request, stage=request.stages.get(state=StageState.OPEN), verdict="approve", digest=request.digest,
            confirmed=True, by=by, at=at, reason="Read through with the one on call",
        )  # fmt: skip


def _publish(play: Play, version: RunbookVersion, days: float) -> None:
    by, at = play.people[WRITER], _moment(play, days)
    with acting(by=by, at=at, origin=ORIGIN):
        services.publish(version, by=by, at=at, reason="In force from now on")


def _improve(play: Play) -> None:
    """Write the next version of the first runbook of a system: what was learned in an incident."""
    by, days = play.people[WRITER], 20.0
    older = RunbookVersion.objects.select_related("runbook").get(runbook__system__slug="ticket-desk")
    at = _moment(play, days)
    with acting(by=by, at=at, origin=ORIGIN):
        newer = services.begin(
            older.runbook,
            text=older.text.replace(*CHANGED),
            by=by,
            at=at,
            summary="One day of the index was too little",
        )
    _submit(play, newer, days - 0.1)
    _approve(play, newer, days - 0.5)
    _publish(play, newer, days - 0.6)
