"""A packet of rows whose words were removed verifies, says what it no longer proves, and vouches for no other hole."""

from datetime import timedelta

import pytest
from django.db import connection

from portal.audit import guards, retention
from portal.audit.models import Seal, TrailRow
from portal.audit.sealing import seal
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact
from tests.factories.packets import make_packet, packet_file

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def contact():
    found = make_contact("Giovanna Verdi", reachable=False)
    first, second = make_user(roles=["administrator"]), make_user(roles=["administrator"])
    now = clock.now()
    seal(at=now)
    positions = retention.positions_of("directory.contact", str(found.pk))
    request = retention.ask(positions=positions, by=first, at=now, reason="Article 17")
    retention.confirm(request, by=second, at=now)
    return found


def whole(size, since):
    """A packet of everything since the contact was made; what the migrations wrote is older."""
    starts = since.history.earliest().history_date
    return make_packet(starts=starts, ends=starts + timedelta(days=1), size=size)


def test_a_packet_with_removed_words_verifies_and_says_what_it_does_not_prove(contact, check):
    code, said = check(packet_file(whole(500, contact)))
    assert code == 0, said
    assert "a tombstone has destroyed their words" in said


def test_a_packet_does_not_vouch_for_a_salt_that_was_destroyed_by_hand(contact):
    row = TrailRow.objects.exclude(actor_name="[removed]").earliest("pk")
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_seal SET salt = NULL WHERE source = 'audit.trailrow' AND row_id = %s", [row.pk])
    assert Seal.objects.get(source="audit.trailrow", row_id=row.pk).salt is None
    export = whole(5, contact)
    assert export.state == "failed"
    assert f"(audit.trailrow {row.pk}) is not as it was sealed" in export.error
