"""Addresses that a source pings while it is well: their silence opens an incident, the next ping resolves it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from incidents.enums import IntakeKind
from incidents.intake import settling
from incidents.intake.posts import Answer, Post
from incidents.intake.report import Report
from incidents.models import Heartbeat, IntakeToken
from incidents.policy import Refused
from portal.audit.actor import By, acting, actor_of
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline
from portal.lib import durations

SILENCE = "source_silence"
KEY = "silence"


@transaction.atomic
def ping(post: Post) -> Answer:
    """Hear a source: its next ping is expected, and an incident that its silence opened is resolved."""
    beat = _locked(post.token)
    first, was_silent = beat.last_at is None, beat.silent_since is not None
    beat.last_at, beat.silent_since, beat.count = post.at, None, beat.count + 1
    beat.save(update_fields=["last_at", "silent_since", "count"])
    token = IntakeToken.objects.get(pk=post.token.pk)  # it may have been paused while this ping waited
    if was_silent:
        settling.is_resolved(post, _report(token, beat, firing=False))
    if token.paused_at is not None:
        return Answer(200, "paused", f"Heard. {token.name} is paused, so that nothing is expected of it.")
    _expect(token, beat, at=post.at)
    due = post.at + timedelta(minutes=token.every_minutes)
    status = "resolved" if was_silent else "first" if first else "heard"
    return Answer(200, status, f"Heard. The next ping is expected by {due:%Y-%m-%d %H:%M:%S} UTC.")


@transaction.atomic
def pause(token: IntakeToken, *, by: By, at: datetime, reason: str) -> IntakeToken:
    """Expect nothing of a source until it is resumed. Refused is raised when it is paused, or no heartbeat."""
    beat = _locked(token)
    row = _own(token)
    if row.paused_at is not None:
        raise Refused(f"“{row}” was paused already, by {row.paused_by}.")
    row.paused_at, row.paused_by = at, actor_of(by).name
    with acting(by=by, at=at, reason=reason):
        row.save()
    deadlines.cancel(subject=beat, at=at, kind=SILENCE)
    return row


@transaction.atomic
def resume(token: IntakeToken, *, by: By, at: datetime, reason: str) -> IntakeToken:
    """Expect pings again: the first within one interval and its grace. Refused is raised when it is not paused."""
    beat = _locked(token)
    row = _own(token)
    if row.paused_at is None:
        raise Refused(f"“{row}” is not paused.")
    row.paused_at, row.paused_by = None, ""
    with acting(by=by, at=at, reason=reason):
        row.save()
    _expect(row, beat, at=at)
    return row


@transaction.atomic
def follow_rhythm(token: IntakeToken) -> None:
    """Move the moment at which silence is told after interval or grace were changed. Silence that was told stays so."""
    beat = _locked(token)
    row = IntakeToken.objects.get(pk=token.pk)
    heard = beat.last_at if beat.silent_since is None else None
    if heard is not None and row.paused_at is None and row.revoked_at is None:
        _expect(row, beat, at=heard)


def lock(ids: list[int], _at: datetime) -> Mapping[int, Heartbeat]:
    """Lock heartbeats in the order of their ids, skipping those that a ping holds just now."""
    rows = Heartbeat.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), skip_locked=True)
    held = list(rows.values_list("pk", flat=True))
    return Heartbeat.objects.select_related("token__default_severity").in_bulk(held)


def tell_silence(batch: list[tuple[Deadline, Heartbeat]], at: datetime) -> None:
    """Open the incident of each source that fell silent, or join the one that is open."""
    for row, beat in batch:
        token = beat.token
        if token.paused_at is not None or token.revoked_at is not None:
            continue
        beat.silent_since = beat.last_at or row.started_at
        beat.save(update_fields=["silent_since"])
        post = Post(token, b"", content_type="", address="", at=at)
        with acting(by=post.by, at=at, reason=f"{token.name} fell silent", origin="task"):
            settling.fires(post, _report(token, beat, firing=True))


def _own(token: IntakeToken) -> IntakeToken:
    row = IntakeToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if row.kind != IntakeKind.HEARTBEAT:
        raise Refused(f"“{row}” is no heartbeat. Revoke an address that nothing should come from.")
    return row


def _locked(token: IntakeToken) -> Heartbeat:
    """Return the locked heartbeat of an address. Of two that make it at once, the second finds the first's."""
    Heartbeat.objects.get_or_create(token=token)
    return Heartbeat.objects.select_for_update(of=("self",)).get(token=token)


def _expect(token: IntakeToken, beat: Heartbeat, *, at: datetime) -> None:
    due = at + timedelta(minutes=token.every_minutes + token.grace_minutes)
    deadlines.move(kind=SILENCE, subject=beat, started_at=at, due_at=due)


def _report(token: IntakeToken, beat: Heartbeat, *, firing: bool) -> Report:
    every = durations.words(60 * token.every_minutes)
    last = f"The last ping came at {beat.last_at:%Y-%m-%d %H:%M:%S} UTC." if beat.last_at else "No ping ever came."
    labels = {"source": token.name, "service": token.name}
    return Report(
        key=KEY,
        firing=firing,
        title=f"{token.name} has fallen silent",
        description=f"{last} One is expected every {every}, and may be late by {token.grace_minutes} min.",
        labels=labels,
        label_sets=(labels,),
        firing_count=int(firing),
        resolved_count=int(not firing),
        started_at=beat.silent_since,
    )
