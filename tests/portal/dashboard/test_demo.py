"""The demo company: true to life, made once, and shut where it could do harm."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from changes.enums import Status as ChangeStatus
from changes.models import Cell, Change, Finding, Freeze
from incidents.enums import EscalationState, Status
from incidents.models import Alert, Escalation, Incident, IntakeDelivery, IntakeToken
from maintenance.enums import State as OccurrenceState
from maintenance.models import Occurrence, Plan, Window
from portal.accounts.models import User
from portal.accounts.roles import ROLES
from portal.approvals.enums import RequestState
from portal.approvals.models import ApprovalRequest
from portal.assurance.models import Engagement, Review, Verdict
from portal.assurance.selectors.review_list import overdue_reviews, questions_to
from portal.audit import sealing
from portal.audit.models import TrailRow
from portal.dashboard.demo import changing, company, making
from portal.deadlines import services as deadlines
from portal.deadlines.models import Deadline, DeadlineState
from portal.directory import readiness, services
from portal.directory.models import Contact, ContactMethod, Severity, System, Team
from portal.notify.models import Message, MessageState
from portal.records.evidence.models import Evidence
from portal.records.models import Demand, Note, Period
from portal.runbooks.models import ChecklistRun
from tests.factories.directory import make_system

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MIDNIGHT = datetime(2026, 11, 30, 0, 0, 30, tzinfo=UTC)


def make():
    said = StringIO()
    call_command("demo", stdout=said)
    return said.getvalue()


def rows():
    models = (User, Contact, ContactMethod, System, Team, Incident, Note, Message, Deadline, IntakeToken)
    return {model.__name__: model.objects.count() for model in models}


def test_the_company_stands_and_is_true_to_life(mailoutbox):
    said = make()
    now = timezone.now()

    assert System.objects.count() == 12
    assert Contact.objects.filter(active=True).count() >= 12
    assert Incident.objects.real().exclude(source="system: backups").count() == 40
    assert_alerts_came_in_and_drills_and_evidence_are_to_be_seen()

    # every state, every severity, clocks kept and clocks missed
    assert set(Incident.objects.values_list("status", flat=True)) == set(Status.values)
    assert set(Incident.objects.values_list("severity__level", flat=True)) == {1, 2, 3, 4}
    clocks = Deadline.objects.filter(kind="incident.clock")
    assert clocks.filter(state=DeadlineState.MET).count() > 30
    assert clocks.filter(state=DeadlineState.FIRED).count() > 5
    assert clocks.filter(state=DeadlineState.PENDING).exists()

    # every state of an approval but final, and something to decide for the manager and the change approver
    asked = ApprovalRequest.objects.all()
    assert set(asked.values_list("state", flat=True)) == set(RequestState.values)
    for login, waiting in (("manager", 4), ("change-approver", 2)):
        assert asked.waiting_for(User.objects.get(username=login), at=now).count() == waiting

    assert_an_auditor_finds_something(now)
    assert_a_change_manager_finds_something()
    assert_a_manager_finds_something(now)
    assert Incident.objects.get(source="system: backups").title.startswith("No backup of Attachment Store")

    # one escalation that reached nobody, one incident that was reopened, two of security
    assert Escalation.objects.filter(state=EscalationState.EXHAUSTED).exists()
    assert Note.objects.filter(kind="reopened").exists()
    assert Incident.objects.filter(type="security").count() >= 2

    # a SEV-1 burns now, another incident was declared minutes ago and is not answered yet
    burning = Incident.objects.get(severity=Severity.objects.get(level=1), status=Status.ACKNOWLEDGED)
    assert clocks.filter(subject_id=burning.pk, state=DeadlineState.PENDING).count() >= 3
    assert (now - Incident.objects.filter(status=Status.DECLARED).latest("declared_at").declared_at).seconds < 600

    # nothing of the past is left over: no deadline overdue, no pile of messages, no mail sent
    assert deadlines.oldest_overdue_seconds(at=now) < 60
    assert Message.objects.filter(state__in=[MessageState.PENDING, MessageState.FAILED]).count() <= 6
    assert mailoutbox == []
    assert all(note.event_at <= now for note in Note.objects.all())

    # everybody on call, but for the hole that opens on Friday; in some weeks a swap makes somebody's share uneven
    assert all(services.on_call(team, at=now) for team in Team.objects.all())
    told = [hole.sentence for hole in readiness.holes(at=now) if "an even share is" not in hole.sentence]
    assert told
    assert all("Support after Fri" in sentence for sentence in told)

    # whatever is told of the past is sealed, so that health has nothing to complain of
    assert sealing.state().waiting_since is None

    # one login for each role, printed with its password
    password = re.search(r"Password of each: (\S+)\n", said)[1]
    for role in ROLES:
        assert User.objects.get(username=role.slug).check_password(password)
        assert role.slug in said
        user = User.objects.get(username=role.slug)
        assert [group.name for group in user.groups.all()] == [role.name]
        assert user.contact is not None

    # a second run changes nothing
    before = rows()
    again = make()
    assert rows() == before
    assert "nothing was changed" in again
    assert "responder" in again

    # each act is a gesture of its own, by the person who did it
    names = set(Note.objects.values_list("actor_name", flat=True))
    assert {person.name for person in company.PEOPLE} - names <= {"Siobhan Kearney", "Noor Haddad"}
    acknowledged = Note.objects.filter(kind="acknowledged")
    assert acknowledged.values("gesture").distinct().count() == acknowledged.count()
    assert Incident.history.filter(actor_name="Amara Okafor").exists()


def assert_an_auditor_finds_something(now):
    # an access review signed with a revocation, one that a release asked for, one of changes with open questions, one
    # overdue
    reviews = {review.state: review for review in Review.objects.filter(kind="access")}
    assert set(reviews) == {"signed", "open"}
    assert Verdict.objects.filter(review=reviews["signed"], state="revoked", evidence_row__isnull=False).count() == 1
    questioned, overdue = Review.objects.filter(kind="changes", state="open").order_by("-due_at")
    states = [item.verdicts.order_by("-step").first() for item in questioned.items.all()]
    assert {"questioned", "answered", "attested"} <= {last.state for last in states if last}
    assert questioned.due_at > now > overdue.due_at
    assert 0 < overdue.verdicts.count() < overdue.items_count
    assert [row.review for row in overdue_reviews(User.objects.get(username="manager"), at=now)] == [overdue]
    assert len(questions_to(User.objects.get(username="administrator"))) == 1

    # an engagement that runs, one ended early; sign-ins refused; roles and severity levels changed for a reason
    assert [one.state(now) for one in Engagement.objects.order_by("pk")] == ["running", "ended"]
    assert TrailRow.objects.filter(action="sign-in-refused", at__lt=now - timedelta(days=30)).count() == 4
    changed = TrailRow.objects.filter(action="changed", privileged=True, at__lt=now, actor_name="Kwame Mensah")
    for model in ("accounts.user", "directory.severity", "directory.severityclock"):
        assert changed.filter(model=model).exclude(reason="").exists()


def assert_alerts_came_in_and_drills_and_evidence_are_to_be_seen():
    # what Alertmanager reported was posted to its address: what burns still fires, what ended stopped
    posts = IntakeDelivery.objects.filter(token__name="Alertmanager")
    assert set(posts.values_list("result", flat=True)) == {"accepted"}
    opened = Incident.objects.exclude(source="").exclude(source="system: backups")
    assert set(opened.values_list("source", flat=True)) == {"Alertmanager"}
    assert opened.count() == posts.filter(sentence__contains="was declared").count() > 10
    firing = set(Alert.objects.filter(firing=True).values_list("incident_id", flat=True))
    assert firing == {one.pk for one in opened if one.is_open}

    # a drill that was closed, and two files of what burns now
    drill = Incident.objects.drills().get()
    assert (drill.status, drill.systems.get().slug) == (Status.CLOSED, "ticket-database")
    burning = Incident.objects.get(title__startswith="Inbound mail is not turned")
    assert {one.original_name for one in Evidence.objects.of(burning)} == {"parser-node-1.log", "queue-depth.csv"}


def assert_a_manager_finds_something(now):
    """What was forgotten and told up the line, what waits for a signature, and weeks of what was done."""
    assert Plan.objects.in_force().count() == 13  # five of them remind of exercises and restore tests
    forgotten = Occurrence.objects.overdue(now - timedelta(hours=31)).get()  # one plan is kept 30 hours late
    assert (forgotten.plan.task, forgotten.is_standing) == ("Capacity review", True)
    assert Occurrence.objects.filter(state=OccurrenceState.TO_SIGN).get().plan.task == "Access control review"
    assert Occurrence.objects.filter(state=OccurrenceState.COMPLETED, source="job").count() > 50
    assert Occurrence.objects.filter(state=OccurrenceState.COMPLETED, source="person").count() > 10
    # the incident of a silent backup is no older than the silence
    silence = Demand.objects.get(asked_by="system: backups")
    assert Incident.objects.get(title__startswith="No backup of").declared_at >= silence.asked_at
    # a window that was kept, one that goes on, one past its end, and four Sundays ahead
    windows = Window.objects.order_by("starts_at")
    assert [one.state for one in windows] == ["completed", "in_progress", "in_progress", *["scheduled"] * 4]
    assert [one.system.slug for one in Period.objects.filter(kind="maintenance", starts__lte=now, ends__gt=now)] == [
        "attachment-store"
    ]


def assert_a_change_manager_finds_something():
    # every state but assessed twice over: two stages waiting, one with the first behind it
    changes = Change.objects.all()
    assert set(changes.values_list("status", flat=True)) == set(ChangeStatus.values)
    waiting = changes.filter(status=ChangeStatus.ASSESSED)
    requests = ApprovalRequest.objects.filter(kind="change", subject_id__in=waiting.values("pk"))
    assert sorted(one.decisions.count() for one in requests) == [0, 1]

    # one rolled back longer than estimated, with its review; one emergency that owes approval and review
    undone = changes.get(outcome="rolled_back")
    assert undone.rollback_ended_at - undone.rolled_back_at > timedelta(minutes=undone.rollback_minutes)
    assert undone.review
    emergency = changes.get(type="emergency")
    assert (emergency.approved_at, emergency.review) == (None, "")
    assert Note.objects.filter(kind="owed", subject_id=emergency.pk).count() >= 2

    # steps that are worked now, freezes of four domains, a write outside of any change, a release half answered
    assert ChecklistRun.objects.filter(plan="implementation", ended_at=None).count() == 1
    assert Freeze.objects.values("domain").distinct().count() == 4
    assert Finding.objects.filter(state="open").exists()
    assert not Finding.objects.filter(words__startswith="Created").exists()
    release = Cell.objects.filter(change__title__startswith="Release")
    assert release.filter(state="open").count() == 22
    assert changes.filter(type="standard", template__slug="security-patch").count() == 2


@pytest.mark.parametrize("hour", range(24))
def test_whatever_the_hour_nothing_of_the_changes_happens_in_the_future(hour):
    now = MIDNIGHT + timedelta(hours=hour)
    ahead = [(at, changing.CHANGES[number].title) for at, number, _ in changing.events(now) if at > now]
    assert ahead == []


def test_a_portal_reached_over_https_gets_no_demo_logins(settings, monkeypatch):
    settings.SECURE = True
    monkeypatch.setattr(making, "STORIES", making.STORIES[-3:])

    said = make()

    assert "No demo logins" in said
    assert not User.objects.exists()
    assert Incident.objects.count() == 3


def test_the_documented_password_opens_nothing_but_the_embedded_default(settings):
    assert making.password("sqlite") == making.KNOWN
    assert making.password("postgresql") not in {"", making.KNOWN, making.password("postgresql")}
    settings.SECURE = True
    assert making.password("sqlite") == ""


def test_systems_of_somebodys_own_are_left_alone():
    make_system(name="Payroll")
    with pytest.raises(CommandError, match="Nothing was changed"):
        make()
    assert System.objects.count() == 1
