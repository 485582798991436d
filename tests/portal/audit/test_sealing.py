"""The chain of seals: every row once, in one order, without a gap, however many write and seal at the same time."""

import threading
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import close_old_connections, connection, connections, transaction

from portal.audit import canonical, sealer, sealing, trail
from portal.audit.actor import acting
from portal.audit.canonical import row_text, told
from portal.audit.enums import Action
from portal.audit.models import Seal, SealBatch, Shape, TrailRow
from portal.audit.sealing import seal, state
from portal.audit.shapes import definition_of, history_of
from portal.audit.verifying import verify
from portal.directory.models import Contact, Team
from portal.lib import clock
from tests.factories.anything import make
from tests.factories.directory import NOON, make_contact, make_team
from tests.factories.incidents import make_incident

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def tell(count=1, **values):
    """Append rows to the trail."""
    for number in range(count):
        trail.record(Action.EVENT, event=f"Something happened {number}", **values)


def take_back(count):
    """Append rows and take them back: their numbers are gone on PostgreSQL."""
    with transaction.atomic():
        tell(count)
        transaction.set_rollback(True)


def text_of(definition, part, row):
    columns = definition.of(part)
    fields = {field.column: field for field in row._meta.concrete_fields}
    return row_text(columns, [told(c.kind, getattr(row, fields[c.name].attname)) for c in columns])


def recomputed(entry, row, history=None):
    """Return link and digest of a seal, made by hand from what the ORM gives."""
    definition = definition_of(type(row))
    salt = bytes(entry.salt)
    payload = canonical.payload_digest(salt[canonical.FOR_PAYLOAD], text_of(definition, "payload", row))
    shapes, told_digest = (definition.digest, "-"), None
    if history is not None:
        of_history = history_of(row.model)
        shapes = (definition.digest, of_history.digest)
        told_digest = canonical.payload_digest(salt[canonical.FOR_HISTORY], text_of(of_history, "payload", history))
    envelope = text_of(definition, "envelope", row)
    return canonical.link(
        canonical.link_text(entry.position, definition.source, row.pk, shapes, (payload, told_digest), envelope)
    )


@pytest.mark.django_db
def test_every_row_is_sealed_once_and_in_one_chain():
    make_incident()
    make_team()
    tell(3)
    sealed = seal(at=NOON)
    assert sealed == sum(model.objects.count() for model in sealer.sources()) == Seal.objects.count()
    assert seal(at=NOON) == 0
    previous = canonical.BEGINNING
    for position, entry in enumerate(Seal.objects.order_by("position"), 1):
        assert entry.position == position
        assert bytes(entry.digest) == canonical.chained(previous, bytes(entry.link))
        previous = bytes(entry.digest)


@pytest.mark.django_db
def test_a_seal_can_be_made_by_hand_from_the_row():
    make_contact(name="Amara Okafor")
    tell(reason="Because")
    seal(at=NOON)
    for row in TrailRow.objects.filter(model__in=("directory.contact", "")):
        entry = Seal.objects.get(source="audit.trailrow", row_id=row.pk)
        history = None
        if row.history_id:
            history = Contact.history.get(pk=row.history_id)
        assert recomputed(entry, row, history) == bytes(entry.link)


@pytest.mark.django_db
def test_each_seal_has_a_salt_of_its_own():
    tell(50)
    seal(at=NOON)
    salts = {bytes(salt) for salt in Seal.objects.values_list("salt", flat=True)}
    assert len(salts) == Seal.objects.count()
    assert {len(salt) for salt in salts} == {32}


@pytest.mark.django_db
def test_a_shape_is_kept_once():
    make_contact()
    seal(at=NOON)
    make_contact()
    seal(at=NOON)
    kept = Shape.objects.filter(source="directory.historicalcontact")
    assert [shape.digest for shape in kept] == [sha256(kept[0].definition.encode()).hexdigest()]


@pytest.mark.django_db
def test_a_limit_is_kept_and_the_rest_comes_next(monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 3)
    seal(at=NOON)
    tell(10)
    assert [seal(at=NOON, limit=7), seal(at=NOON, limit=7)] == [7, 3]
    spans = list(SealBatch.objects.order_by("-id").values_list("first", "last")[:5])
    assert [last - first + 1 for first, last in reversed(spans)][-4:] == [3, 3, 1, 3]
    assert Seal.objects.order_by("-position").first().position == Seal.objects.count()


@pytest.mark.django_db
def test_ids_that_were_never_used_leave_no_gap_in_the_chain():
    tell()
    take_back(4)
    tell()
    seal(at=NOON)
    positions = list(Seal.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, len(positions) + 1))


@pytest.mark.django_db
def test_the_state_says_since_when_a_row_waits(django_assert_max_num_queries):
    seal(at=NOON)
    assert state().waiting_since is None
    with acting(by="test", at=NOON + MINUTE):
        tell()
    with acting(by="test", at=NOON + 2 * MINUTE):
        tell()
    with django_assert_max_num_queries(6):
        found = state()
    assert found.waiting_since == NOON + MINUTE
    assert found.waits(NOON + 11 * MINUTE) == 600
    seal(at=NOON + 3 * MINUTE)
    found = state()
    assert (found.waiting_since, found.sealed_at, found.rows) == (None, NOON + 3 * MINUTE, Seal.objects.count())


@pytest.mark.django_db
def test_a_moment_that_a_row_tells_of_is_not_when_it_was_written():
    before = clock.now()
    seal(at=before)
    make("assurance.ReviewItem", at=NOON - 900 * DAY)
    make("assurance.ReviewItem", at=None)
    assert state().waiting_since >= before


def in_threads(*works):
    """Run each work in a thread with a connection of its own; raise what any of them raised."""
    problems = []

    def run(work):
        close_old_connections()
        try:
            with acting(by="test", reason="A test", origin="command"):
                work()
        except BaseException as problem:  # noqa: BLE001 - the main thread raises it
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def assert_whole():
    """Every row has one seal, positions have no gap, the chain holds."""
    entries = list(Seal.objects.order_by("position"))
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    for model in sealer.sources():
        kept = {entry.row_id for entry in entries if entry.source == sealer.label_of(model)}
        assert kept == set(model.objects.values_list("pk", flat=True))
    previous = canonical.BEGINNING
    for entry in entries:
        assert bytes(entry.digest) == canonical.chained(previous, bytes(entry.link))
        previous = bytes(entry.digest)


@pytest.mark.django_db(transaction=True)
def test_sealers_and_writers_side_by_side_make_one_chain(monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 20)
    writing = threading.Event()
    writing.set()

    def write():
        for number in range(12):
            with transaction.atomic():
                make_team()
                tell(2)
                transaction.set_rollback(number % 3 == 0)

    def seal_while_writing():
        while writing.is_set():
            seal(at=NOON, limit=40)

    sealers = [threading.Thread(target=lambda: in_threads(seal_while_writing)) for _ in range(3)]
    for thread in sealers:
        thread.start()
    try:
        in_threads(write, write)
    finally:
        writing.clear()
        for thread in sealers:
            thread.join()
    seal(at=NOON)
    assert Team.objects.count() >= 16
    assert_whole()


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_committed_late_is_sealed_although_its_number_is_smaller():
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite one transaction writes after another")
    begun, go_on = threading.Event(), threading.Event()

    def late():
        with transaction.atomic():
            trail.record(Action.EVENT, event="late")
            begun.set()
            go_on.wait(30)

    thread = threading.Thread(target=lambda: in_threads(late))
    thread.start()
    begun.wait(30)
    tell(3)
    for minute in range(5):  # however often it is sealed meanwhile, the mark does not pass the open transaction
        seal(at=NOON + 2 * minute * MINUTE)
        tell()
    go_on.set()
    thread.join()
    row = TrailRow.objects.get(event="late")
    assert sealing.head().marks["audit.trailrow"].complete < row.pk < sealing.head().marks["audit.trailrow"].tip
    seal(at=NOON + 20 * MINUTE)
    assert_whole()


@pytest.mark.django_db(transaction=True)
def test_the_mark_moves_by_itself_once_everything_is_settled():
    tell(5)
    seal(at=NOON)
    for minute in range(1, 4):
        assert seal(at=NOON + minute * MINUTE) == 0
    mark = sealing.head().marks["audit.trailrow"]
    assert mark.complete == mark.tip == TrailRow.objects.order_by("-pk").first().pk
    batches = SealBatch.objects.count()
    seal(at=NOON + 9 * MINUTE)
    assert SealBatch.objects.count() == batches, "nothing is written when nothing happens"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_put_below_the_mark_by_hand_is_left_to_verification():
    take_back(1)  # a number that nobody uses
    tell()
    for minute in range(3):
        seal(at=NOON + minute * MINUTE)
    free = set(range(1, sealing.head().marks["audit.trailrow"].complete)) - set(
        TrailRow.objects.values_list("pk", flat=True)
    )
    if not free:
        pytest.skip("SQLite gives the number of a row that was rolled back to the next one")
    TrailRow(pk=max(free), at=NOON, actor_name="Somebody", action="event", event="Slipped in").save()
    tell()
    assert seal(at=NOON + 9 * MINUTE) == 1
    assert not Seal.objects.filter(source="audit.trailrow", row_id=max(free)).exists()


@pytest.mark.django_db
def test_a_mark_that_cannot_be_true_keeps_nothing_from_being_sealed():
    """Whoever may insert a batch could claim that everything up to a far number is settled."""
    tell(3)
    seal(at=NOON)
    newest = SealBatch.objects.order_by("-id").first()
    far = {source: {**mark, "complete": 10**9, "tip": 10**9} for source, mark in newest.marks.items()}
    SealBatch.objects.create(
        first=newest.last + 1, last=newest.last, head=newest.head, sealed_at=NOON, sealed_by="nobody", marks=far
    )
    tell(2)
    assert seal(at=NOON + MINUTE) == 2
    assert verify(at=NOON + MINUTE).is_clean
