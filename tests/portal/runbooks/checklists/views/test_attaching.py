"""A file is attached to a step in one form: kept as evidence of the record, named at the step, matrix and timeline."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.records import services as records
from portal.records.evidence.models import Evidence
from portal.runbooks.checklists.enums import What
from portal.runbooks.models import RunEvent
from tests.factories.accounts import make_user
from tests.factories.checklists import make_run, make_worker

pytestmark = pytest.mark.django_db
LOG = b"17 Nov 11:58:02 db-eu-1 sshd[812]: Failed password for root\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_FOLDER = tmp_path
    return tmp_path / "evidence"


@pytest.fixture
def amara(client):
    user = make_worker("amara", "ops", first_name="Amara", last_name="Okafor")
    client.force_login(user)
    return user


def address(run, name="upload", *args):
    return reverse(f"checklists:{name}", args=[run.reference, *(args or (1,))])


def send(client, run, content=LOG, **changed):
    typed = {
        "once": str(uuid.uuid4()), "source": "db-eu-1", "acquired_at": "2026-11-17T11:00",
        "description": "Who tried to sign in", "file": SimpleUploadedFile("auth.log", content),
    }  # fmt: skip
    return client.post(address(run), {**typed, **changed})


def test_it_is_evidence_of_the_record_and_stands_at_its_step(client, amara):
    run = make_run()
    assert address(run) in client.get(address(run, "step")).content.decode()
    assert send(client, run).url == f"{run.get_absolute_url()}#step-1"
    kept = Evidence.objects.get()
    assert (kept.subject_id, kept.file_name, kept.collected_by) == (run.subject_id, "auth.log", "Amara Okafor")
    event = RunEvent.objects.get(what=What.ATTACHED)
    assert (event.evidence, event.step.position, event.text) == (kept, 1, "Who tried to sign in")
    for page in (run.get_absolute_url(), reverse("checklists:matrix", args=[run.reference]), address(run, "step")):
        assert kept.get_absolute_url() in client.get(page).content.decode()
    told = [note.text for note in records.timeline(run.subject)]
    assert f"attached {kept.reference} to step 1 of “{run.name}”" in told


def test_sent_twice_it_is_kept_and_attached_once(client, amara):
    run, once = make_run(), str(uuid.uuid4())
    for _ in range(2):
        assert send(client, run, once=once).status_code == 302
    assert Evidence.objects.count() == RunEvent.objects.filter(what=What.ATTACHED).count() == 1


def test_what_is_refused_keeps_nothing_and_says_why(client, amara, folder):
    run = make_run()
    answer = send(client, run, b"")
    assert answer.status_code == 422
    assert not Evidence.objects.exists()
    assert not RunEvent.objects.filter(what=What.ATTACHED).exists()
    assert send(client, run, source="").status_code == 422
    assert not Evidence.objects.exists()


def test_only_whoever_works_checklists_and_adds_evidence_sends_one(client, amara):
    run = make_run()
    client.force_login(make_user(roles=["auditor"]))
    assert send(client, run).status_code in {403, 404}
    assert not Evidence.objects.exists()


def test_a_run_for_no_record_has_no_evidence(client, amara):
    run = make_run(subject=None)
    assert send(client, run).status_code == 404
    assert address(run) not in client.get(address(run, "step")).content.decode()


def test_a_form_without_its_token_is_refused(amara):
    run, strict = make_run(), Client(enforce_csrf_checks=True)
    strict.force_login(amara)
    assert send(strict, run).status_code == 403
    assert not Evidence.objects.exists()
