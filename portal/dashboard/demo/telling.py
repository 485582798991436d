"""Who is told at Halyard Desk Ltd, what goes out through the portal today, and who follows what."""

from __future__ import annotations

from datetime import timedelta

from incidents import clocks, services
from incidents.communications import choosing, drafting, sending, subscribing
from incidents.enums import Audience
from incidents.models import AudienceMember, CommunicationRule, Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.dashboard.demo import company
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.enums import MethodKind
from portal.directory.models import Channel, Contact, System

SKIPPED = "Nothing is new. Customers hear again when search has caught up."
CAUGHT_UP = "Search is now six minutes behind and catches up. We write again when it is level."
SUMMARY = (
    "Mail to support addresses becomes tickets late since a release this morning. Nothing is lost; 14,200 messages wait.\n\n"
    "Effect on customers: answers come later. They were told.\nCause: release 5.14.2 of Mail Intake.\n"
    "What is done, and by when: the release is being taken back, expected within the hour."
)


def found(people: dict[str, Contact]) -> None:
    """Put people and channels on the lists of audiences. Summaries to executives need an approval here."""
    room = Channel.objects.get(name="Operations room")
    mail = Channel.objects.create(
        name="Customer mail list", kind=MethodKind.EMAIL, address=f"status-mail@{company.DOMAIN}"
    )
    AudienceMember.objects.create(audience=Audience.STAKEHOLDERS, channel=room)
    AudienceMember.objects.create(audience=Audience.CUSTOMERS, channel=mail)
    for key in ("hannah", "arjun"):
        AudienceMember.objects.create(audience=Audience.EXECUTIVES, contact=people[key])
    for rule in CommunicationRule.objects.filter(audience=Audience.EXECUTIVES):
        rule.needs_approval = True
        rule.save()


def play(play: Play) -> None:
    """Tell customers through the portal, skip a message, let a summary wait for its approval, and follow systems."""
    mail = Incident.objects.filter(title__startswith="Inbound mail is not turned").first()
    search = Incident.objects.filter(title__startswith="Search results are up to").first()
    if search is not None:
        play.alone(_skip, play, search)
        play.alone(_tell_customers, play, search)
    if mail is not None and play.people["amara"].user_id:
        play.alone(_ask, play, mail)
        play.alone(_follow, play)


def _skip(play: Play, incident: Incident) -> None:
    at, by = play.now - timedelta(minutes=12), play.people["jonas"]
    due = [row.key for row in clocks.running(incident) if clocks.base(row.key) == Audience.CUSTOMERS]
    with acting(by=by, at=at, origin=ORIGIN):
        for key in due:
            services.skip_clock(incident, clock=key, by=by, at=at, reason=SKIPPED)


def _tell_customers(play: Play, incident: Incident) -> None:
    at, by = play.now - timedelta(minutes=5), play.people["freya"]
    words = choosing.words_for(incident, audience=Audience.CUSTOMERS, at=at)
    with acting(by=by, at=at, origin=ORIGIN):
        message = drafting.draft(
            incident, audience=Audience.CUSTOMERS, template=words.template, subject=words.subject, text=CAUGHT_UP,
            by=by, at=at,
        )  # fmt: skip
        sending.send(message, by=by, at=at)


def _ask(play: Play, incident: Incident) -> None:
    at, by = play.now - timedelta(minutes=3), play.people["amara"]
    words = choosing.words_for(incident, audience=Audience.EXECUTIVES, at=at)
    with acting(by=by, at=at, origin=ORIGIN):
        message = drafting.draft(
            incident, audience=Audience.EXECUTIVES, template=words.template, subject=words.subject, text=SUMMARY,
            by=by, at=at,
        )  # fmt: skip
        sending.ask(message, by=by, at=at, reason=f"A message to executives about {incident.reference}")


def _follow(play: Play) -> None:
    user = User.objects.get(pk=play.people["amara"].user_id)
    for slug in ("ticket-desk", "ticket-database"):
        subscribing.follow(System.objects.get(slug=slug), by=user, at=play.now - timedelta(days=30))
