"""What makes the demo company's record worth reading to an auditor: engagements, reviews, and what they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from portal.accounts import events
from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.accounts.receivers import WRONG
from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance.enums import ItemState, Register
from portal.assurance.models import Review, ReviewItem
from portal.assurance.services import deciding, engagements, opening, planning, signing
from portal.assurance.services.holdings import Scope
from portal.assurance.sweeps import sweep_reviews
from portal.audit.actor import By, acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.enums import Clock
from portal.directory.models import Severity, SeverityClock, System
from portal.notify import services as notify

REASON = "The yearly surveillance audit"
LASTS = timedelta(days=90)
STRANGER = "203.0.113.47"  # of the range that is kept for documentation
REVIEWING = [BY_SLUG[slug].name for slug in ("security-lead", "manager")]
STAND_IN = "manager"


def engage(*, by: By, at: datetime, now: datetime) -> None:
    """Grant the auditor an engagement for everything. Without logins there is nobody to grant it to."""
    people = User.objects.filter(is_active=True)
    auditor = people.filter(groups__name=BY_SLUG["auditor"].name).first()
    if auditor is None:
        return
    granter = people.filter(groups__name=BY_SLUG["administrator"].name).first()
    made = engagements.grant(
        auditor, title="Surveillance audit", starts=at, ends=now + LASTS, registers=Register.values,
        by=granter or by, at=at, reason=REASON,
    )  # fmt: skip
    notify.cancel_unsent(about=made, at=at)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did, so many days ago."""

    days: float
    who: str
    do: Callable[[Scene, User, datetime], Any]


class Scene:
    """What the acts of the story make, for those that follow."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.users = {key: User.objects.get(pk=one.user_id) for key, one in play.people.items() if one.user_id}
        self.reviews: dict[str, Review] = {}
        self.engagement: Any = None

    def before(self, days: float) -> datetime:
        """Return the moment so many days ago."""
        return self.play.now - timedelta(days=days)

    def items(self, name: str, *, but: User | None = None) -> list[ReviewItem]:
        """Return the items of a review in their order, but for those about somebody."""
        found = ReviewItem.objects.filter(review=self.reviews[name]).order_by("number")
        return [item for item in found if but is None or item.about_id != but.pk]

    def open_items(self, name: str, *, but: User) -> list[ReviewItem]:
        """Return those that nobody has decided on, but for those about somebody."""
        items = self.items(name, but=but)
        states = deciding.states_of(items)
        return [item for item in items if states[item.pk][0] == ItemState.OPEN]


def play(play: Play) -> None:
    """Play the story in the order of time. Only accounts review and are reviewed: without logins there is none."""
    if not play.people["kwame"].user_id:
        return
    play = replace(play, engine=(*play.engine, sweep_reviews))
    scene = Scene(play)
    planning.start_missing(at=play.now)  # the reviews that plans make begin with the present
    for act in ACTS:
        at = scene.before(act.days)
        play.sweep_until(at)
        play.alone(_act, scene, act, at)
    play.sweep_until(play.now)
    play.deliver(until=play.now)


def _act(scene: Scene, act: Act, at: datetime) -> None:
    by = scene.users[act.who]
    with acting(by=by, at=at, origin=ORIGIN):
        act.do(scene, by, at)


# Roles, sign-ins and severity levels: what the reviews find.


def _stand_in(scene: Scene, by: User, at: datetime) -> None:
    words = "Stands in for Hannah Whitcombe, who is on leave for three weeks"
    accounts.grant(scene.users["amara"], STAND_IN, by=by, at=at, reason=words)


def _wrong_passwords(_scene: Scene, _by: User, at: datetime) -> None:
    """Somebody outside tries names at night; the third one exists."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = STRANGER
    for second, name in enumerate(("admin", "root", "administrator", "administrator")):
        with acting(by="unknown", at=at + timedelta(seconds=4 * second), origin="web", alone=True):
            events.refused(request, name, why=WRONG)


def _clock(minutes: int, reason: str) -> Callable[[Scene, User, datetime], None]:
    """Return the act that gives the executive summary of SEV-2 another limit."""

    def change(_scene: Scene, by: User, at: datetime) -> None:
        clock = SeverityClock.objects.get(severity__code="SEV-2", clock=Clock.EXECUTIVES)
        clock.limit = minutes
        with acting(by=by, at=at, reason=reason):
            clock.save()

    return change


def _wording(_scene: Scene, by: User, at: datetime) -> None:
    severity = Severity.objects.get(code="SEV-3")
    severity.example = "Reports are late, or one function of many fails."
    with acting(by=by, at=at, reason="Support asked what counts as SEV-3"):
        severity.save()


# Engagements.


def _certification(scene: Scene, by: User, at: datetime) -> None:
    scene.engagement = engagements.grant(
        scene.users["siobhan"], title="Certification audit, stage 1", starts=at, ends=scene.before(70),
        registers=[Register.INCIDENTS, Register.DIRECTORY, Register.TRAIL],
        systems=list(System.objects.filter(slug="ticket-desk")), by=by, at=at,
        reason="Stage 1 looks at the support-ticket system alone",
    )  # fmt: skip


def _certified(scene: Scene, by: User, at: datetime) -> None:
    words = "The auditors had what they needed four days early"
    engagements.end(scene.engagement, by=by, at=at, reason=words)


# Reviews.


def _open_access(scene: Scene, by: User, at: datetime) -> None:
    scope = Scope(tuple(role.name for role in ROLES), accounts=True, engagements=True)
    scene.reviews["access"] = opening.review_access(
        scope=scope, due_at=at + timedelta(days=21), reviewer_roles=REVIEWING, by=by, at=at,
        reason="Before the certification audit, stage 2",
    )  # fmt: skip


def _revoke(scene: Scene, by: User, at: datetime) -> None:
    amara, review = scene.users["amara"], scene.reviews["access"]
    item = next(i for i in scene.items("access") if i.about_id == amara.pk and i.facts.get("role") == STAND_IN)
    words = "The leave is over since two weeks; nobody took the role back"
    deciding.revoke(review, item, words=words, by=by, at=at, confirmed=True)


def _attest(name: str, share: float = 1.0) -> Callable[[Scene, User, datetime], None]:
    """Return the act that attests this share of what is left of a review, but for one's own."""

    def attest(scene: Scene, by: User, at: datetime) -> None:
        found = scene.open_items(name, but=by)
        chosen = found[: round(len(found) * share)]
        if chosen:
            deciding.attest(scene.reviews[name], chosen, by=by, at=at)

    return attest


def _sign(scene: Scene, by: User, at: datetime) -> None:
    words = "I have seen each access in this review. One was left over from a leave, and is taken back."
    signing.sign(scene.reviews["access"], statement=words, by=by, at=at, confirmed=True)


def _open_changes(name: str, first: float, last: float, due: float) -> Callable[[Scene, User, datetime], None]:
    """Return the act that opens a review of what was changed between two days ago, due so many days ago."""

    def begin(scene: Scene, by: User, at: datetime) -> None:
        scene.reviews[name] = opening.review_changes(
            period_from=scene.before(first), period_until=scene.before(last), due_at=scene.before(due),
            reviewer_roles=REVIEWING, by=by, at=at, reason="As the procedure for severity levels and roles asks",
        )  # fmt: skip

    return begin


def _question(words: str, about: str) -> Callable[[Scene, User, datetime], None]:
    """Return the act that questions the first open change whose reason has these words."""

    def ask(scene: Scene, by: User, at: datetime) -> None:
        item = next(item for item in scene.open_items("changes", but=by) if about in item.reason)
        deciding.question(scene.reviews["changes"], item, words=words, by=by, at=at)

    return ask


def _answer(scene: Scene, by: User, at: datetime) -> None:
    review = scene.reviews["changes"]
    item = next(item for item in scene.items("changes") if deciding.state_of(item)[0] == ItemState.QUESTIONED)
    words = "The head of operations agreed in the weekly meeting; the minutes are with the contracts."
    deciding.answer(review, item, words=words, by=by, at=at)


TIGHT = "Two customers ask for an earlier summary"
LOOSE = "Missed twice in a week: 45 min are too tight at night"
ACTS = (
    Act(95, "kwame", _certification),
    Act(86, "kwame", _stand_in),
    Act(74, "kwame", _certified),
    Act(58, "leila", _open_access),
    Act(55, "leila", _revoke),
    Act(54, "leila", _attest("access")),
    Act(52, "hannah", _attest("access")),
    Act(51, "hannah", _sign),
    Act(38, "kwame", _wording),
    Act(33.4, "kwame", _wrong_passwords),
    Act(30, "hannah", _open_changes("late", 75, 40, due=16)),
    Act(29, "leila", _attest("late", 0.5)),
    Act(27, "kwame", _clock(45, TIGHT)),
    Act(19, "kwame", _clock(60, LOOSE)),
    Act(9, "leila", _open_changes("changes", 40, 10, due=-5)),
    Act(8, "leila", _question("Who agreed to 45 min?", TIGHT)),
    Act(7, "leila", _question("Which two were missed, and were they told afterwards?", LOOSE)),
    Act(6, "kwame", _answer),
    Act(5, "hannah", _attest("changes", 0.6)),
)
