"""Engagements are granted by name, for a time and a scope, by somebody else, with a reason, and ended early."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.models import Incident
from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.assurance.enums import EngagementState
from portal.assurance.models import Engagement, GrantedRecord
from portal.assurance.policy import Refused
from portal.assurance.services import engagements
from portal.audit.models import TrailRow
from portal.audit.trail import record_openings
from portal.lib import clock
from portal.notify.models import Message
from tests.factories.accounts import confirm, make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident
from tests.factories.trail import make_row

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
DAY = timedelta(days=1)
ONCE = "6b1f7d2e-6b1f-4d2e-8b1f-7d2e6b1f7d2e"


@pytest.fixture
def siobhan():
    return make_user("siobhan", roles=["auditor"], engaged=False, first_name="Siobhan", last_name="Kearney")


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


def enter(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    confirm(client)


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


def test_the_database_engages_nobody_but_an_auditor_who_can_sign_in(siobhan):
    with pytest.raises(IntegrityError, match="only somebody with the role Auditor"), transaction.atomic():
        make_engagement(make_user(roles=["responder"]))
    siobhan.is_active = False
    siobhan.save()
    with pytest.raises(IntegrityError, match="only somebody with the role Auditor"), transaction.atomic():
        make_engagement(siobhan)


@pytest.mark.parametrize(
    "terms",
    [{"ends": NOON + 900 * DAY}, {"registers": ["accounts"]}, {"records_from": None}, {"title": "Another"}],
)
def test_the_database_keeps_what_was_granted(siobhan, kwame, terms):
    made = grant(siobhan, kwame, records_from=NOON - DAY)
    for name, value in terms.items():
        setattr(made, name, value)
    with pytest.raises(IntegrityError, match="what was granted never changes"), transaction.atomic():
        made.save()


def test_the_database_lets_nobody_open_again_what_was_ended(siobhan, kwame):
    made = engagements.end(grant(siobhan, kwame), by=kwame, at=NOON, reason="Done early")
    made.revoked_at, made.revoked_by, made.revoke_reason = None, "", ""
    with pytest.raises(IntegrityError, match="ended once"), transaction.atomic():
        made.save()
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM assurance_engagement WHERE id = %s", [made.pk])


def test_the_page_offers_and_takes_none_but_auditors(client, kwame):
    amara = make_user("amara", roles=["responder"], first_name="Amara", last_name="Okafor")
    enter(client, kwame)
    address = reverse("assurance:grant-engagement")
    assert "Amara Okafor" not in client.get(address).content.decode()
    sent = {
        "once": ONCE, "auditor": amara.pk, "title": "Audit", "ends": "2099-01-01T17:00", "registers": ["trail"],
        "reason": "Certificate",
    }  # fmt: skip
    response = client.post(address, sent)
    assert response.status_code == 422
    assert "Choose an auditor from the list." in response.content.decode()
    assert client.post(reverse("admin:assurance_engagement_add"), sent).status_code == 403
    assert not Engagement.objects.exists()


def test_whoever_loses_the_role_reads_nothing_from_that_moment(client, siobhan, kwame):
    incident = make_incident(title="A kept incident")
    make_engagement(siobhan)
    enter(client, siobhan)
    assert client.get(incident.get_absolute_url()).status_code == 200
    accounts.withdraw(siobhan, "auditor", by=kwame, at=NOON, reason="Another post")
    assert client.get(incident.get_absolute_url()).url.startswith("/sign-in/")  # their sessions ended with the role
    siobhan = User.objects.get(pk=siobhan.pk)
    assert siobhan.reading_scope is None
    assert not siobhan.has_perm("incidents.view_incident")
    assert not Incident.objects.visible_to(siobhan).exists()
    enter(client, siobhan)
    assert client.get(incident.get_absolute_url()).status_code in {403, 404}
    assert client.get(reverse("admin:incidents_incident_change", args=[incident.pk])).status_code in {302, 403}


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


@pytest.fixture
def restricted(monkeypatch):
    """An incident that nobody sees but administrators, and whoever it is opened to by name."""
    incident = make_incident(title="Insider")
    hide = classmethod(lambda cls, user: [] if user.has_perm("assurance.add_engagement") else [incident.pk])
    monkeypatch.setattr(Incident, "hidden_from", hide, raising=False)
    return incident


def test_a_restricted_record_is_opened_and_closed_on_pages(client, siobhan, kwame, restricted):
    made = make_engagement(siobhan)
    enter(client, kwame)
    opens = reverse("assurance:grant-record", args=[made.reference])
    for page in (made.get_absolute_url(), reverse("admin:assurance_engagement_change", args=[made.pk])):
        assert opens in client.get(page).content.decode()
    sent = {"once": ONCE, "kind": "incidents.incident", "record": restricted.reference, "reason": "Sample 7"}
    assert "You see no such record" in client.post(opens, {**sent, "record": "INC-999999"}).content.decode()
    assert client.post(opens, sent).status_code == 302
    granted = GrantedRecord.objects.get()
    closes = reverse("assurance:withdraw-record", args=[made.reference, granted.pk])
    for page in (made.get_absolute_url(), reverse("admin:assurance_grantedrecord_change", args=[granted.pk])):
        shown = client.get(page).content.decode()
        assert closes in shown
        assert "Insider" in shown
    assert client.post(closes, {"once": ONCE[:-1] + "f", "reason": "Seen"}).status_code == 302
    assert GrantedRecord.objects.get().withdrawn_by == "Kwame Mensah"


def test_nobody_opens_a_restricted_record_to_themselves_or_without_the_right(client, siobhan, restricted):
    both = make_user("both", roles=["auditor", "administrator"], engaged=False)
    made = make_engagement(both)
    sent = {"once": ONCE, "kind": "incidents.incident", "record": restricted.reference, "reason": "Sample 7"}
    address = reverse("assurance:grant-record", args=[made.reference])
    enter(client, both)
    assert address not in client.get(reverse("admin:assurance_engagement_change", args=[made.pk])).content.decode()
    response = client.post(address, sent)
    assert response.status_code == 422
    assert "to themselves" in response.content.decode()
    enter(client, siobhan)
    make_engagement(siobhan)
    assert client.post(address, sent).status_code == 403
    assert not GrantedRecord.objects.exists()


def test_each_opening_of_a_restricted_record_is_in_the_trail(client, siobhan, kwame, restricted):
    made = make_engagement(siobhan)
    plain = make_incident()
    pages = [
        restricted.get_absolute_url(),
        reverse("admin:incidents_incident_change", args=[restricted.pk]),
        reverse("admin:incidents_incident_history", args=[restricted.pk]),
        reverse("assurance:story", args=["incidents.incident", restricted.pk]),
        reverse("assurance:object-as-of", args=["incidents.incident", restricted.pk]),
    ]
    enter(client, siobhan)
    assert {client.get(page).status_code for page in pages} <= {302, 404}
    engagements.grant_record(made, restricted, by=kwame, at=NOON, reason="Sample 7")
    for page in pages:
        assert client.get(page).status_code == 200, page
    client.get(plain.get_absolute_url())
    rows = TrailRow.objects.filter(action="read", actor_id=siobhan.pk).order_by("id")
    assert [row.object_id for row in rows] == [str(restricted.pk)] * len(pages)
    assert rows[0].event == f"Opened incident {restricted}"
    assert {row.origin for row in rows} == {"web", "admin"}


@pytest.fixture
def opened(client, siobhan, kwame, restricted):
    """What an auditor to whom it was opened read of it: kinds of records and how, since the last time it was asked."""
    engagements.grant_record(make_engagement(siobhan), restricted, by=kwame, at=NOON, reason="Sample 7")
    enter(client, siobhan)
    return lambda: openings_of(siobhan, restricted)


def openings_of(user, incident):
    rows = TrailRow.objects.filter(action="read", actor_id=user.pk, object_id=str(incident.pk)).order_by("id")
    found = list(rows.filter(model="incidents.incident").values_list("event", flat=True))
    assert all(event.startswith(f"Opened incident {incident}") for event in found)
    return [event.removeprefix(f"Opened incident {incident}").strip() for event in found]


def test_the_rows_of_a_restricted_record_are_told_as_its_opening(client, opened, restricted):
    row = TrailRow.objects.filter(model="incidents.incident", object_id=str(restricted.pk)).first()
    for page in (reverse("assurance:gesture", args=[row.gesture]), f"{reverse('assurance:rows')}?id={row.pk}"):
        assert "Insider" in client.get(page).content.decode()
    assert opened() == ["as rows of the trail"] * 2


def test_a_register_tells_each_restricted_record_that_it_shows(client, opened, restricted):
    make_incident(title="Mail is late")
    shown = client.get(reverse("assurance:register", args=["incidents.incident"])).content.decode()
    assert ("Insider" in shown, "Mail is late" in shown) == (True, True)
    assert opened() == ["in a register as of a moment"]
    assert TrailRow.objects.filter(action="read").count() == 1


def test_a_part_of_a_restricted_record_opens_the_record(client, opened, restricted):
    make_row(
        action="event", event="Did", model="incidents.responder", object_id="1",
        root_model="incidents.incident", root_id=str(restricted.pk),
    )  # fmt: skip
    assert client.get(reverse("assurance:story", args=["incidents.responder", "1"])).status_code == 200
    assert opened() == ["as a story"]


def test_looking_on_at_a_restricted_incident_is_told_once_an_hour(client, opened, restricted, monkeypatch):
    live = reverse("incidents:live", args=[restricted.reference])
    for _ in range(3):
        client.get(live, headers={"HX-Request": "true"})
    assert opened() == ["live"]
    client.get(restricted.get_absolute_url())
    client.get(live)
    assert opened() == ["live", ""]
    later = clock.now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get(live)
    assert opened() == ["live", "", "live"]


def test_forms_of_a_restricted_incident_are_told_also_when_they_come_back_with_errors(client, restricted):
    lead = make_superuser("lead")
    enter(client, lead)
    act = reverse("incidents:act", args=[restricted.reference, "close"])
    form = reverse("admin:incidents_incident_change", args=[restricted.pk])
    for page in (act, form):
        assert "Insider" in client.get(page).content.decode()
        assert client.post(page, {"title": ""}).status_code in {200, 422}
    assert openings_of(lead, restricted) == ["in the form to close"] * 2 + [""] * 2


def test_what_many_rows_show_costs_the_same_however_many_records(client, opened, restricted, monkeypatch):
    def cost(count):
        hidden = [restricted, *(make_incident(title=f"Insider {number}") for number in range(count))]
        keys = [incident.pk for incident in hidden]
        monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda cls, user: keys), raising=False)
        rows = TrailRow.objects.filter(model="incidents.incident", object_id__in=map(str, keys))
        with CaptureQueriesContext(connection) as queries:
            record_openings(rows, "as rows of the trail")
        return len(queries)

    assert cost(1) == cost(12) <= 4


def test_what_is_never_restricted_is_not_opened_by_name(siobhan, kwame):
    with pytest.raises(Refused, match="never restricted"):
        engagements.grant_record(make_engagement(siobhan), make_system("mail"), by=kwame, at=NOON, reason="x")
