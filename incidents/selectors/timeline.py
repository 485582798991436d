"""The timeline of an incident as it is shown, and its communications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from incidents.clocks import ClockFace
from incidents.enums import Audience
from incidents.looks import AUDIENCE_ICONS
from incidents.models import Incident
from incidents.selectors.listing import running_clock
from portal.lib import times
from portal.records import services as records
from portal.records.models import Note

SHOWN = 40
ON_A_PAGE = 200  # of earlier entries: what a page renders well within its time
WRITTEN_LATER = timedelta(minutes=1)
SHOWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "everything": ("Everything", ()),
    "notes": ("Notes", ("note",)),
    "checklists": ("Checklists", ("checklist",)),
    "messages": ("Messages", ("paged", "held", "released", "update", "message", "exhausted", "escalated", "unreached")),
}
# kind of entry: icon and tone
MARKS: dict[str, tuple[str, str]] = {
    "declared": ("siren", "red"),
    "acknowledged": ("user-round-check", "teal"),
    "activated": ("flag", ""),
    "mitigated": ("shield-check", "blue"),
    "resolved": ("circle-check", "green"),
    "closed": ("lock", ""),
    "reopened": ("rotate-ccw", "red"),
    "cancelled": ("ban", ""),
    "real": ("siren", "red"),
    "paged": ("bell", ""),
    "recovered": ("timer", "blue"),
    "held": ("wrench", "violet"),
    "released": ("bell-ring", "amber"),
    "exhausted": ("octagon-alert", "red"),
    "unreached": ("bell-off", "red"),
    "expired": ("alarm-clock-off", "red"),
    "escalated": ("arrow-up", "amber"),
    "responder": ("user-plus", ""),
    "update": ("megaphone", "green"),
    "message": ("mail", ""),
    "note": ("message-square", ""),
    "severity": ("gauge", "amber"),
    "clock": ("timer", ""),
    "at_risk": ("triangle-alert", "amber"),
    "warning": ("triangle-alert", "amber"),
    "missed": ("octagon-alert", "red"),
    "alert": ("webhook", ""),
    "evidence": ("fingerprint", ""),
    "checklist": ("list-checks", ""),
    "classified": ("scale", "violet"),
    "containment": ("shield-check", "blue"),
    "rule": ("book-open-check", ""),
    "merged": ("git-merge", "blue"),
    "split": ("route", "blue"),
    "linked": ("link", ""),
    "restricted": ("lock", "violet"),
    "access": ("user-plus", "violet"),
    "glass": ("shield-x", "red"),
    "shutdown": ("power", "amber"),
}
QUOTED = frozenset({"note", "update"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `quote` holds somebody's own words, `detail` what the portal adds; `recorded` is set when later.

    `of` is the reference of the incident that it was written for, where that was merged into this one.
    """

    note: Note
    icon: str
    tone: str
    day: str
    quote: str
    detail: str
    recorded: datetime | None
    result: str
    missed: bool
    corrected_by: Note | None
    sent_to: str
    of: str


@dataclass(frozen=True, slots=True)
class Show:
    """One of the filters above the timeline."""

    label: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """Entries, whether older ones follow, the filters, and which page it is; 0 is that of the newest alone."""

    entries: list[Entry]
    more: bool
    shows: list[Show]
    show: str
    page: int

    @property
    def earlier(self) -> str:
        """The address of the entries before these."""
        return self._address(self.page + 1)

    @property
    def later(self) -> str:
        """The address of the entries after these; "" on the first page."""
        return self._address(self.page - 1) if self.page > 1 else ""

    def _address(self, page: int) -> str:
        asked = {"show": self.show} if self.show != "everything" else {}
        return f"?{urlencode({**asked, 'page': page})}#tl"


@dataclass(frozen=True, slots=True)
class Communication:
    """One audience: what it was told last, by whom and when, and when it must hear again."""

    audience: str
    label: str
    icon: str
    note: Note | None
    clock: dict[str, object] | None
    edge: str
    skipped: bool


def timeline_of(incident: Incident, *, user: Any, show: str, page: int, at: datetime) -> Timeline:
    """Return the timeline, newest event first: at first forty entries, then `page` by page from 1 on.

    It reads the lines of what was merged into the incident too, as far as the reader may see those.
    """
    show = show if show in SHOWS else "everything"
    merged = dict(Incident.objects.visible_to(user).filter(merged_into=incident).values_list("pk", "reference"))
    lines = records.timelines(Incident, [incident.pk, *merged])
    notes = lines.select_related("corrects")
    if SHOWS[show][1]:
        notes = notes.filter(kind__in=SHOWS[show][1])
    size = ON_A_PAGE if page else SHOWN
    first = max(page - 1, 0) * size
    rows = list(notes[first : first + size + 1])
    shown = rows[:size]
    corrections = lines.filter(corrects__in=[row.pk for row in shown]).order_by("id")
    corrected = {note.corrects_id: note for note in corrections}
    entries, day = [], times.day(at, at)
    for row in shown:
        today = times.day(row.event_at, at)
        entries.append(
            _entry(row, corrected.get(row.pk), day=today if today != day else "", of=merged.get(row.subject_id, ""))
        )
        day = today
    shows = [
        Show(label, "?" if slug == "everything" else f"?show={slug}", slug == show)
        for slug, (label, _) in SHOWS.items()
    ]
    return Timeline(entries, len(rows) > len(shown), shows, show, page)


def _entry(note: Note, corrected_by: Note | None, *, day: str, of: str) -> Entry:
    icon, tone = MARKS.get(note.kind, ("circle-dot", ""))
    result = str(note.data.get("result", "")) if note.kind == "update" else ""
    missed = "missed" in result or (note.kind == "acknowledged" and "missed" in note.detail)
    quoted = note.kind in QUOTED
    return Entry(
        note=note,
        icon="pencil-line" if note.corrects_id else icon,
        tone="red" if missed and note.kind == "update" else tone,
        day=day,
        quote=note.detail if quoted else str(note.data.get("description", "")),
        detail="" if quoted else note.detail,
        recorded=note.recorded_at if abs(note.recorded_at - note.event_at) >= WRITTEN_LATER else None,
        result=result,
        missed=missed,
        corrected_by=corrected_by,
        sent_to=str(note.data.get("to", "")) if note.kind == "update" else "",
        of=of,
    )


def communications_of(incident: Incident, cards: Sequence[ClockFace]) -> list[Communication]:
    """Return the audiences that must be told, or were."""
    updates = records.timeline(incident).filter(kind="update").order_by("event_at", "id")
    newest = dict(updates.values_list("audience", "pk"))
    told = {note.audience: note for note in records.timeline(incident).filter(pk__in=newest.values())}
    found = []
    for audience in Audience:
        running = [card for card in cards if card.key.partition(".")[0] == audience]
        clock = next((card for card in running if card.state in ("track", "risk")), None)
        clock = clock or next((card for card in running if card.state == "missed" and card.owed), None)
        if running or audience in told:
            skipped = any(card.state == "skipped" for card in running)
            found.append(_communication(audience, told.get(audience), clock, skipped=skipped))
    return found


def _communication(audience: Audience, note: Note | None, clock: ClockFace | None, *, skipped: bool) -> Communication:
    chip = running_clock(clock)
    if chip is not None:
        chip["name"] = ""
    edge = {"missed": "is-late", "risk": "is-warm"}.get(clock.state, "") if clock else ""
    return Communication(audience.value, audience.label, AUDIENCE_ICONS[audience], note, chip, edge, skipped)
