"""The verbs of action items: opened because of a record, done with a note, handed over, moved, cancelled."""

from datetime import timedelta

import pytest

from portal.actions import services
from portal.actions.enums import State
from portal.actions.models import ActionItem
from portal.actions.policy import Refused
from portal.actions.services import NOTICE
from portal.audit.actor import acting
from portal.deadlines.models import Deadline, DeadlineState
from portal.notify.models import Message
from portal.records import services as records
from portal.records.models import Link
from tests.factories.actions import make_item
from tests.factories.directory import NOON, make_contact
from tests.factories.incidents import make_incident
from tests.factories.maintenance import make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def somebody_acts():
    with acting(by="system: test", at=NOON):
        yield


def words(record):
    return [note.text for note in records.timeline(record).order_by("id")]


def pending(item):
    return [
        (row.key, row.generation) for row in Deadline.objects.filter(subject_id=item.pk, kind=NOTICE, state="pending")
    ]


def test_references_are_given_out_without_a_gap():
    assert [make_item().reference for _ in range(3)] == ["ACT-000001", "ACT-000002", "ACT-000003"]


def test_an_item_is_linked_with_the_record_that_it_came_from_and_told_in_both_timelines():
    incident, owner = make_incident(title="Mail stood still"), make_contact("Joel Brandt")
    item = make_item(source=incident, owner=owner, title="Watch the queue")
    link = Link.objects.get(kind="action")
    assert (link.from_id, link.to_id) == (item.pk, incident.pk)
    assert item.source == incident
    assert words(item) == ["opened it for Joel Brandt"]
    assert "opened the action item ACT-000001 for Joel Brandt" in words(incident)
    services.complete(item, note="The queue is watched.", by="Joel", at=NOON + DAY)
    assert words(incident)[-1] == "did the action item ACT-000001"


def test_the_owner_is_told_unless_they_opened_it_themselves():
    user, contact = make_member("Joel Brandt")
    make_item(owner=contact, title="Watch the queue")
    assert [m.title for m in Message.objects.filter(contact=contact, lane="inbox")] == [
        "Yours until Tue 1 Dec: Watch the queue"
    ]
    make_item(owner=contact, by=user)
    assert Message.objects.filter(contact=contact, lane="inbox").count() == 1


def test_what_is_done_says_what_was_done_and_reminds_nobody_any_more():
    item = make_item()
    done = services.complete(item, note=" A probe watches it. ", by="Joel", at=NOON + 3 * DAY, done_at=NOON + DAY)
    assert (done.state, done.done_note, done.done_at, done.done_by) == (
        State.DONE, "A probe watches it.", NOON + DAY, "Joel",
    )  # fmt: skip
    assert Deadline.objects.get(subject_id=item.pk).state == DeadlineState.CANCELLED


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"note": " "}, "Say in a sentence what was done"),
        ({"note": "Done", "done_at": NOON + 2 * DAY}, "cannot have been done in the future"),
        ({"note": "Done", "done_at": NOON - DAY}, "before it was opened"),
    ],
)
def test_a_completion_that_cannot_be_is_refused(given, sentence):
    item = make_item()
    with pytest.raises(Refused, match=sentence):
        services.complete(item, **given, by="Joel", at=NOON + DAY)
    item.refresh_from_db()
    assert item.state == State.OPEN


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"title": "  "}, "Say what is to be done"),
        ({"due_at": NOON}, "That day has passed"),
        ({"due_at": NOON - DAY}, "That day has passed"),
    ],
)
def test_an_item_that_nobody_could_keep_is_refused(given, sentence):
    with pytest.raises(Refused, match=sentence):
        make_item(**given)
    assert not ActionItem.objects.exists()


def test_somebody_who_has_left_owns_nothing_new():
    gone = make_contact("Amara Okafor", active=False)
    with pytest.raises(Refused, match="Amara Okafor has left"):
        make_item(owner=gone)
    with pytest.raises(Refused, match="Amara Okafor has left"):
        services.hand_over(make_item(owner=make_contact("Joel")), owner=gone, by="M", at=NOON, reason="Holidays")


def test_a_new_owner_is_told_and_the_day_stays():
    item, (_, mei) = make_item(), make_member("Mei Tanaka")
    moved = services.hand_over(item, owner=mei, by="Maren", at=NOON + DAY, reason="Amara is away")
    assert (moved.owner, moved.due_at) == (mei, item.due_at)
    assert Message.objects.filter(contact=mei, kind="action_yours").exists()
    assert words(item)[-1] == "handed it over from Amara Okafor to Mei Tanaka"
    with pytest.raises(Refused, match="Mei Tanaka's already"):
        services.hand_over(item, owner=mei, by="Maren", at=NOON + DAY, reason="Again")


def test_a_moved_day_begins_the_reminders_anew():
    item = make_item()
    assert pending(item) == [("before:7", 1)]
    services.move_due(item, due_at=NOON + 4 * DAY, by="Maren", at=NOON, reason="It is urgent")
    assert pending(item) == [("before:1", 2)]
    assert words(item)[-1] == "moved it from Tue 1 Dec to Sat 21 Nov"
    with pytest.raises(Refused, match="due then already"):
        services.move_due(item, due_at=NOON + 4 * DAY, by="Maren", at=NOON, reason="Again")


@pytest.mark.parametrize("verb", ["cancel", "hand_over", "move_due"])
def test_a_verb_that_changes_a_promise_asks_why(verb):
    given = {"hand_over": {"owner": make_contact("Joel")}, "move_due": {"due_at": NOON + 20 * DAY}}.get(verb, {})
    with pytest.raises(Refused, match="Say in a sentence why"):
        getattr(services, verb)(make_item(), **given, by="Maren", at=NOON, reason=" ")


def test_what_is_over_moves_no_more():
    item = make_item()
    services.cancel(item, by="Maren", at=NOON + DAY, reason="Replaced")
    for verb, given in (
        (services.complete, {"note": "Done"}), (services.cancel, {"reason": "Again"}),
        (services.move_due, {"due_at": NOON + 30 * DAY, "reason": "Later"}),
        (services.hand_over, {"owner": make_contact("Joel"), "reason": "Away"}),
    ):  # fmt: skip
        with pytest.raises(Refused):
            verb(item, **given, by="Maren", at=NOON + 2 * DAY)
    item.refresh_from_db()
    assert (item.state, item.cancelled_because) == (State.CANCELLED, "Replaced")


def test_each_change_is_in_the_history():
    item = make_item()
    services.move_due(item, due_at=NOON + 4 * DAY, by="Maren", at=NOON, reason="It is urgent")
    assert [row.due_at for row in item.history.order_by("history_id")] == [NOON + 14 * DAY, NOON + 4 * DAY]
    assert item.history.latest().history_change_reason == "It is urgent"
