import copy
import pickle
import uuid
from datetime import UTC, datetime, time

import pytest
from django.contrib.auth.models import Group
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Upper

from portal.accounts.models import User
from portal.audit.actor import Actor, acting
from portal.audit.bulk import bulk_create_audited
from portal.audit.models import HistoryBypassed, Unattributed, _kept
from portal.directory.models import Calendar, Contact, EmergencyContact, Team
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_contact, make_system, make_team

pytestmark = pytest.mark.django_db


BEFORE = {}


@pytest.fixture(autouse=True)
def _reference_data_stands(db):
    """Remember what the reference data left in history: the tests ask only what came since."""
    for model in (Calendar, Team, User):
        newest = last(model)
        BEFORE[model] = newest.pk if newest else 0


def since(model):
    return model.history.filter(history_id__gt=BEFORE[model]).order_by("history_id")


def kinds(model):
    return list(since(model).values_list("history_type", flat=True))


def last(model):
    return model.history.order_by("-history_id").first()


@pytest.fixture
def calendar():
    with acting(by="setup"):
        return Calendar.objects.create(name="Works")


class TestWhatARowSays:
    def test_it_names_actor_origin_address_gesture_reason_and_moment(self, calendar):
        moment = datetime(2026, 11, 17, 12, tzinfo=UTC)
        by = Actor("Amara Okafor", user_id=7, contact_id=9)
        with acting(by=by, reason="moved", origin="web", address="192.0.2.1", at=moment) as context:
            calendar.name = "Head office"
            calendar.save()
        row = last(Calendar)
        assert (row.actor_name, row.history_user_id, row.actor_contact_id) == ("Amara Okafor", 7, 9)
        assert (row.origin, row.remote_address, row.history_change_reason) == ("web", "192.0.2.1", "moved")
        assert (row.gesture, row.history_date) == (context.gesture, moment)
        assert (row.history_type, row.name) == ("~", "Head office")

    def test_the_actor_outlives_the_account_as_values(self, calendar):
        row = last(Calendar)
        assert row.history_user is row.history_user_id
        assert not Calendar.history.model._meta.get_field("history_user_id").is_relation

    def test_rows_of_one_act_share_its_gesture(self):
        with acting(by="somebody", anew=True) as context:
            contact = make_contact()
            contact.title = "Engineer"
            contact.save()
        assert set(contact.history.values_list("gesture", flat=True)) == {context.gesture}

    def test_a_write_that_nobody_attributed_names_its_way_in(self, calendar, nobody, monkeypatch):
        monkeypatch.setattr(Calendar, "privileged", False)
        calendar.name = "Head office"
        calendar.save()
        row = last(Calendar)
        assert row.actor_name.startswith("unattributed: test_models.test_a_write") or "test_models" in row.actor_name
        assert (row.gesture, row.history_user_id) == (None, None)

    def test_a_privileged_row_is_not_changed_by_nobody(self, calendar, nobody):
        calendar.name = "Head office"
        with pytest.raises(Unattributed, match="Nobody is named as the actor of this change to calendar"):
            calendar.save()
        assert Calendar.objects.get(pk=calendar.pk).name == "Works"

    def test_nor_added_deleted_or_related(self, calendar, nobody):
        with acting(by="setup"):
            team, contact = make_team(), make_contact()
        for write in (
            lambda: Calendar.objects.create(name="Other"),
            calendar.delete,
            lambda: Calendar.objects.filter(pk=calendar.pk).delete(),
            lambda: team.members.add(contact),
            lambda: contact.teams.add(team),
        ):
            with pytest.raises(Unattributed), transaction.atomic():
                write()
        assert Calendar.objects.filter(pk=calendar.pk).exists()
        assert not team.members.exists()


class TestOneRowForOneChange:
    def test_adding_changing_and_deleting(self, calendar):
        calendar.name = "Head office"
        calendar.save()
        calendar.delete()
        assert kinds(Calendar) == ["+", "~", "-"]

    def test_saving_what_stands_writes_nothing(self, calendar, django_assert_num_queries):
        fresh = Calendar.objects.get(pk=calendar.pk)
        with django_assert_num_queries(0):
            fresh.save()
            calendar.save()
        assert kinds(Calendar) == ["+"]

    def test_a_value_that_means_the_same_is_no_change(self, calendar):
        assert calendar.opens == "09:00"
        calendar.opens = time(9)
        calendar.save()
        assert kinds(Calendar) == ["+"]

    def test_a_stale_copy_that_was_not_changed_writes_nothing_back(self, calendar):
        stale = Calendar.objects.get(pk=calendar.pk)
        calendar.name = "Head office"
        calendar.save()
        stale.save()
        assert Calendar.objects.get(pk=calendar.pk).name == "Head office"

    def test_only_what_was_saved_is_recorded(self, calendar):
        calendar.name, calendar.country = "Head office", "GB"
        calendar.save(update_fields=["country"])
        assert (last(Calendar).name, last(Calendar).country) == ("Works", "GB")
        calendar.save()
        assert (last(Calendar).name, last(Calendar).country) == ("Head office", "GB")
        assert kinds(Calendar) == ["+", "~", "~"]

    def test_loading_a_deferred_field_does_not_hide_a_change(self, calendar):
        part = Calendar.objects.only("name").get(pk=calendar.pk)
        part.name = "Head office"
        assert part.country == ""
        part.save()
        assert (kinds(Calendar), last(Calendar).name) == (["+", "~"], "Head office")

    def test_reloading_forgets_what_was_not_saved(self, calendar):
        calendar.name = "Head office"
        calendar.refresh_from_db()
        calendar.save()
        assert kinds(Calendar) == ["+"]

    def test_a_copy_saved_as_new_is_added(self, calendar):
        double = copy.copy(calendar)
        double.pk, double.name, double._state.adding = None, "Branch", True
        double.save()
        assert kinds(Calendar) == ["+", "+"]
        assert pickle.loads(pickle.dumps(double)).changed_fields() == []

    def test_a_foreign_key_is_followed_by_its_id(self):
        system, team = make_system(), make_team()
        system.owner = team
        system.save()
        assert system.history.first().owner_id == team.pk

    def test_history_costs_one_insert(self, calendar, django_assert_num_queries):
        calendar.name = "Head office"
        with django_assert_num_queries(2):
            calendar.save()

    def test_row_and_history_stand_or_fall_together(self, calendar, monkeypatch):
        def fail(*args, **kwargs):
            raise IntegrityError

        monkeypatch.setattr(Calendar.history.model, "save", fail)
        calendar.name = "Head office"
        with pytest.raises(IntegrityError), transaction.atomic():
            calendar.save()
        assert Calendar.objects.get(pk=calendar.pk).name == "Works"


class TestRelations:
    def members(self, row):
        return set(row.members.values_list("contact_id", flat=True))

    def test_a_change_of_relations_alone_is_recorded_with_all_of_them(self):
        team, one, two = make_team(), make_contact(), make_contact()
        team.members.add(one)
        team.members.add(two)
        team.members.remove(one)
        assert kinds(Team) == ["+", "~", "~", "~"]
        rows = since(Team)
        assert [self.members(row) for row in rows] == [set(), {one.pk}, {one.pk, two.pk}, {two.pk}]

    def test_nothing_changed_is_not_recorded(self):
        team, one, two = make_team(), make_contact(), make_contact()
        team.members.add(one)
        team.members.add(one)
        team.members.remove(two)
        team.members.set([one])
        assert kinds(Team) == ["+", "~"]
        team.members.clear()
        team.members.clear()
        assert kinds(Team) == ["+", "~", "~"]

    def test_the_other_side_records_the_row_that_owns_the_relation(self):
        one, team, other = make_contact(), make_team(), make_team()
        one.teams.add(team, other)
        assert [self.members(row) for row in (team.history.first(), other.history.first())] == [{one.pk}, {one.pk}]
        one.teams.remove(team)
        assert self.members(team.history.first()) == set()
        one.teams.clear()
        assert self.members(other.history.first()) == set()
        assert one.history.count() == 1

    def test_a_role_given_from_the_group_is_recorded_on_the_account(self):
        user = make_user()
        Group.objects.get(name="Auditor").user_set.add(user)
        assert user.history.first().groups.count() == 1

    def test_relations_do_not_record_what_was_not_saved(self):
        team, one = make_team(name="Ops"), make_contact()
        team.name = "Unsaved"
        team.members.add(one)
        assert last(Team).name == "Ops"

    def test_saving_a_row_keeps_its_relations(self):
        team, one = make_team(), make_contact()
        team.members.add(one)
        team.name = "Renamed"
        team.save()
        assert self.members(last(Team)) == {one.pk}


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
        with acting(by="importer", reason="first load", anew=True) as context, django_assert_num_queries(2):
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


class TestAccounts:
    def test_secrets_stay_out_of_history(self):
        names = {f.name for f in User.history.model._meta.get_fields()}
        assert not names & {"password", "last_login"}

    def test_signing_in_is_no_change(self):
        user = make_user()
        user.last_login = datetime(2026, 11, 17, tzinfo=UTC)
        user.save()
        assert kinds(User) == ["+"]
        assert User.objects.get(pk=user.pk).last_login == user.last_login

    def test_a_new_password_is_an_event_without_its_value(self):
        user = make_user()
        with acting(by=user, reason="I forgot it"):
            user.set_password("another " + PASSWORD)
            user.save()
        row = last(User)
        assert (row.history_type, row.history_change_reason) == ("~", "Password changed. I forgot it")
        assert row.actor_name == user.username

    def test_a_hash_renewed_at_sign_in_says_so(self, settings):
        user = make_user()
        settings.PASSWORD_HASHERS = [
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        assert user.check_password(PASSWORD)
        assert last(User).history_change_reason == "Password stored anew"


def test_gestures_are_uuids(calendar):
    assert isinstance(last(Calendar).gesture, uuid.UUID)


def test_a_value_changed_in_place_is_seen():
    value = {"a": [1]}
    kept = _kept(value)
    value["a"].append(2)
    assert kept == {"a": [1]}


def test_a_fixture_is_refused(calendar, tmp_path):
    path = tmp_path / "calendars.json"
    path.write_text(serializers.serialize("json", Calendar.objects.filter(pk=calendar.pk)))
    with pytest.raises(HistoryBypassed, match="a fixture would leave no history"):
        call_command("loaddata", str(path), verbosity=0)
