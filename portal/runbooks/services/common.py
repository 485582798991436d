"""What every verb does: lock the runbook, then its version; stamp who and when; tell the timeline."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.audit.actor import By, acting
from portal.records import services as records
from portal.runbooks.markdown.found import Content
from portal.runbooks.markdown.layout import arrange
from portal.runbooks.markdown.reading import read
from portal.runbooks.markdown.secrets import secrets_in
from portal.runbooks.markdown.understanding import understand
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.policy import Refused

LONGEST_TEXT = 500_000  # letters: some hundred times an ordinary runbook


@contextmanager
def locked(runbook: Runbook, *, by: By, at: datetime, reason: str = "") -> Iterator[Runbook]:
    """Open one atomic gesture on the locked runbook, read now."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        yield Runbook.objects.select_for_update(of=("self",)).get(pk=runbook.pk)


@contextmanager
def held(version: RunbookVersion, *, by: By, at: datetime, reason: str = "") -> Iterator[RunbookVersion]:
    """Open one atomic gesture on a version, locked after its runbook, both read now."""
    with locked(Runbook(pk=version.runbook_id), by=by, at=at, reason=reason) as runbook:
        row: RunbookVersion = RunbookVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
        row.runbook = runbook
        yield row


def say(runbook: Runbook, kind: str, text: str, *, by: By, at: datetime, **more: Any) -> None:
    """Write one line into the timeline of a runbook."""
    records.write_note(runbook, kind=kind, text=text, by=by, at=at, **more)


def understood(text: str) -> Content:
    """Return what is understood of a text in the template's layout."""
    return understand(arrange(read(text)))


def checked(text: str) -> str:
    """Return the digest of a text; Refused is raised for one that is too long or looks as if it held a secret."""
    if len(text) > LONGEST_TEXT:
        raise Refused(f"A runbook has at most {LONGEST_TEXT:,} letters. Split it, one for each system.")
    found = secrets_in(text, understood(text))
    if found:
        raise Refused(
            f"Line {found[0].line} looks as if it held {found[0].what}. A runbook names variables and where their "
            "values are kept, never the values. Take it out; if it was real, change it there too."
        )
    return hashlib.sha256(text.encode()).hexdigest()
