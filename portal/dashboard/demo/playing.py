"""Plays the stories of the demo company through the services, act by act, with the engine sweeping in between.

Every clock is really met or missed at its moment. Messages of the past are written as delivered without being sent:
nobody of an invented company reads them. What is decided in the last minutes stays in the outbox, and leaves for real
when the engine starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import F

from incidents import services, sweeps
from incidents.enums import IncidentType
from incidents.models import Incident, IntakeToken
from portal.approvals.sweeps import sweep_approvals
from portal.audit.actor import acting, apart
from portal.dashboard.demo import alerting, keeping, working
from portal.dashboard.demo.rotating import LONDON
from portal.dashboard.demo.story import SOURCE, Step, Story
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory.models import Contact, Severity, System
from portal.notify.models import Message, MessageState

ORIGIN = "import"
READ_AFTER = timedelta(minutes=12)
UNREAD_SINCE = timedelta(hours=6)
STILL_UNSENT = timedelta(minutes=2)
CHECKERS = {"oncall": "amara", "security": "diego", "platform": "mei", "support": "priya", "ops": "jonas"}
_VERBS: dict[str, Callable[..., Any]] = {
    name: getattr(services, name)
    for name in (
        *("acknowledge", "activate", "record_update", "add_note", "add_responder", "page_person", "reclassify"),
        *("mitigate", "resolve", "close", "reopen", "cancel", "merge", "pause_clock", "resume_clock"),
    )
}
_VERBS |= {"keep_evidence": keeping.keep_evidence, "give_evidence": keeping.give_evidence}
_VERBS |= {"tick_steps": working.tick_steps, "fail_step": working.fail_step}


@dataclass
class Play:
    """One run: the people by key, the source of alerts, the moment that counts as the present, and the sweeps."""

    people: dict[str, Contact]
    source: IntakeToken
    now: datetime
    engine: tuple[Callable[..., Any], ...] = (sweeps.sweep_incidents, sweep_approvals)

    def run(self, stories: list[Story]) -> int:
        """Play all stories in the order of time, and return how many incidents there are, drills aside."""
        begins = {number: self.declared_at(story) for number, story in enumerate(stories)}
        events: list[tuple[datetime, int, int]] = []
        for number, story in enumerate(stories):
            events.append((begins[number], number, -1))
            events += [(_later(begins[number], step.minute), number, at) for at, step in enumerate(story.steps)]
        made: dict[int, Incident] = {}
        for moment, number, step in sorted(events):
            self.sweep_until(moment)
            if step < 0:
                made[number] = self.alone(self._declare, stories[number], number, moment)
            else:
                act = stories[number].steps[step]
                self.alone(self._act, made[number], act, moment)
                if stories[number].by == SOURCE and act.verb in {"resolve", "cancel"}:
                    self.alone(alerting.stop, self.source, stories[number], number, at=moment)
        self.sweep_until(self.now)
        self.deliver(until=self.now - STILL_UNSENT)
        return sum(not story.drill for story in stories)

    def declared_at(self, story: Story) -> datetime:
        """Return when the story begins."""
        if story.ago is not None:
            return self.now - timedelta(minutes=story.ago)
        day = (self.now.astimezone(LONDON) - timedelta(days=story.days)).date()
        return datetime.combine(day, time.fromisoformat(story.clock), LONDON)

    def sweep_until(self, moment: datetime) -> None:
        """Let the engine do what is due until then, each thing a second after its time."""
        pending = Deadline.objects.filter(state=DeadlineState.PENDING, attempts=0).order_by("due_at")
        while True:
            due = pending.filter(due_at__lte=moment).values_list("due_at", flat=True).first()
            if due is None:
                return
            at = min(due + timedelta(seconds=1), moment)
            for sweep in self.engine:
                self.alone(sweep, at=at)
            self.deliver(until=moment - STILL_UNSENT)

    def deliver(self, *, until: datetime) -> None:
        """Write messages of the past as delivered, and those of the inbox as read, without sending anything."""
        past = min(until, self.now - STILL_UNSENT)
        waiting = Message.objects.filter(state=MessageState.PENDING, created_at__lte=past)
        waiting.update(
            state=MessageState.SENT, settled_at=F("created_at") + timedelta(seconds=2), attempts=1, repeat_seconds=None
        )
        seen = Message.objects.filter(lane="inbox", read_at=None, created_at__lte=min(past, self.now - UNREAD_SINCE))
        seen.update(read_at=F("created_at") + READ_AFTER)

    def alone(self, work: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """Do one human act as a gesture of its own, outside the one of the command."""
        with apart():
            return work(*args, **words)

    def _declare(self, story: Story, number: int, at: datetime) -> Incident:
        if story.by == SOURCE:
            return alerting.fire(self.source, story, number, at=at)
        by = self.people[story.by]
        with acting(by=by, at=at, origin=ORIGIN):
            return services.declare(
                title=story.title,
                description=story.description,
                severity=Severity.objects.get(level=story.level),
                systems=list(System.objects.filter(slug__in=story.systems)),
                type=IncidentType.SECURITY if story.security else IncidentType.OPERATIONAL,
                is_drill=story.drill,
                by=by,
                at=at,
            )

    def _act(self, incident: Incident, step: Step, at: datetime) -> None:
        by = self.people[step.who]
        words = dict(step.words)
        if "contact" in words:
            words["contact"] = self.people[words["contact"]]
        if "severity" in words:
            words["severity"] = Severity.objects.get(level=words["severity"])
        if "into" in words:
            words["into"] = Incident.objects.open().get(title=words["into"])
        if step.verb == "resolve":
            working.finish(incident, people={team: self.people[key] for team, key in CHECKERS.items()}, at=at)
        with acting(by=by, at=at, origin=ORIGIN):
            _VERBS[step.verb](incident, by=by, at=at, **words)


def _later(moment: datetime, minutes: float) -> datetime:
    return moment + timedelta(minutes=minutes)
