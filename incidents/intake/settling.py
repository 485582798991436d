"""What one report does to an incident: open, join, reopen, resolve, acknowledge, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from incidents import policy, services
from incidents.enums import OPEN, Stance, Status
from incidents.intake import reading, statements, words
from incidents.intake.mapping import Meaning, meaning_of
from incidents.intake.posts import Answer, Post
from incidents.intake.report import Report
from incidents.models import Alert, Incident, IntakeToken
from portal.records import services as records

KEY_LENGTH = 180  # characters of a key that are kept as they are; a longer one is kept as its digest
LONGEST_STORY = timedelta(days=7)  # an alert that began earlier enters the timeline when it came in
ATTEMPTS = 3  # an incident may be opened, resolved and reopened by others meanwhile
MOST_HANDED = 50  # incidents that an alert belonged to, the newest
NOTE = "alert"
JOINED = "{} is open under this key. The alert joined it."


def short_key(key: str) -> str:
    """Return the key as it is kept: itself, or its digest when it is too long or not one visible line."""
    if len(key) <= KEY_LENGTH and reading.line(key, KEY_LENGTH) == key:
        return key
    return f"sha256:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def dedup_key(token: IntakeToken, key: str) -> str:
    """Return the key under which at most one incident is open: two sources never meet under the same one."""
    return f"{token.pk}:{short_key(key)}"


def fires(post: Post, report: Report) -> Answer:
    """Join the open incident of the key, reopen one that was resolved just now, or open a new one."""
    again = _says_nothing_new(post, report)
    if again is not None:
        return again
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


def counted_at_once(post: Post, report: Report, *, content_type: str) -> Answer | None:
    """Count and keep at once an alert that says what it said before, where the database can."""
    if report.stance != Stance.FIRING:
        return None
    incident = statements.counted_at_once(
        post, key=short_key(report.key), digest=report.digest(), title=report.title[:300],
        content_type=content_type, sentence=JOINED,
    )  # fmt: skip
    if incident is None:
        return None
    return Answer(200, "joined", JOINED.format(incident.reference), incident, report.ignored)


def _says_nothing_new(post: Post, report: Report) -> Answer | None:
    """Count an alert that says what it said before, and has its open incident; a storm consists of them.

    The incident is locked as for every other alert, before the alert: the row of the delivery points at it, and
    PostgreSQL looks at that only when the transaction ends.
    """
    known = statements.locked_standing(post.token, short_key(report.key), report.digest())
    if known is None:
        return None
    alert, incident = known
    statements.count(alert, title=report.title[:300], at=post.at)
    return Answer(200, "joined", JOINED.format(incident.reference), incident, report.ignored)


def _standing(post: Post, key: str) -> Incident | None:
    """Lock and return the incident of the key that is open, or was resolved recently enough to be reopened.

    Where there is none, posts of the same key go on one after the other: the first of a storm would otherwise all open
    an incident, and all but one in vain.
    """
    return _locked(lambda: standing(post.token, key, at=post.at), between=partial(statements.wait_for_others, key))


def _locked(rows: Callable[[], QuerySet[Incident]], between: Callable[[], None] = lambda: None) -> Incident | None:
    """Lock and return the first of these incidents.

    Whoever waits here for a duplicate that is just being merged does not get it, since it is merged when the wait is
    over; the second look finds the survivor, to which its alerts were handed.
    """
    found = rows().select_for_update(of=("self",)).first()
    if found is None:
        between()
        found = rows().select_for_update(of=("self",)).first()
    return found


def standing(token: IntakeToken, key: str, *, at: datetime) -> QuerySet[Incident]:
    """Return the incidents that an alert under this key joins or reopens, the one that it does first; never a drill."""
    since = at - timedelta(minutes=token.reopen_minutes)
    can_reopen = [status for status in policy.TRANSITIONS["reopen by source"] if status not in OPEN]
    fits = Q(status__in=OPEN) | Q(status__in=can_reopen, resolved_at__gte=since)
    open_first = Case(When(status__in=OPEN, then=Value(0)), default=Value(1))
    return _of_key(token, key).filter(fits).order_by(open_first, "-resolved_at", "-id")


def _of_key(token: IntakeToken, key: str) -> QuerySet[Incident]:
    """Return the incidents that the key opened, or that its alert was handed to: by merging, or by splitting off."""
    alerts = Alert.objects.filter(token=token, key=key.partition(":")[2]).order_by("-last_at", "-pk")
    handed = list(alerts.values_list("incident_id", flat=True)[:MOST_HANDED])
    return Incident.objects.real().filter(Q(dedup_key=key) | Q(pk__in=handed))


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
    _remember(post, incident, report, plain=not meaning.unknown)
    sentence = f"{incident.reference} was declared at {incident.severity.code}."
    hints = [words.not_mapped(meaning, post.token), words.not_believed(report, post.at), *report.hints]
    return Answer(200, "opened", " ".join(filter(None, [sentence, *hints])), incident, report.ignored)


def _join(post: Post, report: Report, meaning: Meaning, incident: Incident) -> Answer:
    status, sentence = "joined", JOINED.format(incident.reference)
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
    if _remember(post, incident, report, plain=not meaning.unknown) or status == "reopened":
        others = words.other_systems(meaning, list(incident.systems.all()))
        _write(post, incident, words.joined(report), report, detail=others)
    return Answer(200, status, sentence, incident, report.ignored)


def is_resolved(post: Post, report: Report) -> Answer:
    """Resolve the open incident of the key, or say that there is none."""
    key = dedup_key(post.token, report.key)
    incident = _open_one(post, key)
    if incident is not None:
        if why := _goes_on(post, incident, report):
            if _remember(post, incident, report):
                _write(post, incident, "reports that an alert is resolved", report, detail=why)
            sentence = f"An alert of {incident.reference} is resolved. {why}"
            return Answer(200, "noted", sentence, incident, report.ignored)
        incident = services.resolve_by_source(
            incident, by=post.by, at=post.at, reason=f"{post.token.name} reports that it is resolved."
        )
        _remember(post, incident, report)
        return Answer(200, "resolved", f"{incident.reference} is resolved.", incident, report.ignored)
    latest = _of_key(post.token, key).order_by("-id").select_for_update(of=("self",)).first()
    # Closing an incident waits for its alerts: one that was resolved by hand learns here that its alert stopped too.
    stopped = Alert.objects.filter(token=post.token, key=short_key(report.key), firing=True)
    stopped.update(firing=False, last_at=post.at)
    if latest is not None:
        sentence = f"{latest.reference} is {latest.get_status_display().lower()} already. Nothing changed."
        return Answer(200, "unchanged", sentence, latest, report.ignored)
    sentence = "No incident was ever opened under this key, so there is nothing to resolve. The message is kept."
    return Answer(200, "kept", sentence, None, report.ignored)


def _open_one(post: Post, key: str) -> Incident | None:
    return _locked(lambda: _of_key(post.token, key).filter(status__in=OPEN).order_by("-id"))


def _goes_on(post: Post, incident: Incident, report: Report) -> str:
    """Return why an incident stays open though one of its alerts is resolved; "" when it does not."""
    if not incident.source:
        return "People declared the incident, so that people resolve it."
    others = Alert.objects.filter(incident=incident, firing=True).exclude(token=post.token, key=short_key(report.key))
    return "Other alerts of it still fire." if others.exists() else ""


def is_acknowledged(post: Post, report: Report) -> Answer:
    """Acknowledge the open incident of the key: the source says that somebody is on it."""
    incident = _open_one(post, dedup_key(post.token, report.key))
    if incident is None:
        sentence = "No incident is open under this key, so there is nothing to acknowledge. The message is kept."
        return Answer(200, "kept", sentence, None, report.ignored)
    if incident.status != Status.DECLARED:
        sentence = f"{incident.reference} is {incident.get_status_display().lower()} already. Nothing changed."
        return Answer(200, "unchanged", sentence, incident, report.ignored)
    reason = f"{post.token.name} reports that somebody is on it."
    incident = services.acknowledge(incident, by=post.by, at=post.at, reason=reason)
    return Answer(200, "acknowledged", f"{incident.reference} is acknowledged.", incident, report.ignored)


def asks_nothing(_post: Post, report: Report) -> Answer:
    """Keep what neither fires nor is resolved, and say why nothing came of it."""
    return Answer(200, "nothing", report.sentence, None, report.ignored)


SETTLE: MappingProxyType[str, Callable[[Post, Report], Answer]] = MappingProxyType(
    {
        Stance.FIRING: fires,
        Stance.RESOLVED: is_resolved,
        Stance.ACKNOWLEDGED: is_acknowledged,
        Stance.NOTHING: asks_nothing,
    }
)


def _remember(post: Post, incident: Incident, report: Report, *, plain: bool = True) -> bool:
    """Count the alert of this key on the incident, under its lock; tell whether it says something new.

    `plain` is false when its words ask for advice: then it is read in full each time.
    """
    seen = {"firing": report.firing, "title": report.title[:300], "labels": _kept_labels(report), "last_at": post.at}
    seen["digest"] = report.digest() if plain and not report.hints else ""
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
