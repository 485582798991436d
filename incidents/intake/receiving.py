"""One post to an intake address: read, kept, and turned into what happens to an incident, in one transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Case, F, Q, Value, When

from incidents import policy, services
from incidents.enums import OPEN, DeliveryResult, IntakeKind
from incidents.intake import alertmanager, plain, reading, tokens, words
from incidents.intake.mapping import Meaning, meaning_of
from incidents.intake.report import Report
from incidents.models import Alert, Incident, IntakeDelivery, IntakeToken
from portal.audit.actor import Actor, acting
from portal.records import services as records

log = logging.getLogger(__name__)

PARSERS: dict[str, Callable[[Mapping[str, object]], Report]] = {
    IntakeKind.ALERTMANAGER: alertmanager.parse,
    IntakeKind.JSON: plain.parse,
}
UNKNOWN = "No source is known at this address, or it was revoked. Ask an administrator for a new one."
AGAIN = "The portal could not take this in just now. Send it again."
KEPT_REJECTED = 200  # refused bodies that are kept for each address; the oldest go
KEPT_OF_TOO_LARGE = 16 * 1024  # bytes of a body over the limit that are kept
KEY_LENGTH = 180  # characters of a key that are kept as they are; a longer one is kept as its digest
LONGEST_STORY = timedelta(days=7)  # an alert that began earlier enters the timeline when it came in
ATTEMPTS = 3  # an incident may be opened, resolved and reopened by others meanwhile
NOTE = "alert"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the source is told: the HTTP status, a word, a sentence, and the incident that it is about."""

    status_code: int
    status: str
    sentence: str
    incident: Incident | None = None
    ignored: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        found: dict[str, Any] = {"status": self.status, "sentence": self.sentence}
        if self.incident is not None:
            found["incident"] = self.incident.reference
            found["url"] = f"{settings.PORTAL_URL}{self.incident.get_absolute_url()}"
        if self.ignored:
            found["ignored"] = list(self.ignored)
        return found


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it came: its body, and from where."""

    token: IntakeToken
    body: bytes
    content_type: str
    address: str
    at: datetime

    @property
    def by(self) -> Actor:
        """Return the source as the record names it."""
        return Actor(f"source: {self.token.name}")


def receive(secret: str, body: bytes, *, content_type: str, address: str, at: datetime) -> Answer:
    """Take in one post to the address with this secret; an unknown or revoked one is answered 404 and kept nowhere.

    What is answered 2xx has been written. OperationalError and InterfaceError of the database go to the caller, who
    answers 503.
    """
    token = tokens.find(secret)
    if token is None:
        return Answer(404, "unknown", UNKNOWN)
    return take(Post(token, body, content_type=content_type, address=address, at=at))


def take(post: Post) -> Answer:
    """Take in one post of a known source."""
    with acting(by=post.by, at=post.at, origin="api", address=post.address, reason=f"Alert of {post.token.name}"):
        try:
            report = PARSERS[post.token.kind](reading.read_json(post.body))
        except reading.Unreadable as refusal:
            answer = Answer(refusal.status, "refused", refusal.sentence)
            _keep(post, answer, DeliveryResult.REJECTED)
            return answer
        return _accept(post, report)


def _accept(post: Post, report: Report) -> Answer:
    try:
        with transaction.atomic():
            answer = _fires(post, report) if report.firing else _is_resolved(post, report)
            _keep(post, answer, DeliveryResult.ACCEPTED)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # A source repeats what was answered 5xx: a fault of ours must neither lose the alert nor say that it came in.
        log.exception("An alert of source %s could not be taken in", post.token.name)
        answer = Answer(503, "failed", AGAIN)
        _keep(post, answer, DeliveryResult.FAILED)
    return answer


@transaction.atomic
def _keep(post: Post, answer: Answer, result: DeliveryResult) -> None:
    body = post.body if len(post.body) <= reading.BODY_LIMIT else post.body[:KEPT_OF_TOO_LARGE]
    IntakeDelivery.objects.create(
        token=post.token,
        received_at=post.at,
        address=post.address[:45],
        content_type=reading.line(post.content_type, 100),
        body=body,
        result=result,
        status_code=answer.status_code,
        sentence=answer.sentence,
        incident=answer.incident,
    )
    if result != DeliveryResult.ACCEPTED:
        not_accepted = IntakeDelivery.objects.filter(token=post.token).exclude(result=DeliveryResult.ACCEPTED)
        old = list(not_accepted.order_by("-id").values_list("pk", flat=True)[KEPT_REJECTED : KEPT_REJECTED * 2])
        if old:
            IntakeDelivery.objects.filter(pk__in=old).delete()


def short_key(key: str) -> str:
    """Return the key as it is kept: itself, or its digest when it is too long or not one visible line."""
    if len(key) <= KEY_LENGTH and reading.line(key, KEY_LENGTH) == key:
        return key
    return f"sha256:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def dedup_key(token: IntakeToken, key: str) -> str:
    """Return the key under which at most one incident is open: two sources never meet under the same one."""
    return f"{token.pk}:{short_key(key)}"


def _fires(post: Post, report: Report) -> Answer:
    """Join the open incident of the key, reopen one that was resolved just now, or open a new one."""
    meaning = meaning_of(report, post.token)
    key = dedup_key(post.token, report.key)
    for _ in range(ATTEMPTS):
        incident = _standing(post, key)
        if incident is not None:
            return _join(post, report, meaning, incident)
        try:
            with transaction.atomic():
                return _open(post, report, meaning, key)
        except IntegrityError:
            # Another post of the same key was faster: the unique key let one of them in. Read what it opened.
            if not Incident.objects.open().filter(dedup_key=key).exists():
                raise
    raise RuntimeError(f"Incidents under the key {key} come and go faster than they can be joined.")


def _standing(post: Post, key: str) -> Incident | None:
    """Lock and return the incident of the key that is open, or was resolved recently enough to be reopened."""
    since = post.at - timedelta(minutes=post.token.reopen_minutes)
    can_reopen = [status for status in policy.TRANSITIONS["reopen by source"] if status not in OPEN]
    fits = Q(status__in=OPEN) | Q(status__in=can_reopen, resolved_at__gte=since)
    open_first = Case(When(status__in=OPEN, then=Value(0)), default=Value(1))
    rows = Incident.objects.filter(fits, dedup_key=key).order_by(open_first, "-resolved_at", "-id")
    return rows.select_for_update(of=("self",)).first()


def _open(post: Post, report: Report, meaning: Meaning, key: str) -> Answer:
    began = report.started_at
    started = began if began and timedelta(0) <= post.at - began <= LONGEST_STORY else None
    incident = services.declare(
        title=report.title,
        description=report.description,
        severity=meaning.severity,
        systems=meaning.systems,
        by=post.by,
        at=post.at,
        source=post.token.name,
        dedup_key=key,
        occurred_at=started,
    )
    _write(
        post,
        incident,
        words.opened(report, meaning),
        report,
        detail=words.advice(report, meaning, post.token, at=post.at),
    )
    _remember(post, incident, report)
    sentence = f"{incident.reference} was declared at {incident.severity.code}."
    hints = [words.not_mapped(meaning, post.token), words.not_believed(report, post.at)]
    return Answer(200, "opened", " ".join(filter(None, [sentence, *hints])), incident, report.ignored)


def _join(post: Post, report: Report, meaning: Meaning, incident: Incident) -> Answer:
    status, sentence = "joined", f"{incident.reference} is open under this key. The alert joined it."
    if not incident.is_open:
        minutes = post.token.reopen_minutes
        reason = f"{post.token.name} fires again under the same key, within {minutes} minutes of the resolve."
        incident = services.reopen_by_source(incident, by=post.by, at=post.at, reason=reason)
        status, sentence = "reopened", f"{incident.reference} was reopened: declared again, its escalation restarts."
    if meaning.severity_named and meaning.severity.level < incident.severity.level:
        reason = f"{post.token.name} now reports {meaning.severity.code}."
        incident = services.raise_severity(incident, severity=meaning.severity, by=post.by, at=post.at, reason=reason)
        sentence += f" Its severity is now {meaning.severity.code}."
    if meaning.unknown:
        sentence += f" {words.changes_nothing(meaning)}"
    if _remember(post, incident, report) or status == "reopened":
        others = words.other_systems(meaning, list(incident.systems.all()))
        _write(post, incident, words.joined(report), report, detail=others)
    return Answer(200, status, sentence, incident, report.ignored)


def _is_resolved(post: Post, report: Report) -> Answer:
    key = dedup_key(post.token, report.key)
    rows = Incident.objects.filter(dedup_key=key)
    incident = rows.filter(status__in=OPEN).select_for_update(of=("self",)).first()
    if incident is not None:
        incident = services.resolve_by_source(
            incident, by=post.by, at=post.at, reason=f"{post.token.name} reports that it is resolved."
        )
        _remember(post, incident, report)
        return Answer(200, "resolved", f"{incident.reference} is resolved.", incident, report.ignored)
    # Closing an incident waits for its alerts: one that was resolved by hand learns here that its alert stopped too.
    stopped = Alert.objects.filter(token=post.token, key=short_key(report.key), firing=True)
    stopped.update(firing=False, last_at=post.at)
    latest = rows.order_by("-id").first()
    if latest is not None:
        sentence = f"{latest.reference} is {latest.get_status_display().lower()} already. Nothing changed."
        return Answer(200, "unchanged", sentence, latest, report.ignored)
    sentence = "No incident was ever opened under this key, so there is nothing to resolve. The message is kept."
    return Answer(200, "kept", sentence, None, report.ignored)


def _remember(post: Post, incident: Incident, report: Report) -> bool:
    """Count the alert of this key on the incident, under its lock; tell whether it says something new."""
    seen = {"firing": report.firing, "title": report.title[:300], "labels": _kept_labels(report), "last_at": post.at}
    mine = Alert.objects.filter(token=post.token, key=short_key(report.key), incident=incident)
    known = mine.first()
    if known is None:
        Alert.objects.create(token=post.token, key=short_key(report.key), incident=incident, first_at=post.at, **seen)
        return True
    news = known.firing != report.firing or known.labels != seen["labels"]
    if not report.firing:
        seen |= {"title": known.title, "labels": known.labels}
    mine.update(count=F("count") + int(report.firing), **seen)
    return news


def _kept_labels(report: Report) -> dict[str, Any]:
    """Return the labels to be shown, with how many alerts stand behind them when there are several."""
    shown: dict[str, Any] = dict(list(report.labels.items())[:50])
    numbers = report.numbers()
    return shown | {
        f"({name})": str(number) for name, number in numbers.items() if number and sum(numbers.values()) > 1
    }


def _write(post: Post, incident: Incident, text: str, report: Report, *, detail: str) -> None:
    records.write_note(
        incident,
        kind=NOTE,
        text=text,
        by=post.by,
        at=post.at,
        detail=detail,
        data={"labels": dict(report.labels), "ignored": list(report.ignored), **report.numbers()},
    )
