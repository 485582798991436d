"""What the database sees of a tombstone: nobody else an open guard, no other role the right, its files no words."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, connections, transaction

from portal.audit import guards, retention
from portal.audit.guards import roles
from portal.audit.models import TrailRow
from portal.audit.sealing import seal
from portal.audit.verifying import verify
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact
from tests.factories.retention import ask, make_tombstone

POSTGRESQL = connection.vendor == "postgresql"


@pytest.mark.django_db(transaction=True)
def test_the_files_of_the_database_forget_the_words():
    contact = make_contact("Giovanna Verdi", reachable=False)
    contact.name = "Former colleague"
    contact.save()
    seal(at=NOON)
    made = make_tombstone(contact)
    retention.forget(made)
    assert guards.missing() == []
    report = verify(at=NOON)
    assert report.tombstones == 2
    if not POSTGRESQL:
        connections.close_all()
        held = Path(settings.DATABASES["default"]["NAME"]).read_bytes()
        assert b"Former colleague" in held
        assert b"Giovanna" not in held


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not POSTGRESQL, reason="on SQLite nobody else writes meanwhile")
def test_nobody_else_sees_the_open_rows():
    make_contact()
    row, refused = TrailRow.objects.latest("pk"), []

    def elsewhere():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
                cursor.execute("UPDATE audit_trail SET reason = 'x' WHERE id = %s", [row.pk])
        except IntegrityError as problem:
            refused.append(str(problem))
        finally:
            connections.close_all()

    with transaction.atomic(), guards.open_rows({"audit_trail": ("id", [row.pk])}):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert "are kept for good: UPDATE is refused" in refused[0]


@pytest.mark.django_db
@pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL knows roles")
def test_the_portals_own_role_may_not_and_is_told_what_to_do():
    contact = make_contact()
    first, second = make_user(), make_user()
    seal(at=NOON)
    request = ask(contact, first)
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE clerk")
    roles.grant("default", "clerk")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE clerk")
    assert not guards.may_open()
    with pytest.raises(
        retention.NotTheOwner, match=r"Run this where MIGRATION_DATABASE_URL is set .* tombstone confirm"
    ):
        retention.confirm(request, by=second, at=NOON)
