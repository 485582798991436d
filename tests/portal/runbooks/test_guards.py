"""What the database itself keeps of versions, whoever writes."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories.anything import NOON, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def published():
    version = make("runbooks.RunbookVersion", text="# Once\n")
    for state, more in (
        ("in_review", {"submitted_at": NOON, "submitted_by": "Ann"}),
        ("published", {"published_at": NOON, "published_by": "Ben"}),
    ):
        version.state = state
        for name, value in more.items():
            setattr(version, name, value)
        version.save()
    return version


def refused(statement, *values):
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(caught.value)


def test_what_was_published_never_changes(published):
    said = refused("UPDATE runbooks_runbookversion SET text = 'other' WHERE id = %s", published.pk)
    assert "what was published never changes" in said


def test_what_was_published_is_never_deleted(published):
    said = refused("DELETE FROM runbooks_runbookversion WHERE id = %s", published.pk)
    assert "what was published is never deleted" in said


def test_a_state_moves_only_where_a_verb_leads(published):
    said = refused("UPDATE runbooks_runbookversion SET state = 'draft' WHERE id = %s", published.pk)
    assert "no verb leads there" in said


def test_the_text_of_a_draft_is_free():
    version = make("runbooks.RunbookVersion", text="# Once\n")
    version.text = "# Twice\n"
    version.save()
    assert type(version).objects.get(pk=version.pk).text == "# Twice\n"
