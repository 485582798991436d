"""The verbs of a maintenance window. What it means to the other parts of the portal is written in the same transaction.

That is a `records.Period` of the kind "maintenance" on each of its systems: who would be paged for them is not, changes
planned in it are covered, and the status page says maintenance. It ends when the window is completed, and never after
the end that was promised, however long the work goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from maintenance import window_messages as messages
from maintenance import window_policy as policy
from maintenance.enums import WindowKind, WindowState
from maintenance.models import Window
from maintenance.policy import Refused
from maintenance.services.common import SYSTEM, say
from portal.audit.actor import By, acting
from portal.audit.stamping import stamp
from portal.deadlines import services as deadlines
from portal.deadlines.models import DeadlineState
from portal.directory.models import System
from portal.lib.blank import is_blank
from portal.records import linking
from portal.records import services as records
from portal.records.models import Period

PERIOD = "maintenance"
SLOT = "change"
WINDOW = "maintenance.window"
"""The kind of the deadlines of windows: their beginning, their end, and each shout after it."""
BEGIN, END = "begin", "end"
OVER_TOPIC = "window.over"
"""What is asked once a window holds back no more, before its time: whoever pages looks again."""
COVERS = "covers"
ANSWERED_WITHIN = timedelta(minutes=10)


@contextmanager
def locked_window(window: Window, *, by: By, at: datetime, reason: str = "") -> Iterator[Window]:
    """Open one atomic gesture on the locked, freshly read window."""
    with transaction.atomic(), acting(by=by, reason=reason, at=at):
        yield Window.objects.select_for_update(of=("self",)).get(pk=window.pk)


def plan_window(
    title: str, systems: Iterable[System], *, starts_at: datetime, ends_at: datetime, by: By, at: datetime,
    note: str = "", closes_itself: bool = False, about: models.Model | None = None, reason: str = "",
) -> Window:  # fmt: skip
    """Plan a window. Its systems' contacts are told when it begins, when it ends and when it overruns.

    `about` is the change whose slot it covers: one that has a slot, so that it was approved. Refused says what cannot
    be.
    """
    policy.check_times(starts_at, ends_at, at=at)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        reference = _check_slot(about, at=at) if about is not None else ""
        window = _made(
            title, systems, by=by, at=at, note=note, starts_at=starts_at, ends_at=ends_at, change=reference,
            closes_itself=closes_itself,
        )  # fmt: skip
        say(window, "planned", "planned the window", by=by, at=at, reason=reason)
        if about is not None:
            linking.link(window, about, kind=COVERS, words="covers", by=by, at=at)
    return window


def open_now(
    title: str, systems: Iterable[System], *, ends_at: datetime, by: By, at: datetime, note: str = "", reason: str = ""
) -> Window:
    """Open a window by hand: it is in progress from now on. Refused says what cannot be."""
    policy.check_times(at, ends_at, at=at)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        window = _made(
            title, systems, by=by, at=at, note=note, starts_at=at, ends_at=ends_at, kind=WindowKind.MANUAL,
            state=WindowState.IN_PROGRESS, begun=True,
        )  # fmt: skip
        told = messages.tell(window, kind=messages.BEGUN, key=BEGIN, at=at)
        say(window, "begun", "opened the window by hand", by=by, at=at, reason=reason, detail=messages.words_of(told))
    return window


def _made(title: str, systems: Iterable[System], *, by: By, at: datetime, begun: bool = False, **values: Any) -> Window:
    named = sorted({system.pk: system for system in systems}.values(), key=lambda system: system.pk)
    if is_blank(title):
        raise Refused("Say in a few words what is done.")
    if not named:
        raise Refused("Name at least one system: only of those named is nobody paged.")
    window = Window(reference=records.next_reference(policy.PREFIX), title=" ".join(title.split())[:160], **values)
    stamp(window, "made", by=by, at=at)
    if begun:
        stamp(window, "begun", by=by, at=at)
    window.save()
    window.systems.set(named)
    keep(window, at=at)
    return window


def _check_slot(about: models.Model, *, at: datetime) -> str:
    """Return the reference of the change; Refused is raised for what has no slot ahead of it."""
    rows = Period.objects.filter(
        record_type=ContentType.objects.get_for_model(about), record_id=about.pk, kind=SLOT, ends__gt=at
    )
    reference = str(getattr(about, "reference", ""))
    if not rows.exists():
        raise Refused(f"{reference} has no slot to come. A window is made for it once it is approved and scheduled.")
    return reference


def keep(window: Window, *, at: datetime) -> None:
    """Let the periods of its systems and its deadlines say what the window is now; the caller holds its lock."""
    type_ = ContentType.objects.get_for_model(Window)
    Period.objects.filter(record_type=type_, record_id=window.pk, kind=PERIOD).delete()
    lasts = window.suppresses()
    if lasts is not None:
        Period.objects.bulk_create(
            Period(
                system=system, kind=PERIOD, starts=lasts[0], ends=lasts[1], record_type=type_, record_id=window.pk,
                reference=window.reference,
            )
            for system in window.systems.all()
        )  # fmt: skip
    waiting = {BEGIN: window.starts_at} if window.state == WindowState.SCHEDULED else {}
    if waiting or window.is_running:
        waiting[END] = max(window.ends_at, at)
    for key, due_at in waiting.items():
        deadlines.move(kind=WINDOW, subject=window, key=key, started_at=at, due_at=due_at)
    # One that is due just now is the sweep's to settle, which may be what calls this.
    ahead = deadlines.of(window, [WINDOW]).filter(state=DeadlineState.PENDING, due_at__gt=at)
    ahead.exclude(key__in=waiting).update(state=DeadlineState.CANCELLED, settled_at=at)


def begin(window: Window, *, by: By, at: datetime, reason: str = "") -> Window:
    """Begin a window, by hand within the hour before its start; the sweep begins it at its time."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        begin_locked(row, by=by, at=at, reason=reason)
    return row


def begin_locked(row: Window, *, by: By, at: datetime, reason: str = "") -> None:
    """Begin a window whose lock the caller holds. Of one whose end has passed meanwhile nobody is told any more."""
    row.state = policy.next_window_state("begin", row.state)
    policy.check_begin(row.starts_at, at=at)
    stamp(row, "begun", by=by, at=at)
    row.save()
    keep(row, at=at)
    told = messages.tell(row, kind=messages.BEGUN, key=BEGIN, at=at) if at < row.ends_at else []
    say(row, "begun", "began the window", by=by, at=at, reason=reason, detail=messages.words_of(told))


def move(window: Window, *, starts_at: datetime, ends_at: datetime, by: By, at: datetime, reason: str = "") -> Window:
    """Move a window that has not begun to another time."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        row.state = policy.next_window_state("move", row.state)
        policy.check_window_reason("move", reason)
        policy.check_times(starts_at, ends_at, at=at)
        covered = row.starts_at <= at < row.ends_at  # though the sweep has not begun it yet
        row.starts_at, row.ends_at = starts_at, ends_at
        row.save()
        keep(row, at=at)
        if covered:
            _ask_to_look(row, at=at)
        say(row, "moved", "moved the window", by=by, at=at, reason=reason)
    return row


def verify(window: Window, *, by: By, at: datetime, reason: str = "") -> Window:
    """Say that the work is over and that its systems are being looked at. Nobody is paged for them yet."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        row.state = policy.next_window_state("verify", row.state)
        stamp(row, "verifying", by=by, at=at)
        row.save()
        say(row, "verifying", "said that the work is over, and verifies its systems", by=by, at=at, reason=reason)
    return row


def work_on(window: Window, *, by: By, at: datetime, reason: str = "") -> Window:
    """Take the work up again: what was verified is not right yet."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        row.state = policy.next_window_state("work on", row.state)
        policy.check_window_reason("work on", reason)
        stamp(row, "verifying", by=None, at=None)
        row.save()
        say(row, "worked_on", "took the work up again", by=by, at=at, reason=reason)
    return row


def complete(window: Window, *, by: By, at: datetime, reason: str = "") -> Window:
    """Complete a window whose systems are verified. From now on people are paged for them again."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        _complete(row, "complete", by=by, at=at, reason=reason)
    return row


def end_locked(row: Window, *, at: datetime) -> None:
    """End a window that ends by itself; the caller holds its lock."""
    _complete(row, "end by itself", by=SYSTEM, at=at)


def _complete(row: Window, verb: str, *, by: By, at: datetime, reason: str = "") -> None:
    row.state = policy.next_window_state(verb, row.state)
    stamp(row, "completed", by=by, at=at)
    row.save()
    keep(row, at=at)
    _look_again(row, at=at)
    told = messages.tell(row, kind=messages.OVER, key="over", at=at)
    text = "completed the window" if verb == "complete" else "ended the window at its time"
    say(row, "completed", text, by=by, at=at, reason=reason, detail=messages.words_of(told))


def extend(window: Window, *, ends_at: datetime, by: By, at: datetime, reason: str = "") -> Window:
    """Give a window in progress more time. Who would be paged for its systems is not until then."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        row.state = policy.next_window_state("extend", row.state)
        policy.check_window_reason("extend", reason)
        if ends_at <= max(row.ends_at, at):
            raise Refused("That is no later than it ends now. To end it early, verify its systems and complete it.")
        policy.check_length(ends_at - row.starts_at)
        row.ends_at = ends_at
        row.save()
        keep(row, at=at)
        say(row, "extended", "gave the window more time", by=by, at=at, reason=reason)
    return row


def cancel(window: Window, *, by: By, at: datetime, reason: str = "") -> Window:
    """Cancel a window that has not begun."""
    with locked_window(window, by=by, at=at, reason=reason) as row:
        cancel_locked(row, by=by, at=at, reason=reason)
    return row


def cancel_locked(row: Window, *, by: By, at: datetime, reason: str) -> None:
    """Cancel a window whose lock the caller holds."""
    row.state = policy.next_window_state("cancel", row.state)
    policy.check_window_reason("cancel", reason)
    row.cancelled_because = reason.strip()
    stamp(row, "cancelled", by=by, at=at)
    row.save()
    keep(row, at=at)
    _look_again(row, at=at)
    say(row, "cancelled", "cancelled the window", by=by, at=at, reason=reason)


def _look_again(row: Window, *, at: datetime) -> None:
    """Ask whoever pages to look again at what it held back: the window says less than before, while its time ran."""
    if row.starts_at <= at < row.ends_at or row.is_running or row.state == WindowState.COMPLETED:
        _ask_to_look(row, at=at)


def _ask_to_look(row: Window, *, at: datetime) -> None:
    systems = list(row.systems.values_list("slug", flat=True))
    records.ask(
        topic=OVER_TOPIC, key=f"{OVER_TOPIC}:{row.reference}:{at.isoformat()}", by=SYSTEM, at=at,
        answer_by=at + ANSWERED_WITHIN, payload={"window": row.reference, "systems": systems},
    )  # fmt: skip
