"""What a payload would do at an address, found by reading alone: nothing is written, fetched or sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.enums import OPEN, IntakeKind, Signing, Stance, Status
from incidents.intake import kinds, reading, settling, sns
from incidents.intake.generic import Match
from incidents.intake.mapping import Meaning, Why, meaning_of, reasons_of
from incidents.intake.report import Report
from incidents.models import Incident, IntakeToken, TopicSubscription

HIDDEN = "an incident that you may not see"
TOO_LONG_AGO = (
    f"It began more than {settling.LONGEST_STORY.days} days ago, so an incident would begin when it comes in."
)
NO_BODY = "A ping has no payload: any request to the address counts. Silence opens the incident."


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come of one payload: the refusal, or what was read, what it means and what it would do."""

    status_code: int
    status: str
    sentence: str
    report: Report | None = None
    meaning: Meaning | None = None
    form: str = ""
    matches: tuple[Match, ...] = ()
    reasons: tuple[Why, ...] = ()
    incident: Incident | None = None
    notes: tuple[str, ...] = ()


def attempt(token: IntakeToken, body: bytes, *, reader: Any, at: datetime) -> Trial:
    """Return what this body would do at this address at that moment; incidents hidden from the reader are not named."""
    notes = _notes(token)
    try:
        reading.check_size(body)
        if token.kind == IntakeKind.HEARTBEAT:
            reading.refuse(NO_BODY)
        found = kinds.read(token, body)
    except reading.Unreadable as refusal:
        return Trial(refusal.status, "refused", refusal.sentence, notes=notes)
    report = found.report
    meaning = meaning_of(report, token) if report.firing else None
    status, sentence, incident = _effect(token, report, meaning, reader=reader, at=at)
    if token.kind == IntakeKind.SNS and not _is_confirmed(token, body):
        notes = (*notes, "Its topic is not confirmed at this address, so as things stand it would be refused.")
    if report.firing and report.started_at is not None and at - report.started_at > settling.LONGEST_STORY:
        notes = (*notes, TOO_LONG_AGO)
    return Trial(
        200, status, sentence, report, meaning, found.form, found.matches,
        tuple(reasons_of(report, token)) if report.firing else (), incident, (*notes, *report.hints),
    )  # fmt: skip


def _notes(token: IntakeToken) -> tuple[str, ...]:
    if token.revoked_at is not None:
        return ("The address is revoked: what is posted there is answered 404.",)
    if token.signing != Signing.NONE:
        return ("The address asks for a signature, which is not tried here.",)
    return ()


def _is_confirmed(token: IntakeToken, body: bytes) -> bool:
    topic = sns.topic_of(reading.read_json(body))
    return TopicSubscription.objects.filter(token=token, topic=topic, confirmed_at__isnull=False).exists()


Effect = tuple[str, str, Incident | None]


def _effect(token: IntakeToken, report: Report, meaning: Meaning | None, *, reader: Any, at: datetime) -> Effect:
    """Return the word of the answer, a sentence in the conditional, and the incident that the reader may see."""
    key = settling.dedup_key(token, report.key)
    if report.stance == Stance.NOTHING:
        return "nothing", report.sentence, None
    if report.stance != Stance.FIRING:
        return _ends(report, key, reader)
    standing = settling.standing(token, key, at=at).first()
    if standing is None:
        return "opened", f"It would declare a new incident at {_level(meaning)}.", None
    shown, name = _shown(standing, reader)
    if not standing.is_open:
        return "reopened", f"It would reopen {name}, and its escalation would start anew.", shown
    raised = meaning is not None and meaning.severity_named and meaning.severity.level < standing.severity.level
    more = f" and raise it to {_level(meaning)}" if raised else ""
    return "joined", f"It would join {name}, which is open under this key{more}.", shown


def _ends(report: Report, key: str, reader: Any) -> Effect:
    """Return what a report that is resolved or acknowledged would do to the incident of its key."""
    mine = Incident.objects.real().filter(dedup_key=key)
    standing = mine.filter(status__in=OPEN).first() or mine.order_by("-id").first()
    if standing is None:
        return "kept", "No incident was ever opened under this key, so nothing would change.", None
    shown, name = _shown(standing, reader)
    if report.stance == Stance.RESOLVED and standing.is_open:
        return "resolved", f"It would resolve {name}.", shown
    if report.stance == Stance.ACKNOWLEDGED and standing.status == Status.DECLARED:
        return "acknowledged", f"It would acknowledge {name}.", shown
    return "unchanged", f"It would change nothing: {name} is {standing.get_status_display().lower()} already.", shown


def _level(meaning: Meaning | None) -> str:
    return meaning.severity.code if meaning is not None else ""


def _shown(incident: Incident, reader: Any) -> tuple[Incident | None, str]:
    if Incident.objects.visible_to(reader).filter(pk=incident.pk).exists():
        return incident, incident.reference
    return None, HIDDEN
