"""Engagements are granted by name, for a time and a scope, by somebody else, with a reason, and ended early."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from incidents.models import Incident
from portal.accounts.models import User
from portal.assurance.enums import EngagementState
from portal.assurance.models import Engagement, GrantedRecord
from portal.assurance.policy import Refused
from portal.assurance.services import engagements
from portal.audit.models import TrailRow
from portal.notify.models import Message
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def siobhan():
    return make_user("siobhan", roles=["auditor"], engaged=False, first_name="Siobhan", last_name="Kearney")


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


def grant(auditor, by, **terms):
    values = {
        "title": "Surveillance audit", "starts": NOON, "ends": NOON + 30 * DAY, "registers": ["incidents", "trail"],
        "at": NOON, "reason": "Certificate of 2027", **terms,
    }  # fmt: skip
    return engagements.grant(auditor, by=by, **values)


def test_an_engagement_says_who_reads_what_why_and_by_whom(siobhan, kwame):
    mail = make_system("mail")
    made = grant(siobhan, kwame, systems=[mail], records_from=NOON - 90 * DAY, records_until=NOON)
    assert (made.granted_by, made.granter_id, made.granted_at) == ("Kwame Mensah", kwame.pk, NOON)
    assert made.registers == ["incidents", "trail"]
    assert list(made.systems.all()) == [mail]
    assert made.reference.startswith("ENG-")
    row = TrailRow.objects.filter(model="assurance.engagement", action="created").get()
    assert (row.privileged, row.reason, row.reference) == (True, "Certificate of 2027", made.reference)


def test_the_auditor_is_told(siobhan, kwame):
    contact = make_contact("Siobhan Kearney", user=siobhan)
    made = grant(siobhan, kwame)
    told = Message.objects.get(kind="engagement_granted", contact=contact, lane="inbox")
    assert "Incidents, The trail and its seals" in told.body
    engagements.end(made, by=kwame, at=NOON + DAY, reason="Done early")
    assert "Done early" in Message.objects.get(kind="engagement_ended", contact=contact, lane="inbox").body


def test_nobody_grants_an_engagement_to_themselves(siobhan):
    both = make_user(roles=["auditor", "administrator"], engaged=False)
    with pytest.raises(Refused, match="to themselves"):
        grant(both, both)
    root = make_superuser("root")
    with pytest.raises(Refused, match="to themselves"):
        grant(root, root)


def test_the_database_refuses_an_engagement_for_oneself(siobhan):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_engagement(siobhan, granter_id=siobhan.pk)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"registers": []}, "at least one kind"),
        ({"registers": ["nonsense"]}, "at least one kind"),
        ({"ends": NOON}, "end after it starts"),
        ({"starts": NOON - 9 * DAY, "ends": NOON - DAY}, "has passed"),
        ({"records_from": NOON, "records_until": NOON - DAY}, "period of the records"),
        ({"reason": "  "}, "Say why"),
    ],
)
def test_terms_that_mean_nothing_are_refused(siobhan, kwame, terms, sentence):
    with pytest.raises(Refused, match=sentence):
        grant(siobhan, kwame, **terms)
    assert not Engagement.objects.exists()


def test_only_an_auditor_who_can_sign_in_is_engaged(kwame, siobhan):
    with pytest.raises(Refused, match="does not have the role Auditor"):
        grant(make_user(roles=["responder"]), kwame)
    siobhan.is_active = False
    siobhan.save()
    with pytest.raises(Refused, match="closed"):
        grant(siobhan, kwame)


def test_an_engagement_that_ends_early_opens_nothing_from_that_moment(siobhan, kwame):
    made = make_engagement(siobhan)
    assert User.objects.get(pk=siobhan.pk).has_perm("incidents.view_incident")
    ended = engagements.end(made, by=kwame, at=NOON, reason="The certificate is withdrawn")
    assert not User.objects.get(pk=siobhan.pk).has_perm("incidents.view_incident")
    assert ended.state(NOON) == EngagementState.ENDED
    with pytest.raises(Refused, match="ended already"):
        engagements.end(made, by=kwame, at=NOON + DAY, reason="Again")
    with pytest.raises(Refused, match="Say why"):
        engagements.end(make_engagement(siobhan), by=kwame, at=NOON, reason="")


def test_what_is_over_is_not_ended_early(siobhan, kwame):
    made = make_engagement(siobhan, ends=NOON)
    with pytest.raises(Refused, match="over already"):
        engagements.end(made, by=kwame, at=NOON, reason="x")


def test_a_restricted_record_is_opened_by_name_and_closed_again(monkeypatch, siobhan, kwame):
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda cls, user: None), raising=False)
    incident, made = make_incident(), make_engagement(siobhan)
    granted = engagements.grant_record(made, incident, by=kwame, at=NOON, reason="Sample 7")
    assert (granted.reference, granted.granted_by) == (incident.reference, "Kwame Mensah")
    assert engagements.grant_record(made, incident, by=kwame, at=NOON, reason="Sample 7").pk == granted.pk
    scope = User.objects.get(pk=siobhan.pk).reading_scope
    assert scope.granted(Incident) == {str(incident.pk)}
    engagements.withdraw_record(granted, by=kwame, at=NOON, reason="Seen")
    engagements.withdraw_record(granted, by=kwame, at=NOON, reason="Seen")
    assert User.objects.get(pk=siobhan.pk).reading_scope.granted(Incident) == frozenset()
    assert GrantedRecord.history.count() == 2
    with pytest.raises(Refused, match="to themselves"):
        engagements.grant_record(made, incident, by=siobhan, at=NOON, reason="x")


def test_what_is_never_restricted_is_not_opened_by_name(siobhan, kwame):
    with pytest.raises(Refused, match="never restricted"):
        engagements.grant_record(make_engagement(siobhan), make_system("mail"), by=kwame, at=NOON, reason="x")
