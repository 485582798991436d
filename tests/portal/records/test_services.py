"""What the domains share: references given out once, notes, periods, demands answered in their own savepoint, links."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.urls import reverse

from incidents.models import Incident
from portal.accounts.models import User
from portal.audit.actor import acting
from portal.audit.models import TrailRow
from portal.records import services
from portal.records.models import Demand, Link, Period
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.engagements import grant_record, make_engagement
from tests.factories.incidents import make_incident
from tests.factories.records import make_demand, make_note_of

HOUR = timedelta(hours=1)


@pytest.mark.django_db
def test_references_count_up_for_each_prefix():
    assert [services.next_reference("INC") for _ in range(2)] == ["INC-000001", "INC-000002"]
    assert services.next_reference("CHG") == "CHG-000001"


@pytest.mark.django_db(transaction=True)
def test_references_asked_for_at_once_differ():
    given = []

    def ask():
        try:
            given.extend(services.next_reference("INC") for _ in range(5))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(given) == [f"INC-{number:06d}" for number in range(1, 21)]


@pytest.mark.django_db
def test_a_note_says_who_when_and_in_which_gesture():
    contact = make_contact("Ada")
    with acting(by=contact, origin="web") as context:
        note = make_note_of(make_system(), by=contact, event_at=NOON - HOUR, reason="asked to", data={"step": 1})
    assert (note.actor_name, note.actor_contact_id, note.origin, note.gesture) == (
        "Ada",
        contact.pk,
        "web",
        context.gesture,
    )
    assert (note.event_at, note.recorded_at, note.reason, note.data) == (NOON - HOUR, NOON, "asked to", {"step": 1})


@pytest.mark.django_db
def test_the_timeline_has_the_newest_event_first_and_only_its_own():
    system, other = make_system(), make_system()
    written = make_note_of(system, "later written, earlier happened", event_at=NOON - HOUR)
    services.write_notes(
        [
            services.make_note(
                subject_type_id=written.subject_type_id,
                subject_id=subject.pk,
                kind="test.note",
                text=text,
                by="system: test",
                at=NOON,
            )
            for subject, text in [(system, "now"), (other, "elsewhere")]
        ]
    )
    assert [note.text for note in services.timeline(system)] == ["now", "later written, earlier happened"]


@pytest.mark.django_db
def test_a_period_is_opened_once_for_a_system_and_closed_by_its_record():
    record, system, other = make_contact(), make_system(), make_system()
    opened = {"kind": "incident", "weight": 1, "reference": "INC-000001"}
    services.open_period(record, systems=[system], starts=NOON, **opened)
    services.open_period(record, systems=[system, other], starts=NOON + HOUR, **opened)
    assert sorted((p.system_id, p.starts) for p in Period.objects.all()) == [
        (system.pk, NOON),
        (other.pk, NOON + HOUR),
    ]
    assert services.close_periods(record, kind="incident", ends=NOON + 2 * HOUR) == 2
    assert services.close_periods(record, kind="incident", ends=NOON + 3 * HOUR) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("since", "until", "seen"), [(-2, -1, 0), (-1, 0, 0), (-1, 1, 1), (0.5, 0.7, 1), (1, 2, 0)], ids=str
)
def test_a_period_is_seen_when_it_overlaps(since, until, seen):
    record, system = make_contact(), make_system()
    services.open_period(record, systems=[system], kind="incident", weight=1, starts=NOON, reference="")
    services.close_periods(record, kind="incident", ends=NOON + HOUR)
    found = services.periods_of(system, since=NOON + since * HOUR, until=NOON + until * HOUR)
    assert found.count() == seen


@pytest.mark.django_db
def test_the_same_key_asks_once():
    first = make_demand(payload={"title": "first"})
    assert make_demand(payload={"title": "again"}) == first
    assert Demand.objects.get().payload == {"title": "first"}


@pytest.mark.django_db
def test_a_demand_that_fails_keeps_its_error_and_stops_nobody():
    make_demand("bad")
    make_demand("good")
    make_demand("elsewhere", topic="test.other")

    def handle(demand):
        make_system(demand.key)
        if demand.key == "bad":
            raise ValueError("cannot")
        return {"made": demand.key}

    with acting(by="system: test"):
        assert services.answer_demands("test.topic", at=NOON, handle=handle) == 1
    bad, good = Demand.objects.get(key="bad"), Demand.objects.get(key="good")
    assert (bad.answered_at, bad.error) == (None, "ValueError: cannot")
    assert (good.answered_by, good.answered_at, good.answer) == ("system: test", NOON, {"made": "good"})
    assert services.answer_demands("test.topic", at=NOON, handle=lambda demand: None) == 0  # it waits a little
    assert services.answer_demands("test.topic", at=NOON + timedelta(seconds=5), handle=lambda demand: None) == 1
    assert Demand.objects.get(key="bad").error == ""


@pytest.mark.django_db
def test_demands_past_their_time_are_unanswered():
    make_demand("late", answer_by=NOON)
    make_demand("in time")
    assert [demand.key for demand in services.unanswered(at=NOON + timedelta(seconds=1))] == ["late"]


@pytest.mark.django_db
def test_a_link_shows_on_both_records_and_is_made_once():
    system, contact = make_system(), make_contact("Ada")
    for _ in range(2):
        services.link(system, contact, kind="owned by", by=contact, at=NOON)
    reader = make_user(roles=["responder"])
    (there,), (back,) = services.links_of(system, user=reader), services.links_of(contact, user=reader)
    assert (there.record, there.forward, there.kind, there.made_by) == (contact, True, "owned by", "Ada")
    assert (back.record, back.forward) == (system, False)


@pytest.mark.django_db
@pytest.mark.parametrize("remove", [lambda row: row.delete(), lambda row: Link.objects.filter(pk=row.pk).delete()])
def test_a_link_that_is_removed_is_told_of_the_record_that_was_linked(remove):
    system, contact = make_system(), make_contact("Ada")
    services.link(system, contact, kind="owned by", by=contact, at=NOON)
    with acting(by=contact, reason="It was a mistake"):
        remove(Link.objects.get())
    row = TrailRow.objects.latest("id")
    assert (row.model, row.object_id, row.actor_name) == ("directory.system", str(system.pk), "Ada")
    assert (row.event, row.reason) == (
        f"Removed the link “owned by” to contact number {contact.pk}",
        "It was a mistake",
    )


@pytest.mark.django_db
def test_a_link_that_is_removed_after_its_record_is_told_by_the_key():
    system, contact = make_system(), make_contact("Ada")
    services.link(system, contact, kind="owned by", by=contact, at=NOON)
    key = system.pk
    with acting(by="somebody", reason="It was switched off"):
        system.delete()
        Link.objects.get().delete()
    row = TrailRow.objects.latest("id")
    assert (row.model, row.object_id, row.name) == ("directory.system", str(key), "")


@pytest.mark.django_db
def test_a_link_to_what_the_reader_may_not_see_is_not_there(monkeypatch):
    mail, desk = make_system("mail"), make_system("desk")
    inside, outside, hidden = (
        make_incident(systems=[mail]),
        make_incident(systems=[desk]),
        make_incident(systems=[mail]),
    )
    system = make_system("shared")
    for other in (inside, outside, hidden):
        services.link(system, other, kind="concerns", by="test", at=NOON)
    keys = [hidden.pk]
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda cls, user: keys), raising=False)
    auditor = make_user(roles=["auditor"], engaged=False)

    def seen(reader):
        return [linked.record for linked in services.links_of(system, user=User.objects.get(pk=reader.pk))]

    assert seen(make_user(roles=["responder"])) == [inside, outside]
    assert seen(make_user()) == seen(auditor) == []
    engagement = make_engagement(auditor, systems=[mail])
    assert seen(auditor) == [inside]
    grant_record(engagement, hidden)
    assert seen(auditor) == [inside, hidden]


def fails(demand):
    raise ValueError("no title")


@pytest.mark.django_db
class TestADemandThatNobodyCanAnswer:
    def test_it_is_tried_again_each_time_later_and_given_up_after_some_tries(self):
        make_demand("bad")
        at, waits = NOON, []
        for _ in range(services.MOST_TRIES):
            services.answer_demands("test.topic", at=at, handle=fails)
            row = Demand.objects.get()
            if row.given_up_at is None:
                waits.append((row.retry_at - at).total_seconds())
                at = row.retry_at
        assert waits == [5, 15, 45, 135, 405, 900, 900, 900, 900]
        assert (row.given_up_at, row.retry_at, row.tries) == (at, None, services.MOST_TRIES)
        assert row.error == "ValueError: no title"
        assert services.answer_demands("test.topic", at=at + timedelta(days=9), handle=lambda demand: None) == 0
        assert list(services.given_up()) == [row]
        assert not services.unanswered(at=at + timedelta(days=9)).exists()

    def given_up(self):
        demand = make_demand("bad")
        Demand.objects.filter(pk=demand.pk).update(tries=10, given_up_at=NOON, error="ValueError: no title")
        return demand

    def test_somebody_has_it_tried_again_once_it_is_mended(self):
        demand = self.given_up()
        services.try_again(demand, by="Kwame", at=NOON, reason="The severity is back")
        assert services.answer_demands("test.topic", at=NOON, handle=lambda demand: {"made": 1}) == 1
        row = TrailRow.objects.latest("id")
        assert (row.actor_name, row.reason, row.object_id) == ("Kwame", "The severity is back", str(demand.pk))
        with pytest.raises(ValueError, match="not given up"):
            services.try_again(demand, by="Kwame", at=NOON, reason="Again")

    def test_somebody_closes_it_and_says_why(self):
        demand = self.given_up()
        services.settle_by_hand(demand, by="Kwame", at=NOON, reason="Done by telephone")
        row = Demand.objects.get()
        assert (row.answered_by, row.answer) == ("Kwame", {"settled_by_hand": "Done by telephone"})
        assert not services.given_up().exists()
        with pytest.raises(ValueError, match="not given up"):
            services.settle_by_hand(demand, by="Kwame", at=NOON, reason="Again")


@pytest.mark.django_db
class TestItsRecordPage:
    @pytest.fixture
    def demand(self):
        demand = make_demand("bad")
        Demand.objects.filter(pk=demand.pk).update(tries=10, given_up_at=NOON, error="ValueError: no title")
        return demand

    def test_an_administrator_has_it_tried_again_or_closes_it(self, client, demand):
        client.force_login(make_user(roles=["administrator"]))
        again, settle = (reverse(f"admin:records_demand_{verb}", args=[demand.pk]) for verb in ("again", "settle"))
        page = client.get(reverse("admin:records_demand_change", args=[demand.pk])).content.decode()
        assert f'href="{again}"' in page
        assert f'href="{settle}"' in page
        assert client.post(again, {"change_reason": ""}).status_code == 422
        assert client.post(again, {"change_reason": "Mended"}).status_code == 302
        assert Demand.objects.get().given_up_at is None
        refused = client.post(again, {"change_reason": "x"}, follow=True)
        assert "it is tried again by itself" in refused.content.decode()

    def test_nobody_else_does(self, client, demand):
        client.force_login(make_user(roles=["auditor"]))
        page = client.get(reverse("admin:records_demand_change", args=[demand.pk])).content.decode()
        assert "Try again" not in page
        for verb in ("again", "settle"):
            address = reverse(f"admin:records_demand_{verb}", args=[demand.pk])
            assert client.post(address, {"change_reason": "x"}).status_code == 403
        assert Demand.objects.get().given_up_at == NOON
