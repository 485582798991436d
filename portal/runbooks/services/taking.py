"""Taking a file in: judged first, saved only when somebody wants it, and twice the same file changes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath

from django.db import transaction

from portal.audit.actor import By, acting
from portal.directory.models import System, Team
from portal.runbooks.enums import OPEN, VersionState
from portal.runbooks.markdown.reporting import Reading, filled, linked, read_file
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.policy import Refused
from portal.runbooks.services.common import LONGEST_TEXT
from portal.runbooks.services.linking import known_of
from portal.runbooks.services.offering import Offered, make_all, offers
from portal.runbooks.services.writing import begin, make, write

LARGEST_FILE = 2 * 1024 * 1024


class Verdict(StrEnum):
    """What taking a file in would do."""

    NEW = "makes a runbook"
    VERSION = "begins a version"
    DRAFT = "changes the draft"
    SAME = "changes nothing"
    REFUSED = "is refused"


@dataclass(slots=True)
class Taken:
    """A file as it was judged: how it was read, the runbook that it belongs to, and what taking it in does."""

    reading: Reading
    verdict: Verdict
    runbook: Runbook | None = None
    version: RunbookVersion | None = None
    refusal: str = ""
    checklists: list[Offered] = field(default_factory=list)


def judge(name: str, data: bytes, *, system: System | None = None, runbook: Runbook | None = None) -> Taken:
    """Read a file and say what taking it in would do. Nothing is written.

    It belongs to `runbook` where one is given; else to the one that was taken in from a file of this name, or that has
    its title, for the same system.
    """
    taken = _judge(name, data, system, runbook)
    if taken.verdict is not Verdict.REFUSED:
        taken.checklists = offers(taken.reading.content.checklists, keeper=_keeper(taken.runbook, system))
    return taken


def _keeper(runbook: Runbook | None, system: System | None) -> Team | None:
    return runbook.keeper if runbook is not None else system.owner if system is not None else None


def _judge(name: str, data: bytes, system: System | None, runbook: Runbook | None) -> Taken:
    reading = read_file(name, data[: LARGEST_FILE + 1], known_of(runbook.system if runbook else system))
    found = runbook or _belongs_to(reading, name, system)
    refusal = _refusal(reading, data, found)
    if refusal:
        return Taken(reading, Verdict.REFUSED, found, refusal=refusal)
    if found is None:
        return Taken(reading, Verdict.NEW)
    newest = found.versions.exclude(state=VersionState.DISCARDED).order_by("-number").first()
    # The text may be in the words of an older reader: what it is today is what is compared.
    if newest is not None and linked(newest.text, known_of(found.system)) == reading.text:
        return Taken(reading, Verdict.SAME, found, newest)
    verdict = Verdict.DRAFT if newest is not None and newest.state in OPEN else Verdict.VERSION
    return Taken(reading, verdict, found, newest)


def _belongs_to(reading: Reading, name: str, system: System | None) -> Runbook | None:
    rows = Runbook.objects.active().filter(system=system)
    by_file = rows.filter(versions__source=PurePath(name).name).distinct()
    found: Runbook | None = by_file.first() or rows.filter(title=title_of(reading)).first()
    return found


def _refusal(reading: Reading, data: bytes, runbook: Runbook | None) -> str:
    if len(data) > LARGEST_FILE or len(reading.text) > LONGEST_TEXT:
        return f"A runbook has at most {LONGEST_TEXT:,} letters. Split it, one for each system."
    if reading.secrets:
        lines = ", ".join(f"line {one.line} as if it held {one.what}" for one in reading.secrets[:5])
        return f"It looks in {lines}. Take that out first; a runbook names variables, never their values."
    if runbook is not None and runbook.versions.filter(state=VersionState.IN_REVIEW).exists():
        return f"A version of {runbook.reference} is in review. Take it back first."
    return ""


def title_of(reading: Reading) -> str:
    """Return what a runbook taken in from a file is called: its title, else the name of the file."""
    said = " ".join(reading.content.title.split())
    if not said or said.startswith("<%"):
        said = PurePath(reading.file).stem.replace("_", " ").replace("-", " ").strip() or "Runbook"
    return said[:200]


@transaction.atomic
def take_in(
    name: str,
    data: bytes,
    *,
    by: By,
    at: datetime,
    system: System | None = None,
    runbook: Runbook | None = None,
    with_checklists: bool = True,
    reason: str = "",
) -> Taken:
    """Take a file in as a draft: of a new runbook, or of the next version of the one that it belongs to.

    The checklists that it holds become templates, unless they stand already or `with_checklists` is false.

    Refused is raised with the sentence for a file with a secret, one that is too large, and while one is in review.
    """
    taken = judge(name, data, system=system, runbook=runbook)
    if taken.verdict is Verdict.REFUSED:
        raise Refused(taken.refusal)
    file = PurePath(name).name
    why = reason or f"Taken in from {file}"
    with acting(by=by, at=at, reason=why):
        if with_checklists:
            keeper, lists = _keeper(taken.runbook, system), taken.reading.content.checklists
            taken.checklists = make_all(lists, keeper=keeper, source=file, by=by, at=at, reason=why)
        if taken.verdict is Verdict.SAME:
            return taken
        if taken.runbook is None:
            taken.runbook = make(title=title_of(taken.reading), system=system, by=by, at=at, reason=why)
        if taken.verdict is Verdict.DRAFT and taken.version is not None:
            taken.version = write(
                taken.version, text=taken.reading.text, by=by, at=at, summary=taken.version.summary, reason=why
            )
        else:
            taken.version = begin(
                taken.runbook, text=taken.reading.text, by=by, at=at, summary=f"Taken in from {file}", source=file,
                source_digest=hashlib.sha256(data).hexdigest(), reason=why,
            )  # fmt: skip
    return taken


def handed_out(version: RunbookVersion) -> str:
    """Return a version as a file in the template's layout, with what the portal keeps of its system put in."""
    return filled(version.text, known_of(version.runbook.system))
