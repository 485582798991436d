"""One version as a page: its sections rendered, what leads to them quickly, and what the portal keeps beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.approvals import services as approvals
from portal.approvals.services import Standing
from portal.directory import pages
from portal.runbooks import holding, shutting
from portal.runbooks.enums import VersionState
from portal.runbooks.looks import LOOKS, Look
from portal.runbooks.markdown import shutdown
from portal.runbooks.markdown.found import Content
from portal.runbooks.markdown.layout import Layout, arrange
from portal.runbooks.markdown.reading import Section, read
from portal.runbooks.markdown.understanding import understand
from portal.runbooks.markdown.vocabulary import Place
from portal.runbooks.models import Runbook, RunbookVersion
from portal.runbooks.rendering import html
from portal.runbooks.services import reviews

SHALLOWEST, DEEPEST = 3, 6


@dataclass(slots=True)
class Shown:
    """A section as the page shows it. `level` is that of its heading on the page."""

    title: str
    anchor: str
    level: int
    html: SafeString


@dataclass(slots=True)
class Card:
    """A part of the template with its sections."""

    title: str
    anchor: str
    html: SafeString
    sections: list[Shown] = field(default_factory=list)


@dataclass(slots=True)
class Way:
    """A link to a procedure or an entry of the guide, for whoever has no time to scroll."""

    title: str
    anchor: str
    count: int
    icon: str


@dataclass(slots=True)
class Page:
    """A version as a page. `shutdown` are the anchors of what tells how to shut the system down."""

    cards: list[Card]
    procedures: list[Way]
    issues: list[Way]
    intro: SafeString | None
    content: Content
    shutdown: frozenset[str]


def runbook_for(user: Any, reference: str) -> Runbook:
    """Return a runbook that the reader may see; Http404 is raised for any other."""
    rows = Runbook.objects.visible_to(user).select_related("system__owner", "system__objective", "owner")
    found: Runbook | None = rows.filter(reference=reference).first()
    if found is None:
        raise Http404("There is no such runbook.")
    return found


def version_for(user: Any, runbook: Runbook, number: int) -> RunbookVersion:
    """Return a version that the reader may see; Http404 is raised for any other."""
    found: RunbookVersion | None = versions_of(user, runbook).filter(number=number).first()
    if found is None:
        raise Http404("There is no such version.")
    found.runbook = runbook
    return found


def versions_of(user: Any, runbook: Runbook) -> Any:
    """Return the versions of a runbook that the reader may see, the newest first."""
    return RunbookVersion.objects.visible_to(user).filter(runbook=runbook).order_by("-number")


def page_of(version: RunbookVersion) -> Page:
    """Return a version as a page. The same text is read once."""
    return _page(version.text)


@lru_cache(maxsize=64)
def _page(text: str) -> Page:
    layout = arrange(read(text))
    content = understand(layout)
    anchors = dict(_anchored(layout))
    cards = [card for card in _cards(layout, anchors) if card.html or card.sections]
    shown = {section.line: anchors[section.line] for section, _, _ in layout.sections() if section.line in anchors}
    procedures = [
        Way(one.title, shown[one.line], len(one.steps), _icon(one.place))
        for one in content.procedures
        if one.line in shown
    ]
    issues = [Way(one.title, shown[one.line], len(one.steps), "wrench") for one in content.issues if one.line in shown]
    intro = html(layout.title.body, layout.title.first) if layout.title.body else None
    held = frozenset({Place.SHUTDOWN.value, *(f"s{line}" for line in shutdown.lines_of(layout))})
    return Page(cards, procedures, issues, intro, content, held)


def refuse_while_held(runbook: Runbook, *versions: RunbookVersion) -> None:
    """Raise PermissionDenied while shutting the system down is held back, for a text that says how.

    For what hands a text out whole: its file, what differs, and its draft. Its page leaves that part out instead.
    """
    if shutting.kept_back(runbook, *(version.text for version in versions)):
        raise PermissionDenied(f"{holding.HELD} Until then the runbook is read on its page, without that part.")


def without_shutdown(page: Page) -> Page:
    """Return the page with the sentence that holds shutdown back in the place of each shutdown procedure."""
    return replace(page, cards=[_held(card, page.shutdown) for card in page.cards])


def _held(card: Card, anchors: frozenset[str]) -> Card:
    sentence = format_html('<div class="banner banner--red"><div><b class="strong">{}</b></div></div>', holding.HELD)
    if card.anchor in anchors:
        return Card(card.title, card.anchor, sentence)
    sections: list[Shown] = []
    under = DEEPEST + 1  # the level of the procedure that is held back, while its own parts follow
    for one in card.sections:
        if one.level > under:
            continue
        under = one.level if one.anchor in anchors else DEEPEST + 1
        sections.append(replace(one, html=sentence) if one.anchor in anchors else one)
    return Card(card.title, card.anchor, card.html, sections)


_ICONS = {
    Place.STARTUP: "play", Place.SHUTDOWN: "power", Place.BACKUP: "database", Place.DEPLOYMENT: "upload",
    Place.RECOVERY_STEPS: "life-buoy", Place.SECURITY: "shield-alert", Place.PROCESS: "siren",
}  # fmt: skip


def _icon(place: Place) -> str:
    return _ICONS.get(place, "list-checks")


def _anchored(layout: Layout) -> Iterator[tuple[int, str]]:
    for section, _, _ in layout.sections():
        if section.line:
            yield section.line, f"s{section.line}"


def _cards(layout: Layout, anchors: dict[int, str]) -> Iterator[Card]:
    card: Card | None = None
    for section, level, place in layout.ordered():
        own = place is not None and layout.places[place] is section
        anchor = anchors.get(section.line, place.value if own and place is not None else "")
        if level < SHALLOWEST:
            if card is not None:
                yield card
            card = Card(section.title, anchor, _html(section))
            if not own:
                card.sections += _parts(section, anchors, SHALLOWEST)
        elif card is not None and (not own or section.chunks or section.parts):
            card.sections.append(Shown(section.title, anchor, min(level, DEEPEST), _html(section)))
            if not own:
                card.sections += _parts(section, anchors, level + 1)
    if card is not None:
        yield card


def _parts(section: Section, anchors: dict[int, str], level: int) -> Iterator[Shown]:
    for part in section.parts:
        yield Shown(part.title, anchors.get(part.line, ""), min(level, DEEPEST), _html(part))
        yield from _parts(part, anchors, level + 1)


def _html(section: Section) -> SafeString:
    return html(section.body, section.first) if section.body else SafeString("")


@dataclass(slots=True)
class Beside:
    """What stands beside a version: the portal's own facts of the system, its versions, and its next review."""

    duty: Any
    emergency: list[Any]
    objective: Any
    versions: list[tuple[RunbookVersion, Look]]
    review_due: datetime | None
    overdue: bool
    in_force: RunbookVersion | None
    writing: RunbookVersion | None


def beside(user: Any, runbook: Runbook, *, at: datetime) -> Beside:
    """Return what stands beside a runbook."""
    system = runbook.system
    team = runbook.keeper
    versions = list(versions_of(user, runbook).defer("text"))
    due = reviews.due_at(runbook)
    may_see = user.has_perm("directory.view_contact")
    return Beside(
        duty=pages.duties([team.pk], at=at)[team.pk] if team is not None and may_see else None,
        emergency=pages.emergency_table(system, user=user) if system is not None and may_see else [],
        objective=getattr(system, "objective", None) if system is not None else None,
        versions=[(version, LOOKS[version.state]) for version in versions],
        review_due=due,
        overdue=due is not None and due <= at,
        in_force=next((v for v in versions if v.state == VersionState.PUBLISHED), None),
        writing=next((v for v in versions if v.is_open), None),
    )


def standing_of(version: RunbookVersion) -> Standing | None:
    """Return how a version in review stands with those who approve it."""
    return approvals.standing(version) if version.state == VersionState.IN_REVIEW else None
