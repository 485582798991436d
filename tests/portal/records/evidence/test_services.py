"""Custody: who holds a piece of evidence, and that every act on it is told, once, in its own transaction."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError

from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.facts import AppendOnly
from portal.audit.models import TrailRow
from portal.directory.models import Contact
from portal.records.evidence import policy, services, storing
from portal.records.evidence.enums import Kind, State
from portal.records.evidence.models import CustodyEvent, Evidence, EvidenceObject
from portal.records.evidence.policy import NotYours, Refused
from portal.records.models import Note
from tests.factories.directory import NOON
from tests.factories.evidence import LOG, make_evidence, make_holder, make_incoming
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


def contact_of(user):
    return Contact.objects.get(user=user)


def kinds(item):
    return list(item.custody.order_by("pk").values_list("kind", flat=True))


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def test_a_file_is_kept_with_all_that_makes_it_evidence(folder):
    amara, incident = make_holder("amara"), make_incident()
    item = make_evidence(name="../auth.log", subject=incident, by=amara, acquired_at=NOON - timedelta(hours=2))
    assert item.reference.startswith("EVD-")
    assert (item.original_name, item.file_name, item.cautions) == ("../auth.log", "auth.log", ["path"])
    assert (item.content_type, item.stored.size) == ("text/plain", len(LOG))
    assert item.holder == item.collector == contact_of(amara)
    assert item.subject == incident
    assert storing.path_of(item.stored.digest).read_bytes() == LOG
    assert kinds(item) == [Kind.COLLECTED]
    told = TrailRow.objects.filter(model="records.evidence", object_id=str(item.pk), action=Action.EVENT).get()
    assert told.gesture == item.custody.get().gesture
    assert Note.objects.filter(kind="evidence", subject_id=incident.pk).get().text.startswith("collected evidence EVD-")


def test_the_same_content_has_one_file_and_custody_of_its_own_for_each_item(folder):
    first, second = make_evidence(), make_evidence()
    assert first.stored == second.stored
    assert EvidenceObject.objects.count() == 1
    assert len(files(folder)) == 1
    assert first.reference != second.reference


def test_the_same_gesture_keeps_one_item():
    amara, incident = make_holder(), make_incident()
    words = {"source": "x", "acquired_at": NOON, "most": 1000, "by": amara, "at": NOON}
    with acting(by=amara, anew=True):
        first = services.collect(incident, make_incoming(), **words)
        assert services.collect(incident, make_incoming(), **words) == first
    assert Evidence.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "fields", "sentence"),
    [
        (b"", {}, "empty"),
        (b"x" * 11, {"most": 10}, "larger"),
        (b"x", {"acquired_at": NOON + timedelta(hours=1)}, "not come yet"),
        (b"x", {"acquired_at": policy.OLDEST - timedelta(days=1)}, "too long ago"),
    ],
)
def test_what_cannot_be_evidence_is_refused_and_nothing_is_kept(folder, content, fields, sentence):
    with pytest.raises(Refused, match=sentence):
        make_evidence(content, **fields)
    assert not Evidence.objects.exists()
    assert not [path for path in files(folder) if path.parent.name != storing.DRAFTS]


@pytest.mark.parametrize("full", [OSError(28, "No space left on device"), OperationalError("database or disk is full")])
def test_a_full_disk_is_a_sentence_and_leaves_no_row(monkeypatch, full):
    def fails(*args, **kwargs):
        raise full

    if isinstance(full, OSError):
        monkeypatch.setattr(storing.os, "link", fails)
    else:
        monkeypatch.setattr(EvidenceObject, "save", fails)
    with pytest.raises(Refused, match="The disk is full"):
        make_evidence()
    assert not EvidenceObject.objects.exists()
    assert not Evidence.objects.exists()


def test_another_failure_of_the_database_stays_one(monkeypatch):
    def fails(*args, **kwargs):
        raise DatabaseError("gone")

    monkeypatch.setattr(EvidenceObject, "save", fails)
    with pytest.raises(DatabaseError, match="gone"):
        make_evidence()


def test_custody_is_never_edited_or_deleted():
    event = make_evidence().custody.get()
    event.reason = "another"
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        CustodyEvent.objects.all().delete()


def test_opening_and_downloading_are_told(folder):
    item, reader = make_evidence(), make_holder()
    services.view(item, by=reader, at=LATER)
    with services.download(item, by=reader, at=LATER) as file:
        assert file.read() == LOG
    assert kinds(item) == [Kind.COLLECTED, Kind.VIEWED, Kind.DOWNLOADED]
    told = TrailRow.objects.filter(model="records.evidence", actor_id=reader.pk).order_by("pk")
    assert [row.action for row in told] == [Action.READ, Action.EXPORTED]
    assert item.stored.digest in told.last().changes


@pytest.mark.parametrize("harm", ["altered", "gone"])
def test_what_is_not_what_was_collected_is_never_handed_out(harm):
    item = make_evidence()
    path = storing.path_of(item.stored.digest)
    path.chmod(0o600)
    path.write_bytes(LOG.upper()) if harm == "altered" else path.unlink()
    with pytest.raises(Refused, match="not as it was"):
        services.download(item, by=make_holder(), at=LATER)
    assert kinds(item) == [Kind.COLLECTED]


def test_a_handover_ends_with_the_receipt_of_the_receiver():
    amara, bola = make_holder("amara"), make_holder("bola")
    item = make_evidence(by=amara)
    services.hand_over(item, to=contact_of(bola), by=amara, at=LATER, reason="For the lab")
    item.refresh_from_db()
    assert (item.state, item.holder, item.offered_to) == (State.OFFERED, contact_of(amara), contact_of(bola))
    for somebody in (amara, make_holder("lead", roles=("security-lead",))):
        with pytest.raises(NotYours, match="Only"):
            services.receive(item, by=somebody, at=LATER)
    services.receive(item, by=bola, at=LATER)
    item.refresh_from_db()
    assert (item.state, item.holder, item.offered_to) == (State.HELD, contact_of(bola), None)
    assert kinds(item) == [Kind.COLLECTED, Kind.HANDED_OVER, Kind.RECEIVED]
    with pytest.raises(NotYours, match="alone may seal"):
        services.seal(item, by=amara, at=LATER, reason="Mine")


def test_a_handover_may_be_declined_or_taken_back():
    amara, bola = make_holder("amara"), make_holder("bola")
    item = make_evidence(by=amara)
    for somebody in (bola, amara, make_holder("lead", roles=("security-lead",))):
        services.hand_over(item, to=contact_of(bola), by=amara, at=LATER, reason="For the lab")
        services.end_handover(item, by=somebody, at=LATER, reason="Not here")
    services.hand_over(item, to=contact_of(bola), by=amara, at=LATER, reason="For the lab")
    with pytest.raises(NotYours):
        services.end_handover(item, by=make_holder("other"), at=LATER, reason="No")
    item.refresh_from_db()
    assert item.holder == contact_of(amara)


def test_it_is_handed_only_to_somebody_else_who_can_confirm():
    amara = make_holder("amara")
    item = make_evidence(by=amara)
    with pytest.raises(Refused, match="holds it already"):
        services.hand_over(item, to=contact_of(amara), by=amara, at=LATER, reason="x")
    with pytest.raises(Refused, match="no account"):
        services.hand_over(item, to=Contact.objects.create(name="Police"), by=amara, at=LATER, reason="x")


def test_sealing_closes_its_words_and_release_ends_its_custody():
    amara, bola = make_holder("amara"), make_holder("bola")
    item = make_evidence(by=amara)
    services.describe(item, source="db", description="The first try", by=amara, at=LATER, reason="More exact")
    services.seal(item, by=amara, at=LATER, reason="Complete")
    for verb in (services.seal, lambda item, **words: services.describe(item, source="", description="", **words)):
        with pytest.raises(Refused, match="sealed"):
            verb(item, by=amara, at=LATER, reason="Again")
    services.hand_over(item, to=contact_of(bola), by=amara, at=LATER, reason="For the lab")
    services.receive(item, by=bola, at=LATER)
    services.release(item, by=bola, at=LATER, reason="The court has it", to="Court of Leeds")
    with pytest.raises(Refused, match="custody has ended"):
        services.hand_over(item, to=contact_of(amara), by=bola, at=LATER, reason="x")
    services.download(item, by=bola, at=LATER).close()
    item.refresh_from_db()
    assert (item.description, item.sealed_by, item.released_by) == ("The first try", str(amara), str(bola))
    assert kinds(item)[-2:] == [Kind.RELEASED, Kind.DOWNLOADED]


@pytest.mark.parametrize("verb", [services.seal, services.release])
def test_what_ends_something_asks_why(verb):
    amara = make_holder()
    with pytest.raises(Refused, match="Say in a sentence why"):
        verb(make_evidence(by=amara), by=amara, at=LATER, reason=" ")
