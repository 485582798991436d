"""A storm reaches a person as one message in each interval, and nothing of it is lost."""

import uuid
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.notify import bundling, sending, services
from portal.notify.channels import CHANNELS, DeliveryError
from portal.notify.models import Message
from tests.factories.directory import NOON, make_channel, make_contact, make_method, make_system
from tests.factories.notify import Clock, FakeChannel, make_message

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def channel(monkeypatch):
    fake = FakeChannel()
    for lane in ("email", "ntfy", "sms"):
        monkeypatch.setitem(CHANNELS, lane, fake)
    monkeypatch.setattr(sending, "within", lambda seconds, call: (fake.then and fake.then(), call()))
    return fake


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ada():
    return make_contact("Ada")


def page(contact, *, number=1, at=NOON, method=None, **fields):
    """A page about a record of its own, over the contact's first method."""
    method = method or contact.methods.first()
    fields.setdefault("about", make_system(name=f"INC-{number}"))
    return make_message(
        at=at, key=f"page:{number}:{method.pk}", title=f"[SEV-2] INC-{number} hurts", lane=method.kind, urgent=True,
        contact_id=contact.pk, method_id=method.pk, address=method.address, action_path="/a/", **fields,
    )  # fmt: skip


def storm(contact, first, last, **fields):
    return [page(contact, number=number, **fields) for number in range(first, last + 1)]


def states():
    return sorted(Message.objects.values_list("state", flat=True))


def test_the_first_leaves_at_once_and_the_rest_as_one_at_the_end_of_the_interval(channel, clock, ada):
    page(ada)
    assert services.send_lane("email", now=clock) == 1
    storm(ada, 2, 8)
    assert services.send_lane("email", now=clock) == 0
    assert set(Message.objects.filter(state="pending").values_list("due_at", flat=True)) == {NOON + MINUTE}
    assert services.oldest_unsent_seconds(at=NOON + MINUTE) == 0.0
    clock.forward(seconds=59)
    assert services.send_lane("email", now=clock) == 0
    clock.forward(seconds=1)
    assert services.send_lane("email", now=clock) == 7
    first, rest = channel.parcels
    assert first.key.startswith("page:1:")
    assert rest.title == "7 pages: INC-2, INC-3, INC-4 and 4 more"
    assert rest.text.count("/a/") == 7
    assert rest.urgent
    assert states() == ["sent"] * 8


def test_what_waits_together_leaves_together_at_once(channel, clock, ada):
    storm(ada, 1, 3)
    assert services.send_lane("email", now=clock) == 3
    assert len(channel.parcels) == 1


def test_other_people_and_ordinary_messages_wait_for_nobody(channel, clock, ada):
    storm(ada, 1, 2)
    services.send_lane("email", now=clock)
    page(make_contact(), number=3)
    make_message(contact_id=ada.pk, method_id=ada.methods.get().pk)
    assert services.send_lane("email", now=clock) == 2


def test_a_shared_channel_is_told_in_bundles_too(channel, clock):
    room = make_channel()
    for _ in range(3):
        make_message(channel_id=room.pk, address=room.address, urgent=True, about=make_system())
        services.send_lane("email", now=clock)
    clock.forward(seconds=60)
    services.send_lane("email", now=clock)
    assert [parcel.address for parcel in channel.parcels] == [room.address] * 2


def test_acknowledging_takes_it_out_of_the_bundle_and_acknowledging_all_cancels_it(channel, clock, ada):
    storm(ada, 1, 1)
    services.send_lane("email", now=clock)
    systems = [make_system(name=f"INC-{number}") for number in (2, 3, 4)]
    for number, system in enumerate(systems, start=2):
        page(ada, number=number, about=system)
    services.cancel_unsent(about=systems[0], at=clock.at)
    clock.forward(seconds=60)
    services.send_lane("email", now=clock)
    assert "INC-2" not in channel.parcels[1].text
    assert channel.parcels[1].title.startswith("2 pages: INC-3, INC-4")
    for number, system in enumerate(systems, start=5):
        page(ada, number=number, about=system)
        services.cancel_unsent(about=system, at=clock.at)
    clock.forward(seconds=60)
    assert services.send_lane("email", now=clock) == 0


def test_acknowledged_between_claim_and_sending_it_is_not_in_the_bundle(channel, clock, ada):
    system = make_system()
    page(make_contact(), number=9)
    page(ada, number=1, about=system)
    page(ada, number=2)
    channel.then = lambda: services.cancel_unsent(about=system, at=clock.at)
    services.send_lane("email", now=clock)
    assert len(channel.parcels) == 2
    assert channel.parcels[1].title == "[SEV-2] INC-2 hurts"
    assert states() == ["cancelled", "sent", "sent"]


def test_what_a_killed_sender_left_leaves_again_under_the_same_key_without_what_came_since(channel, clock, ada):
    storm(ada, 1, 3)
    sending.claim("email", token=uuid.uuid4(), at=NOON, batch=10)
    name = Message.objects.values_list("bundle", flat=True)[0]
    page(ada, number=4)
    clock.forward(seconds=30)
    assert services.send_lane("email", now=clock) == 3
    assert [parcel.key for parcel in channel.parcels] == [name]
    clock.forward(seconds=60)
    services.send_lane("email", now=clock)
    assert [parcel.title for parcel in channel.parcels[1:]] == ["[SEV-2] INC-4 hurts"]
    assert states() == ["sent"] * 4


def test_a_bundle_that_failed_is_tried_again_with_what_came_since_and_takes_another_way(channel, clock, ada):
    make_method(ada, kind="ntfy")
    storm(ada, 1, 2)
    channel.fail = DeliveryError("The mail server did not answer in time.", everywhere=True)
    services.send_lane("email", now=clock)
    assert Message.objects.filter(state="failed", next_attempt_at=NOON + timedelta(seconds=15)).count() == 2
    channel.fail = None
    services.send_lane("ntfy", now=clock)
    assert [parcel.title for parcel in channel.parcels] == ["2 pages: INC-1, INC-2"]
    clock.forward(seconds=15)
    page(ada, number=3, at=clock.at)
    services.send_lane("email", now=clock)
    assert channel.parcels[-1].title == "3 pages: INC-1, INC-2, INC-3"
    assert channel.parcels[-1].key != channel.parcels[0].key


def test_a_page_that_did_not_arrive_uses_up_no_turn(channel, clock, ada):
    page(ada)
    channel.fail = DeliveryError("Later.")
    services.send_lane("email", now=clock)
    channel.fail = None
    page(ada, number=2)
    assert services.send_lane("email", now=clock) == 1


def test_repeats_of_a_storm_come_as_one(channel, clock, ada):
    storm(ada, 1, 4, repeat_seconds=300)
    for _ in range(3):
        services.send_lane("email", now=clock)
        clock.forward(minutes=5)
    assert [parcel.title for parcel in channel.parcels] == ["4 pages: INC-1, INC-2, INC-3 and 1 more"] * 3
    assert len({parcel.key for parcel in channel.parcels}) == 3


def test_somebody_may_have_each_page_by_itself(channel, clock):
    storm(make_contact(bundle_seconds=0), 1, 3)
    services.send_lane("email", now=clock)
    assert len(channel.parcels) == 3


def test_quiet_hours_hold_pages_until_their_end_by_the_persons_clock(channel, clock):
    mei = make_contact("Mei", quiet_from="20:00", quiet_until="07:00", time_zone="Asia/Tokyo")  # NOON is 21:00 there
    held, loud = page(mei, waits_while_quiet=True), page(mei, number=2)
    services.send_lane("email", now=clock)
    assert [parcel.title for parcel in channel.parcels] == [loud.title]
    held.refresh_from_db()
    assert held.next_attempt_at == held.due_at == NOON + timedelta(hours=10)
    assert not services.stuck(at=NOON + timedelta(hours=9)).exists()
    clock.forward(hours=10)
    assert services.send_lane("email", now=clock) == 1


def test_a_storm_costs_no_more_queries_than_two_pages(django_assert_max_num_queries, channel, clock, ada):
    storm(ada, 1, 60, repeat_seconds=300)
    with django_assert_max_num_queries(60):  # 25 of them are links
        services.send_lane("email", now=clock)
    assert states() == ["pending"] * 60 + ["sent"] * 60


def news(contact, first, last, **fields):
    """What a follower is told: no page, and each line of its own."""
    method = contact.methods.first()
    return [
        make_message(
            key=f"news:{number}:{method.pk}", title=f"[SEV-3] INC-{number}, declared it: slow", lane=method.kind,
            gathers=True, contact_id=contact.pk, method_id=method.pk, address=method.address,
            about=make_system(name=f"INC-{number}"), **fields,
        )
        for number in range(first, last + 1)
    ]  # fmt: skip


def test_followers_are_told_at_once_and_then_once_in_an_interval(channel, clock, ada):
    news(ada, 11, 11)
    assert services.send_lane("email", now=clock) == 1
    news(ada, 12, 70)
    assert services.send_lane("email", now=clock) == 0
    clock.forward(seconds=60)
    assert services.send_lane("email", now=clock) == 59
    first, rest = channel.parcels
    assert first.key.startswith("news:11:")
    assert rest.title == "59 updates: INC-12, INC-13, INC-14 and 56 more"
    assert not rest.urgent
    assert states() == ["sent"] * 60


def test_no_page_waits_for_news_and_news_wait_behind_pages(channel, clock, ada):
    news(ada, 1, 2)
    assert services.send_lane("email", now=clock) == 2
    page(ada, number=3, at=clock())
    assert services.send_lane("email", now=clock) == 1
    clock.forward(seconds=30)
    news(ada, 4, 5, at=clock())
    page(ada, number=6, at=clock())
    assert services.send_lane("email", now=clock) == 0
    clock.forward(seconds=30)
    assert services.send_lane("email", now=clock) == 1
    clock.forward(seconds=60)
    assert services.send_lane("email", now=clock) == 2
    assert [one.title[:9] for one in channel.parcels] == ["2 updates", "[SEV-2] I", "[SEV-2] I", "2 updates"]


def test_news_of_drills_never_leave_with_real_ones(channel, clock, ada):
    real, drill = news(ada, 1, 1)[0], news(ada, 2, 2)[0]
    Message.objects.filter(pk=drill.pk).update(is_drill=True)
    assert services.send_lane("email", now=clock) == 1
    assert channel.parcels[0].key == real.idempotency_key
    clock.forward(seconds=60)
    assert services.send_lane("email", now=clock) == 1


def test_news_that_did_not_arrive_use_up_no_turn(channel, clock, ada):
    news(ada, 1, 1)
    channel.fail = DeliveryError("No.", permanent=True)
    services.send_lane("email", now=clock)
    channel.fail = None
    news(ada, 2, 2)
    assert services.send_lane("email", now=clock) == 1


def test_two_addresses_of_one_method_are_never_mixed(channel, clock, ada):
    method = ada.methods.get()
    page(ada)
    method.address = "elsewhere@example.org"
    method.save()
    page(ada, number=2, method=method)
    services.send_lane("email", now=clock)
    clock.forward(seconds=60)
    services.send_lane("email", now=clock)
    assert len({parcel.address for parcel in channel.parcels}) == len(channel.parcels) == 2


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 240), st.sampled_from(["page", "kill", "fail", "send"])), max_size=25))
def test_whatever_happens_no_page_is_lost_and_none_comes_sooner_than_the_interval(events):
    contact, clock, fake = make_contact(), Clock(), FakeChannel()
    arrived = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CHANNELS, "email", fake)
        patch.setattr(sending, "within", lambda seconds, call: call())
        fake.send = lambda parcel: arrived.append((clock.at, parcel.key)) if not fake.fail else fail(fake)
        for number, (seconds, what) in enumerate(sorted(events)):
            clock.at = NOON + timedelta(seconds=seconds)
            fake.fail = DeliveryError("Later.") if what == "fail" else None
            if what == "page":
                page(contact, number=number, at=clock.at)
            elif what == "kill":
                sending.claim("email", token=uuid.uuid4(), at=clock.at, batch=10)
            else:
                services.send_lane("email", now=clock)
        fake.fail = None
        for seconds in (20, 20, 20, 60, 300, 900, 3600, 3600, 3600):
            clock.forward(seconds=seconds)
            services.send_lane("email", now=clock)
    assert not Message.objects.filter(contact=contact).exclude(state="sent").exists()
    assert all(later - earlier >= MINUTE for (earlier, _), (later, _) in pairwise(arrived))
    assert len({key for _, key in arrived}) == len(arrived)


def fail(fake):
    raise fake.fail


def test_the_same_pages_have_the_same_name():
    waiting = [bundling.Waiting(n, f"page:{n}:1", 1, None, "a", "pending", "", False) for n in (1, 2)]
    assert bundling.name_of(waiting) == bundling.name_of(waiting[::-1])
    assert bundling.name_of(waiting[:1]) == ""


class TestDrills:
    """A drill never keeps a real page waiting, nor leaves with one."""

    def test_a_real_page_leaves_though_a_drill_had_its_turn(self, channel, clock, ada):
        page(ada, number=1, is_drill=True)
        assert services.send_lane("email", now=clock) == 1
        page(ada, number=2, at=clock.forward(seconds=5))
        assert services.send_lane("email", now=clock) == 1
        assert [parcel.title for parcel in channel.parcels] == ["DRILL: [SEV-2] INC-1 hurts", "[SEV-2] INC-2 hurts"]

    def test_a_drill_waits_behind_a_real_page(self, channel, clock, ada):
        page(ada, number=1, is_drill=True)
        page(ada, number=2)
        assert services.send_lane("email", now=clock) == 1
        assert channel.parcels[0].title == "[SEV-2] INC-2 hurts"
        clock.forward(seconds=ada.bundle_seconds)
        assert services.send_lane("email", now=clock) == 1
        assert channel.parcels[1].title == "DRILL: [SEV-2] INC-1 hurts"

    def test_drills_are_gathered_by_themselves(self, channel, clock, ada):
        storm(ada, 1, 3, is_drill=True)
        storm(ada, 4, 5)
        services.send_lane("email", now=clock)
        clock.forward(seconds=ada.bundle_seconds)
        services.send_lane("email", now=clock)
        assert channel.parcels[0].title.startswith("2 pages: INC-4")
        assert channel.parcels[1].title.startswith("DRILL: 3 pages: INC-1")

    def test_a_drill_that_failed_gives_its_own_turn_back(self, channel, clock, ada):
        channel.then = lambda: (_ for _ in ()).throw(DeliveryError("Down.", permanent=True))
        page(ada, number=1, is_drill=True)
        services.send_lane("email", now=clock)
        channel.then = None
        page(ada, number=2, at=clock.forward(seconds=1), is_drill=True)
        assert services.send_lane("email", now=clock) == 1

    def test_its_repeat_is_marked_once(self, channel, clock, ada):
        page(ada, is_drill=True, repeat_seconds=300)
        services.send_lane("email", now=clock)
        assert [row.title for row in Message.objects.order_by("id")] == ["DRILL: [SEV-2] INC-1 hurts"] * 2
        assert all(row.is_drill for row in Message.objects.all())
