"""Anchors: signed heads that leave the machine by every way that is set, tried until they are there."""

import hashlib
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core import mail
from django.db import connection

from portal.audit import anchors, away, signing, trail
from portal.audit.actor import acting
from portal.audit.anchors import Unreadable
from portal.audit.canonical import compact
from portal.audit.enums import Action
from portal.audit.guards import lifted
from portal.audit.models import Anchor, AnchorDelivery, Seal, Shape, SigningKey, TrailRow
from portal.audit.sealing import seal, state
from portal.audit.verifying import Kind, verify, walking
from portal.lib import clock
from portal.records.models import Note
from tests.factories.directory import NOON
from tests.factories.incidents import make_incident
from tests.factories.tampering import tampered

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=3)


@pytest.fixture(autouse=True)
def _elsewhere(settings, tmp_path):
    """Anchors and keys of their own; no way off the machine but the file."""
    settings.ANCHOR_FILE = tmp_path / "anchors.jsonl"
    settings.SEAL_KEYS_FILE = tmp_path / "seal-public-keys"
    settings.ANCHOR_MAIL = settings.ANCHOR_URL = ""


@pytest.fixture
def sealed():
    """Something that was sealed."""
    trail.record(Action.EVENT, event="Looked around")
    seal(at=NOON)


@pytest.fixture
def receiver():
    """A server elsewhere: `said` is what was posted to it, `status` what it answers, `go` lets it answer at all."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        said, status, location, go = [], 204, "", threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.said.append((self.headers["Content-Type"], json.loads(body)))
            self.server.go.wait(30)
            self.send_response(self.server.status)
            if self.server.location:
                self.send_header("Location", self.server.location)
            self.end_headers()

        def do_GET(self):
            self.do_POST()

        def log_message(self, *args):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.said, server.go = [], threading.Event()
    server.go.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}/anchors"
    yield server
    server.go.set()
    server.shutdown()
    server.server_close()
    thread.join()


def deliver(at=NOON):
    return anchors.deliver(now=lambda: at)


# What an anchor says, and when one is made.


def test_an_anchor_signs_the_head_of_the_chain(sealed):
    made = anchors.anchor(at=NOON)
    found = anchors.read(made.line())
    assert found.is_genuine()
    assert found.head == anchors.head_at(made.position)
    assert found.statement["rows"] == made.position
    assert found.statement["previous"] is None
    assert anchors.anchor(at=NOON).previous == made.position


def test_nothing_is_signed_while_nothing_is_sealed():
    with tampered() as sql:
        sql("DELETE FROM audit_seal")
        with pytest.raises(ValueError, match="Nothing is sealed yet"):
            anchors.anchor(at=NOON)
        assert anchors.anchor_when_due(at=NOON) is None


def test_one_is_due_when_the_last_is_old_and_the_chain_has_grown(sealed, settings):
    assert anchors.anchor_when_due(at=NOON) is not None
    assert anchors.anchor_when_due(at=NOON + 2 * settings.ANCHOR_EVERY) is None, "nothing came since"
    trail.record(Action.EVENT, event="Looked around again")
    seal(at=NOON)
    assert anchors.anchor_when_due(at=NOON + settings.ANCHOR_EVERY - MINUTE) is None
    assert anchors.anchor_when_due(at=NOON + settings.ANCHOR_EVERY) is not None


# Off the machine.


def test_it_is_appended_to_a_file(sealed, settings):
    first = anchors.anchor(at=NOON)
    second = anchors.anchor(at=NOON)
    assert deliver() == 2
    assert settings.ANCHOR_FILE.read_text() == f"{first.line()}\n{second.line()}\n"
    assert deliver() == 0
    assert state().exported_at == NOON


def test_it_leaves_by_mail(sealed, settings):
    settings.ANCHOR_MAIL = "auditor@example.org"
    made = anchors.anchor(at=NOON)
    deliver()
    [message] = mail.outbox
    assert message.to == ["auditor@example.org"]
    assert made.line() in message.body
    assert message.subject == f"Watchbook anchor: {made.position} rows sealed"


def test_it_is_posted_to_an_address(sealed, settings, receiver):
    settings.ANCHOR_URL = receiver.url
    made = anchors.anchor(at=NOON)
    deliver()
    assert receiver.said == [("application/json", json.loads(made.line()))]
    assert AnchorDelivery.objects.get(way="url").delivered_at == NOON


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_address_that_does_not_take_it_is_tried_again(sealed, settings, receiver, status):
    settings.ANCHOR_URL, receiver.status, receiver.location = receiver.url, status, receiver.url
    anchors.anchor(at=NOON)
    deliver()
    row = AnchorDelivery.objects.get(way="url")
    assert (row.delivered_at, row.attempts, row.error) == (None, 1, f"OSError: It answered {status}.")
    assert len(receiver.said) == 1, "a redirect is not followed"
    receiver.status, receiver.location = 200, ""
    assert deliver(NOON + MINUTE - timedelta(seconds=1)) == 0
    assert deliver(NOON + MINUTE) == 1
    row.refresh_from_db()
    assert (row.delivered_at, row.attempts, row.error) == (NOON + MINUTE, 2, "")


def test_an_address_that_hangs_delays_nobody_for_long(sealed, settings, receiver, monkeypatch):
    monkeypatch.setattr(away, "MOST_SECONDS", 0.1)
    settings.ANCHOR_URL = receiver.url
    receiver.go.clear()
    anchors.anchor(at=NOON)
    deliver()
    assert AnchorDelivery.objects.get(way="url").error.startswith("OSError: ")


def test_an_address_where_nobody_listens_is_tried_again(sealed, settings, receiver):
    settings.ANCHOR_URL = receiver.url
    receiver.shutdown()
    receiver.server_close()
    anchors.anchor(at=NOON)
    deliver()
    assert "URLError" in AnchorDelivery.objects.get(way="url").error


def test_a_mail_server_that_fails_delays_no_other_way(sealed, settings, monkeypatch):
    def fail(*_args, **_options):
        raise OSError("Connection refused")

    monkeypatch.setattr("portal.audit.away.EmailMessage.send", fail)
    settings.ANCHOR_MAIL = "auditor@example.org"
    anchors.anchor(at=NOON)
    assert deliver() == 2
    assert AnchorDelivery.objects.get(way="file").delivered_at == NOON
    assert AnchorDelivery.objects.get(way="mail").error == "OSError: Connection refused"


def test_tries_come_further_and_further_apart_up_to_an_hour(sealed, settings, tmp_path):
    settings.ANCHOR_FILE = tmp_path / "missing" / "anchors.jsonl"
    anchors.anchor(at=NOON)
    at, rests = NOON, []
    for _ in range(9):
        assert deliver(at) == 1
        after = AnchorDelivery.objects.get().next_attempt_at
        rests.append((after - at) // MINUTE)
        at = after
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    (tmp_path / "missing").mkdir()
    assert deliver(at) == 1
    assert AnchorDelivery.objects.get().delivered_at == at


def test_what_does_not_leave_is_seen(sealed, settings, tmp_path):
    settings.ANCHOR_FILE = tmp_path / "missing" / "anchors.jsonl"
    anchors.anchor(at=NOON)
    assert state().undelivered == 0, "it was not tried yet"
    deliver()
    assert state().undelivered == 1
    assert anchors.late(at=NOON + anchors.LATE - MINUTE) == []
    [late] = anchors.late(at=NOON + anchors.LATE)
    assert (late.way, late.error.partition(":")[0]) == ("file", "FileNotFoundError")


def test_two_senders_never_try_one_at_once(sealed, monkeypatch):
    anchors.anchor(at=NOON)
    tried = []

    def send(target, made):
        tried.append(made.position)
        assert deliver() == 0, "the other one finds nothing that is due"

    monkeypatch.setattr(anchors, "_to_file", send)
    assert deliver() == 1
    assert len(tried) == 1


# Keys.


def test_an_anchor_of_the_former_key_still_verifies(sealed, settings):
    first = anchors.anchor(at=NOON)
    settings.SEAL_KEY = bytes(range(32))
    second = anchors.anchor(at=NOON)
    assert first.key_id != second.key_id
    report = verify(at=NOON, against=[anchors.read(first.line())])
    assert report.is_clean, [finding.sentence for finding in report.findings]
    assert report.keys == sorted([first.key_id, second.key_id])


def test_a_new_key_is_told_in_the_trail_once(sealed, settings):
    settings.SEAL_KEY = bytes(range(32))
    anchors.anchor(at=NOON)
    anchors.anchor(at=NOON)
    own = signing.signer().key_id
    assert TrailRow.objects.get(model="audit.signingkey").object_id == own
    assert SigningKey.objects.get().key_id == own


def test_an_anchor_of_a_key_that_nobody_knows_is_named_until_it_is_made_known(sealed, settings):
    kept, own = settings.SEAL_KEYS_FILE, settings.SEAL_KEY
    settings.SEAL_KEY, settings.SEAL_KEYS_FILE = bytes(range(32)), kept.with_name("elsewhere")
    foreign = anchors.read(anchors.anchor(at=NOON).line())
    settings.SEAL_KEY, settings.SEAL_KEYS_FILE = own, kept
    [finding] = verify(at=NOON).findings
    assert finding.kind == Kind.ANCHOR
    assert f"signed by {foreign.key_id}, a key that this machine does not know" in finding.sentence
    settings.SEAL_PUBLIC_KEYS = [foreign.public_key]
    assert verify(at=NOON).is_clean


# What somebody has kept.


def test_kept_anchors_are_read_one_by_line_or_alone(sealed, tmp_path):
    lines = [anchors.anchor(at=NOON).line(), anchors.anchor(at=NOON).line()]
    many, one = tmp_path / "many", tmp_path / "one"
    many.write_text("\n".join(lines) + "\n\n")
    one.write_text(json.dumps(json.loads(lines[0]), indent=2))
    assert [found.is_genuine() for found in anchors.kept_in(many)] == [True, True]
    assert [found.is_genuine() for found in anchors.kept_in(one)] == [True]


@pytest.mark.parametrize(
    "text", ["", "nothing", '{"format": "watchbook-anchor-1"}', '{"format": "another-1", "signature": ""}']
)
def test_what_is_no_anchor_is_refused_with_its_place(tmp_path, text):
    path = tmp_path / "kept"
    path.write_text(text)
    with pytest.raises(Unreadable, match=str(path)):
        anchors.kept_in(path)
    with pytest.raises(Unreadable, match="cannot be read"):
        anchors.kept_in(tmp_path / "missing")


@pytest.mark.parametrize("name", ["position", "head", "signed_at", "portal", "previous"])
def test_an_altered_anchor_is_not_genuine(sealed, name):
    told = json.loads(anchors.anchor(at=NOON).line())
    told[name] = {"position": 7, "head": "00" * 32, "previous": 3}.get(name, "https://elsewhere.example.org")
    assert not anchors.read(json.dumps(told)).is_genuine()


def test_an_altered_anchor_in_the_file_beside_the_database_is_named(sealed, settings):
    made = anchors.anchor(at=NOON)
    deliver()
    settings.ANCHOR_FILE.write_text(made.line().replace(f'"rows":{made.position}', f'"rows":{made.position + 1}'))
    [finding] = verify(at=NOON).findings
    assert "was altered: its signature fails" in finding.sentence


def test_the_newest_anchor_comes_first_in_the_state(sealed):
    made = anchors.anchor(at=NOON)
    assert (state().anchored_position, state().anchored_at) == (made.position, NOON)
    assert Anchor.objects.count() == 1


# What a later migration took away.


def rename(table, old, new):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def test_columns_that_a_release_dropped_are_noted(sealed, monkeypatch):
    make_incident(at=NOON)
    seal(at=NOON)
    notes = Note.objects.count()
    rename("records_note", "detail", "details")
    monkeypatch.setattr(walking, "DROPPED", frozenset({"records_note.detail"}))
    report = verify(at=NOON)
    assert report.is_clean, [finding.sentence for finding in report.findings]
    assert report.unreadable == notes > 0
    assert any("no longer has: records_note.detail." in note for note in report.notes)


def test_columns_that_nobody_dropped_are_findings(sealed):
    make_incident(at=NOON)
    seal(at=NOON)
    rename("records_note", "detail", "details")
    report = verify(at=NOON)
    assert {finding.table for finding in report.findings} == {"records_note"}
    assert report.found == Note.objects.count()
    assert all("nobody dropped" in finding.sentence for finding in report.findings)


@pytest.mark.parametrize("dropped", [frozenset(), frozenset({"audit_trail.note"})])
def test_a_seal_is_not_put_out_of_reach_by_a_shape_of_columns_that_never_were(sealed, monkeypatch, dropped):
    """Whoever owns the table can make a shape that nobody can read, and name it in one seal."""
    monkeypatch.setattr(walking, "DROPPED", dropped)
    trail = Seal.objects.filter(source="audit.trailrow").order_by("-position")[1]
    shape = json.loads(trail.shape.definition)
    shape["columns"].insert(-1, ["note", "text", "payload"])
    text = compact(shape)
    bogus = Shape.objects.create(
        source="audit.trailrow", definition=text, digest=hashlib.sha256(text.encode()).hexdigest()
    )
    with lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_seal SET shape_id = %s WHERE position = %s", [bogus.pk, trail.position])
        cursor.execute("UPDATE audit_trail SET actor_name = 'Somebody Else' WHERE id = %s", [trail.row_id])
    [finding] = verify(at=NOON).findings
    assert (finding.table, finding.row_id, finding.position) == ("audit_trail", trail.row_id, trail.position)


# When it was.


def test_a_row_that_tells_of_a_time_before_a_signed_head_is_named(sealed):
    anchors.anchor(at=clock.database_now())
    long_ago = clock.database_now() - timedelta(days=200)
    with acting(by="Somebody", reason="Forged", at=long_ago, anew=True):
        trail.record(Action.EVENT, event="Never happened")
    seal(at=clock.database_now())
    [finding] = verify(at=clock.database_now()).findings
    assert finding.row_id == TrailRow.objects.get(event="Never happened").pk
    assert "tells of a time before a head that had been signed" in finding.sentence
