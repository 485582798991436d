"""The status page: how each system stands, as far as its reader may see; nothing of restricted incidents."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from incidents import services
from incidents.models import Incident
from portal.dashboard.selectors.status import days_of, status_of, summary_of
from portal.directory.models import System
from portal.records.models import Period
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

BY = "system: tests"


def after(minutes):
    return NOON + timedelta(minutes=minutes)


def period(kind, weight, starts, ends):
    return Period(kind=kind, weight=weight, starts=starts, ends=ends)


def test_the_worst_of_each_day_is_drawn():
    at = datetime(2026, 11, 17, 12, tzinfo=UTC)
    days = days_of(
        [
            period("incident", 3, at - timedelta(days=2), at - timedelta(days=1)),
            period("incident", 1, at - timedelta(days=1), at - timedelta(hours=23)),
            period("maintenance", 0, at, None),
        ],
        at=at,
    )
    assert [one.mark for one in days[-4:]] == ["fine", "degraded", "outage", "maintenance"]
    assert len(days) == 14
    assert summary_of(days) == (
        "Last 14 days: degraded on Sun 15 Nov, outage on Mon 16 Nov, maintenance on Tue 17 Nov; 11 without an incident."
    )


@pytest.fixture
def reader(db):
    return make_user("rita", roles=["responder"])


def words(user, minutes=60):
    page = status_of(user, at=after(minutes))
    return {one.system.slug: one.state.word for group in page.groups for one in group.systems}


def test_a_state_follows_from_open_incidents_and_from_maintenance(reader):
    down, slow, better, kept, fine = (make_system(name) for name in ("down", "slow", "better", "kept", "fine"))
    make_incident(severity=1, systems=[down])
    make_incident(severity=3, systems=[slow, down])
    eased = make_incident(severity=1, systems=[better])
    services.acknowledge(eased, by=BY, at=after(1))
    services.mitigate(eased, by=BY, at=after(2))
    Period.objects.create(
        system=kept, kind="maintenance", starts=NOON, record_id=1,
        record_type=ContentType.objects.get_for_model(System),
    )  # fmt: skip
    assert words(reader) == {
        "down": "Outage", "slow": "Degraded", "better": "Recovering", "kept": "Maintenance", "fine": "Operational",
    }  # fmt: skip
    assert status_of(reader, at=after(60)).headline == "2 of 5 systems suffer"
    assert fine


def test_the_last_words_to_stakeholders_or_customers_stand_beside_an_incident(reader):
    incident = make_incident(severity=1, systems=[make_system("mail")])
    services.record_update(incident, audience="stakeholders", text="Known.", by=BY, at=after(1))
    services.record_update(incident, audience="customers", text="Mail is late.", by=BY, at=after(2))
    services.record_update(incident, audience="executives", text="For you alone.", by=BY, at=after(3))
    told = status_of(reader, at=after(4)).told
    assert [one.note.detail for one in told] == ["Mail is late."]


def test_nothing_tells_of_a_restricted_incident(reader, monkeypatch):
    mail = make_system("mail")
    secret = make_incident(title="Secret", severity=1, systems=[mail])
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda _cls, _user: [str(secret.pk)]), raising=False)
    page = status_of(reader, at=after(60))
    assert words(reader) == {"mail": "Operational"}
    assert (page.told, page.headline) == ([], "All systems are operational")
    assert {day.mark for day in page.groups[0].systems[0].days} == {"fine"}


def test_a_cancelled_incident_leaves_no_mark(reader):
    incident = make_incident(severity=1, systems=[make_system("mail")])
    services.cancel(incident, by=BY, at=after(1), reason="A test")
    assert {day.mark for day in status_of(reader, at=after(2)).groups[0].systems[0].days} == {"fine"}


def test_parts_stand_under_their_whole(reader):
    whole = make_system("desk", name="Desk")
    make_system("search", name="Search", parent=whole)
    make_system("alone", name="Alone")
    groups = status_of(reader, at=NOON).groups
    assert [(group.name, [one.system.name for one in group.systems]) for group in groups] == [
        ("", ["Alone"]), ("Desk", ["Desk", "Search"]),
    ]  # fmt: skip


def test_more_of_everything_costs_no_more_queries(reader, django_assert_max_num_queries):
    reader.has_perm("incidents.view_incident")
    for _ in range(3):
        make_incident(severity=1, systems=[make_system(), make_system()])
    with django_assert_max_num_queries(10):
        status_of(reader, at=after(60))


@pytest.mark.parametrize(
    ("roles", "status"), [(["responder"], 200), (["auditor"], 200), (["stakeholder"], 200), ([], 403)]
)
def test_who_opens_it(client, db, roles, status):
    client.force_login(make_user("somebody", roles=roles), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("dashboard:status")
    assert address == "/status/"
    assert client.get(address).status_code == status
    assert client.get(address, headers={"HX-Request": "true"}).status_code == status
    assert client.post(address).status_code == 405


def test_a_stakeholder_reads_the_page_and_is_led_nowhere_else(client, db):
    mail = make_system("mail", name="Mail Intake")
    shown = make_incident(title="Mail is late", severity=1, systems=[mail])
    hidden = make_incident(title="Keys were published", severity=1, systems=[make_system("keys")], type="security")
    client.force_login(make_user("noor", roles=["stakeholder"]), backend="django.contrib.auth.backends.ModelBackend")

    assert client.get("/").headers["Location"] == "/status/"
    page = client.get("/status/").content.decode()
    assert shown.title in page
    assert "1 of 2 systems suffers" in page
    assert hidden.title not in page
    assert hidden.reference not in page
    assert "/incidents/" not in page
    assert "/directory/" not in page
    for closed in (shown.get_absolute_url(), mail.get_absolute_url(), "/incidents/", "/search/live/?q=late"):
        answer = client.get(closed)
        assert answer.status_code == 403 or shown.title not in answer.content.decode()


def test_only_the_gravest_stand_open_and_the_systems_are_never_far_below(client, db):
    client.force_login(make_user("noor", roles=["stakeholder"]))
    for number in range(11):
        make_incident(severity=1 if number == 10 else 3, title=f"Trouble {number}.")
    shown, _, folded = client.get(reverse("dashboard:status")).content.decode().partition("<summary>3 more</summary>")
    assert "Trouble 10." in shown
    assert shown.count("Trouble ") == 8
    assert folded.count("Trouble ") == 3
