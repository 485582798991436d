"""A timeline is written once: no way through the ORM changes or deletes a note."""

import pytest

from portal.audit.facts import AppendOnly
from portal.records.models import Note
from tests.factories.directory import make_system
from tests.factories.records import make_note_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "bend",
    [
        lambda note: note.save(),
        lambda note: note.delete(),
        lambda note: Note.objects.filter(pk=note.pk).update(text="other"),
        lambda note: Note.objects.filter(pk=note.pk).delete(),
        lambda note: Note.objects.bulk_update([note], ["text"]),
    ],
    ids=["save", "delete", "update", "delete many", "bulk update"],
)
def test_a_note_is_never_changed_or_deleted(bend):
    note = make_note_of(make_system())
    with pytest.raises(AppendOnly):
        bend(note)


def test_a_correction_is_a_new_note():
    system = make_system()
    wrong = make_note_of(system, "at noon")
    right = make_note_of(system, "at one", corrects=wrong)
    assert list(wrong.corrections.all()) == [right]
