"""The pages of evidence: what comes in, what goes out, and who sees it."""

import uuid
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse

from incidents.models import Incident
from portal.audit.models import TrailRow
from portal.directory.models import Contact
from portal.records.evidence import policy, storing, uploading
from portal.records.evidence.enums import Kind, State
from portal.records.evidence.models import CustodyEvent, Evidence, EvidenceCheck, EvidenceObject, EvidenceRule
from tests.factories.accounts import confirm, make_user
from tests.factories.directory import NOON, make_system
from tests.factories.engagements import make_engagement
from tests.factories.evidence import LOG, make_evidence, make_holder
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def amara(client):
    user = make_holder("amara")
    client.force_login(user)
    confirm(client)
    return user


def address(subject):
    return reverse("evidence:collect", args=["incidents.incident", subject.pk])


def words(**changed):
    typed = {"once": str(uuid.uuid4()), "source": "db-eu-1", "acquired_at": "2026-11-17T11:00"}
    return {**typed, **changed}


def send(client, subject, content=LOG, name="auth.log", **changed):
    """Post the form as a browser does, which tells the name as it is."""
    body = encode_multipart(BOUNDARY, words(file=SimpleUploadedFile("plain", content), **changed))
    body = body.replace(b'filename="plain"', f'filename="{name}"'.encode())
    return client.generic("POST", address(subject), body, content_type=MULTIPART_CONTENT)


def left(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


def test_a_file_is_kept_as_evidence_of_its_incident(client, amara):
    incident = make_incident()
    assert client.get(address(incident)).status_code == 200
    answer = send(client, incident, name="../auth\u202e.log")
    item = Evidence.objects.get()
    assert answer.url == item.get_absolute_url()
    assert item.original_name == "../auth\\u202e.log"
    assert item.file_name == "auth.log"
    assert item.cautions == ["path", "hidden"]
    assert item.reference in client.get(incident.get_absolute_url()).content.decode()
    page = client.get(item.get_absolute_url()).content.decode()
    assert "Take care with this file" in page
    assert item.stored.digest in page


def test_the_same_form_sent_twice_keeps_one(client, amara):
    incident, once = make_incident(), str(uuid.uuid4())
    first, second = (send(client, incident, once=once) for _ in range(2))
    assert first.url == second.url
    assert Evidence.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "changed", "sentence", "status"),
    [
        (b"", {}, policy.EMPTY, 422),
        (LOG, {"source": ""}, "Say where it comes from", 422),
        (LOG, {"once": "x"}, "Open the form again", 422),
        (LOG, {"acquired_at": "2199-01-01T00:00"}, "not come yet", 422),
        (LOG, {"acquired_at": "1970-01-02T00:00"}, "too long ago", 422),
        (LOG, {"acquired_at": "0001-01-01T00:00"}, "Check the year", 422),
        (b"x" * (policy.MEGABYTE + 1), {}, "larger than 1 MB", 413),
        (b"x" * (2 * policy.MEGABYTE), {}, "larger than 1 MB", 413),
    ],
)
def test_what_is_refused_says_so_and_leaves_nothing(client, amara, folder, content, changed, sentence, status):
    EvidenceRule.objects.create(most_megabytes=1)
    answer = send(client, make_incident(), content, description="What I saw", **changed)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert "What I saw" in answer.content.decode()
    assert left(folder) == []
    assert not Evidence.objects.exists()


def test_a_full_disk_is_said_before_and_while_it_fills(client, amara, folder, monkeypatch):
    incident = make_incident()
    monkeypatch.setattr(storing, "free_bytes", lambda: 10)
    assert policy.NO_ROOM in send(client, incident).content.decode()
    monkeypatch.undo()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storing.os, "write", full)
    assert policy.NO_ROOM in send(client, incident).content.decode()
    monkeypatch.undo()
    assert left(folder) == []


class Cut(BytesIO):
    """A body of which less arrives than was announced."""


@pytest.mark.parametrize("missing", [1, 60, 400])
def test_a_file_that_arrives_cut_off_is_refused(client, amara, folder, missing):
    file = SimpleUploadedFile("auth.log", LOG * 20)
    body = encode_multipart(BOUNDARY, words(file=file))
    environment = {
        "wsgi.input": Cut(body[:-missing]), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": MULTIPART_CONTENT,
        "REQUEST_METHOD": "POST", "PATH_INFO": address(make_incident()),
    }  # fmt: skip
    answer = client.request(**environment)
    assert answer.status_code == 422
    assert policy.CUT_OFF in answer.content.decode()
    assert left(folder) == []


def test_of_a_body_without_end_no_more_is_read_than_two_lawful_ones_cost():
    class Endless:
        def read(self, size=-1):
            return b"x" * (size if size >= 0 else 1)

    body = uploading.Body(Endless(), declared=10**12, most=100)
    assert sum(len(found) for found in iter(lambda: body.read(30), b"")) == 100
    assert not body.is_whole


def test_nothing_is_taken_from_strangers(client, folder):
    incident = make_incident()
    assert send(client, incident).url.startswith("/sign-in/")
    client.force_login(make_user("nobody"))
    assert send(client, incident).status_code == 404
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(make_holder())
    assert send(forged, incident).status_code == 403
    assert left(folder) == []


def test_only_records_with_a_reference_have_evidence(client, amara):
    for kind in ("directory.system", "records.evidence", "nowhere.nothing", "x"):
        assert client.get(reverse("evidence:collect", args=[kind, 1])).status_code == 404


def test_a_download_is_never_shown_whatever_it_is(client, amara):
    item = make_evidence(b"<svg onload=alert(1)>", "logo ü.svg", by=amara)
    answer = client.get(reverse("evidence:download", args=[item.reference]))
    assert b"".join(answer.streaming_content) == b"<svg onload=alert(1)>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''logo%20%C3%BC.svg"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert item.custody.filter(kind=Kind.DOWNLOADED, address="127.0.0.1").exists()


def test_a_download_asks_who_is_there(client):
    item = make_evidence()
    client.force_login(make_holder())
    assert client.get(reverse("evidence:download", args=[item.reference])).url.startswith("/confirm/")
    assert not item.custody.filter(kind=Kind.DOWNLOADED).exists()


def test_an_altered_file_is_refused_with_a_sentence(client, amara):
    item = make_evidence(by=amara)
    storing.path_of(item.stored.digest).unlink()
    answer = client.get(reverse("evidence:download", args=[item.reference]), follow=True)
    assert policy.UNREADABLE[:40] in answer.content.decode()


def test_an_item_is_handed_over_and_received_in_the_pages(client, amara):
    item, bola = make_evidence(by=amara), make_holder("bola")
    give = reverse("evidence:act", args=[item.reference, "hand-over"])
    assert client.get(give).status_code == 200
    assert client.post(give, {"once": uuid.uuid4(), "to": "", "reason": ""}).status_code == 422
    to = Contact.objects.get(user=bola).pk
    client.post(give, {"once": uuid.uuid4(), "to": to, "reason": "For the lab"})
    take = reverse("evidence:act", args=[item.reference, "receive"])
    assert client.get(take).status_code == 403
    client.force_login(bola)
    assert "Confirm receipt" in client.get(item.get_absolute_url()).content.decode()
    assert item.reference in client.get(f"{reverse('evidence:list')}?show=waiting").content.decode()
    assert client.post(take, {"once": uuid.uuid4()}).status_code == 302
    item.refresh_from_db()
    assert (item.state, item.holder.user) == (State.HELD, bola)
    assert client.get(reverse("evidence:act", args=[item.reference, "dance"])).status_code == 404


def test_the_report_tells_every_event_with_its_moment(client, amara):
    item = make_evidence(by=amara)
    client.get(item.get_absolute_url())
    page = client.get(reverse("evidence:report", args=[item.reference])).content.decode()
    assert "17 Nov 2026, 12:00:00" in page
    assert page.count("not yet") == 3  # collected, viewed, and this report: the sealer has not come by
    assert "as a custody report" in page


def test_evidence_of_what_a_reader_may_not_see_is_nowhere(client):
    inside, outside = make_system("inside"), make_system("outside")
    shown = make_evidence(name="shown.log", subject=make_incident(systems=[inside]))
    hidden = make_evidence(b"other", name="hidden.log", subject=make_incident(systems=[outside]))
    auditor = make_user("audra", roles=["auditor"], engaged=False)
    make_engagement(auditor, systems=[inside], starts=NOON - timedelta(days=9), ends=NOON + timedelta(days=999))
    client.force_login(auditor)
    page = client.get(reverse("evidence:list")).content.decode()
    assert "shown.log" in page
    assert "hidden.log" not in page
    assert client.get(shown.get_absolute_url()).status_code == 200
    for name in ("item", "report", "download"):
        assert client.get(reverse(f"evidence:{name}", args=[hidden.reference])).status_code in {302, 404}
    assert kinds(hidden) == [Kind.COLLECTED]
    assert client.get(reverse("evidence:act", args=[shown.reference, "seal"])).status_code == 403


def test_evidence_of_a_restricted_record_is_hidden_with_it(client, monkeypatch):
    incident = make_incident()
    item, lead, other = make_evidence(name="hidden.log", subject=incident), make_holder("lead"), make_holder("other")

    def hidden_from(user):
        return [] if user.pk == lead.pk else [incident.pk]

    monkeypatch.setattr(Incident, "hidden_from", hidden_from, raising=False)
    for reader, status in ((lead, 200), (other, 404)):
        client.force_login(reader)
        assert client.get(item.get_absolute_url()).status_code == status
        assert ("hidden.log" in client.get(reverse("evidence:list")).content.decode()) == (status == 200)
        assert TrailRow.objects.visible_to(reader).filter(model="records.evidence").exists() == (status == 200)
        seen = (m.objects.visible_to(reader).exists() for m in (CustodyEvent, EvidenceObject, EvidenceCheck))
        assert set(seen) == {status == 200}
    assert kinds(item) == [Kind.COLLECTED, Kind.VIEWED]


def kinds(item):
    return list(item.custody.order_by("pk").values_list("kind", flat=True))


def test_a_list_costs_the_same_however_long(client, amara, django_assert_max_num_queries):
    def cost():
        with django_assert_max_num_queries(40) as context:
            assert client.get(reverse("evidence:list")).status_code == 200
        return len(context)

    make_evidence(by=amara)
    client.get(reverse("evidence:list"))
    short = cost()
    for number in range(4):
        make_evidence(bytes([number]), by=amara)
    assert cost() == short
