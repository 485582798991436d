import pytest
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Upper

from portal.audit.actor import acting
from portal.audit.bulk import bulk_create_audited
from portal.audit.models import HistoryBypassed, Unattributed
from portal.directory.models import Calendar, Contact, EmergencyContact
from tests.factories.directory import make_contact, make_system
from tests.factories.history import kinds, last, since

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins")]


class TestNoWayAround:
    @pytest.mark.parametrize(
        "write",
        [
            lambda rows: rows.update(name="x"),
            lambda rows: rows.bulk_create([Calendar(name="x")]),
            lambda rows: rows.bulk_update(list(rows), ["name"]),
            lambda rows: rows.filter(name="Works").update(name="x"),
            lambda rows: Calendar.objects.bulk_create([Calendar(name="x")]),
            lambda rows: Calendar._base_manager.update(name="x"),
        ],
    )
    def test_bulk_writes_are_refused_with_a_sentence(self, calendar, write):
        with pytest.raises(HistoryBypassed, match=r"Calendar is audited: .* would leave no history"):
            write(Calendar.objects.filter(pk=calendar.pk))
        calendar.refresh_from_db()
        assert calendar.name == "Works"

    @pytest.mark.parametrize("value", [F("country"), Upper("name")])
    def test_an_expression_is_refused(self, calendar, value):
        calendar.name = value
        with pytest.raises(HistoryBypassed, match="name: give Calendar a value"):
            calendar.save()

    def test_the_reverse_side_of_a_foreign_key_is_refused(self):
        system, other, contact = make_system(), make_system(), make_contact()
        row = EmergencyContact.objects.create(system=system, role="owner", contact=contact)
        for write in (lambda: other.emergency_contacts.add(row), lambda: other.emergency_contacts.set([row])):
            with pytest.raises(HistoryBypassed):
                write()
        row.refresh_from_db()
        assert row.system == system

    def test_the_library_offers_no_way_around(self, calendar):
        assert not hasattr(calendar, "save_without_historical_record")
        calendar.skip_history_when_saving = True
        calendar.name = "Head office"
        calendar.save()
        assert kinds(Calendar) == ["+", "~"]

    def test_deleting_many_leaves_a_row_for_each(self, calendar):
        Calendar.objects.create(name="Branch")
        Calendar.objects.filter(name__in=["Works", "Branch"]).delete()
        assert kinds(Calendar) == ["+", "+", "-", "-"]

    def test_history_is_never_edited_or_deleted(self, calendar):
        row = last(Calendar)
        row.actor_name = "somebody else"
        writes = (
            row.save,
            row.delete,
            Calendar.history.all().delete,
            lambda: Calendar.history.update(actor_name="x"),
            lambda: Calendar.history.bulk_update([row], ["actor_name"]),
            lambda: calendar.history.all().delete(),
        )
        for write in writes:
            with pytest.raises(HistoryBypassed, match="History is never"):
                write()
        assert last(Calendar).actor_name != "somebody else"

    def test_history_models_have_fields_of_their_own(self):
        one, two = Calendar.history.model, Contact.history.model
        for name in ("history_user_id", "history_change_reason", "history_id"):
            assert one._meta.get_field(name).model is one
            assert two._meta.get_field(name).model is two


class TestTheBulkPath:
    def test_it_writes_every_row_with_its_history(self, django_assert_num_queries):
        with acting(by="importer", reason="first load", anew=True) as context, django_assert_num_queries(3):
            rows = bulk_create_audited(Calendar, [Calendar(name="One"), Calendar(name="Two")])
        assert Calendar.objects.get(name="Two").pk == rows[1].pk
        history = since(Calendar)
        assert [(h.id, h.name, h.actor_name, h.history_type) for h in history] == [
            (rows[0].pk, "One", "importer", "+"),
            (rows[1].pk, "Two", "importer", "+"),
        ]
        assert {h.gesture for h in history} == {context.gesture}
        assert rows[0].changed_fields() == []

    def test_it_writes_all_or_nothing(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            bulk_create_audited(Calendar, [Calendar(name="One"), Calendar(name="One")])
        assert not Calendar.objects.filter(name="One").exists()
        assert not kinds(Calendar)

    def test_nobody_writes_privileged_rows(self, nobody):
        with pytest.raises(Unattributed):
            bulk_create_audited(Calendar, [Calendar(name="One")])
        assert not Calendar.objects.filter(name="One").exists()


def test_a_fixture_is_refused(calendar, tmp_path):
    path = tmp_path / "calendars.json"
    path.write_text(serializers.serialize("json", Calendar.objects.filter(pk=calendar.pk)))
    with pytest.raises(HistoryBypassed, match="a fixture would leave no history"):
        call_command("loaddata", str(path), verbosity=0)
