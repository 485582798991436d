"""Evidence that is damaged or not read again is told where administrators look, and a reference leads to its page."""

from datetime import timedelta

import pytest

from portal.dashboard import watchdog
from portal.lib import clock
from portal.records.evidence import storing, verifying
from tests.factories.accounts import make_superuser
from tests.factories.evidence import make_evidence

pytestmark = pytest.mark.django_db


def kinds(at):
    return {alarm.kind for alarm in watchdog.alarms(at=at)}


def test_damaged_and_unread_evidence_is_told_until_it_is_whole_again(client, settings, tmp_path):
    settings.DATA_FOLDER = tmp_path
    now = clock.now()
    item = make_evidence(at=now, acquired_at=now)
    assert not {"damaged-evidence", "unread-evidence"} & kinds(now)
    assert "unread-evidence" in kinds(now + timedelta(days=3))
    path = storing.path_of(item.stored.digest)
    content = path.read_bytes()
    path.unlink()
    verifying.read_again(item.stored, now=lambda: now)
    assert "damaged-evidence" in kinds(now)
    assert client.get("/healthz/").json()["damaged_evidence"] == 1
    client.force_login(make_superuser())
    assert "1 file of evidence is altered or missing" in client.get("/readiness/").content.decode()
    path.write_bytes(content)
    verifying.read_again(item.stored, now=lambda: now)
    assert "damaged-evidence" not in kinds(now)
    assert client.get("/jump/", {"q": item.reference.lower().replace("-", " ")}).url == item.get_absolute_url()
