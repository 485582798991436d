import copy
import pickle
import threading
import uuid
from datetime import UTC, datetime, time

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from portal.accounts.models import User
from portal.audit import actor
from portal.audit.actor import Actor, acting
from portal.audit.bulk import bulk_create_audited
from portal.audit.models import Difference, TrailRow, Unattributed, _kept
from portal.audit.trail import LONGEST_VALUE
from portal.directory.models import Calendar, Team
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_contact, make_system, make_team
from tests.factories.history import kinds, last
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins")]


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
        with acting(by="setup", reason="A test"):
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

    def test_history_and_trail_cost_an_insert_each(self, calendar, django_assert_num_queries):
        calendar.name = "Head office"
        with django_assert_num_queries(3):
            calendar.save()

    def test_row_and_history_stand_or_fall_together(self, calendar, monkeypatch):
        def fail(*args, **kwargs):
            raise IntegrityError

        monkeypatch.setattr(Calendar.history.model, "save", fail)
        calendar.name = "Head office"
        with pytest.raises(IntegrityError), transaction.atomic():
            calendar.save()
        assert Calendar.objects.get(pk=calendar.pk).name == "Works"


def told(row):
    """Return the differences in the newest row of the trail of this record."""
    return TrailRow.objects.filter(model=row._meta.label_lower, object_id=str(row.pk)).latest("id").differences


def rows_of(row):
    return TrailRow.objects.filter(model=row._meta.label_lower, object_id=str(row.pk)).count()


class TestAStaleCopy:
    """Somebody else saved the row since it was loaded."""

    @pytest.fixture
    def stale(self, calendar):
        copy = Calendar.objects.get(pk=calendar.pk)
        calendar.name, calendar.country = "Head office", "GB"
        calendar.save()
        return copy

    def test_it_brings_no_old_value_back(self, calendar, stale):
        stale.country = "FR"
        stale.save()
        stands = Calendar.objects.get(pk=calendar.pk)
        assert (stands.name, stands.country) == ("Head office", "FR")

    def test_its_history_row_is_what_stands(self, stale):
        stale.opens = time(8)
        stale.save()
        row = last(Calendar)
        assert (row.name, row.country, row.opens) == ("Head office", "GB", time(8))
        assert told(stale) == [Difference("opens", "09:00:00", "08:00:00")]

    @pytest.mark.parametrize("options", [{}, {"update_fields": ["name"]}, {"update_fields": ["name", "country"]}])
    def test_the_old_value_is_told_as_it_stood(self, stale, options):
        stale.name = "Branch"
        stale.save(**options)
        assert told(stale) == [Difference("name", "Head office", "Branch")]
        assert (last(Calendar).name, last(Calendar).country) == ("Branch", "GB")

    def test_what_stands_already_is_no_change(self, stale):
        stale.name = "Head office"
        before = rows_of(stale)
        stale.save()
        assert (rows_of(stale), kinds(Calendar)) == (before, ["+", "~"])
        assert stale.changed_fields() == []

    def test_a_forced_save_writes_all_of_it_and_tells_all_of_it(self, stale):
        stale.save(force_update=True)
        assert told(stale) == [Difference("name", "Head office", "Works"), Difference("country", "GB", None)]
        assert Calendar.objects.get(pk=stale.pk).name == "Works"

    def test_a_row_that_was_deleted_does_not_come_back(self, calendar, stale):
        calendar.delete()
        stale.name = "Branch"
        with pytest.raises(DatabaseError), transaction.atomic():
            stale.save()
        assert kinds(Calendar) == ["+", "~", "-"]

    def test_deleting_it_tells_what_stood(self, stale):
        stale.name = "Never saved"
        key = stale.pk
        stale.delete()
        row = TrailRow.objects.filter(model="directory.calendar", object_id=str(key)).latest("id")
        assert Difference("name", "Head office", None) in row.differences
        assert (last(Calendar).name, last(Calendar).country) == ("Head office", "GB")

    def test_a_closed_account_stays_closed(self):
        user = make_user()
        stale = User.objects.get(pk=user.pk)
        user.is_active = False
        user.save()
        stale.time_zone = "Europe/Berlin"
        stale.save()
        stands = User.objects.get(pk=user.pk)
        assert (stands.is_active, stands.time_zone) == (False, "Europe/Berlin")
        assert (last(User).is_active, last(User).time_zone) == (False, "Europe/Berlin")


class TestWhatIsNotKnown:
    def test_the_old_value_of_a_deferred_field_is_read(self, calendar):
        part = Calendar.objects.only("pk").get(pk=calendar.pk)
        part.name = "Head office"
        part.save()
        assert told(calendar) == [Difference("name", "Works", "Head office")]
        assert last(Calendar).opens == time(9)

    def test_a_deferred_field_set_to_what_stands_is_no_change(self, calendar):
        part = Calendar.objects.only("pk").get(pk=calendar.pk)
        part.name = "Works"
        part.save()
        assert (rows_of(calendar), kinds(Calendar)) == (1, ["+"])

    def test_a_row_made_by_hand_over_another_is_told_against_it(self, calendar):
        Calendar(pk=calendar.pk, name="Head office").save()
        assert told(calendar) == [Difference("name", "Works", "Head office")]
        assert kinds(Calendar) == ["+", "~"]

    def test_a_key_that_was_never_stored_is_added(self):
        Calendar(pk=987654, name="Branch").save()
        assert (kinds(Calendar), last(Calendar).name) == (["+"], "Branch")

    def test_a_row_that_is_given_the_key_of_another_is_told_against_that(self, calendar):
        other = Calendar.objects.create(name="Branch")
        calendar.pk = other.pk
        calendar.name = "Office"
        calendar.save()
        assert told(other) == [Difference("name", "Branch", "Office")]

    def test_a_key_taken_away_adds_a_row(self, calendar):
        calendar.pk, calendar.name = None, "Branch"
        calendar.save()
        assert (kinds(Calendar), Calendar.objects.filter(name__in=["Works", "Branch"]).count()) == (["+", "+"], 2)


class TestWhatWasRolledBack:
    def roll_back(self, row, **values):
        with transaction.atomic():
            for name, value in values.items():
                setattr(row, name, value)
            row.save()
            transaction.set_rollback(True)

    def test_saving_again_writes(self, calendar):
        self.roll_back(calendar, name="Head office")
        calendar.save()
        assert Calendar.objects.get(pk=calendar.pk).name == "Head office"
        assert told(calendar) == [Difference("name", "Works", "Head office")]

    def test_a_value_that_never_stood_is_not_told(self, calendar):
        self.roll_back(calendar, name="Head office")
        calendar.name, calendar.country = "Works", "GB"
        calendar.save()
        assert told(calendar) == [Difference("country", None, "GB")]

    def test_only_what_was_rolled_back_is_forgotten(self, calendar):
        calendar.country = "GB"
        calendar.save()
        self.roll_back(calendar, name="Head office")
        assert calendar.changed_fields() == ["name"]
        calendar.save()
        assert told(calendar) == [Difference("name", "Works", "Head office")]

    def test_a_row_that_was_added_is_added_again(self):
        row = Calendar(name="Branch")
        self.roll_back(row)
        row.save()
        assert (kinds(Calendar), last(Calendar).name) == (["+"], "Branch")

    def test_rows_added_together_are_unknown_again(self, calendar):
        row = Calendar(name="Branch")
        with transaction.atomic():
            bulk_create_audited(Calendar, [row])
            transaction.set_rollback(True)
        assert "name" in row.changed_fields()

    def test_an_inner_savepoint_that_stands_falls_with_the_outer_one(self, calendar):
        with transaction.atomic():
            with transaction.atomic():
                calendar.name = "Head office"
                calendar.save()
            assert calendar.changed_fields() == []
            transaction.set_rollback(True)
        assert calendar.changed_fields() == ["name"]

    def test_reloading_does_not_bring_it_back(self, calendar):
        self.roll_back(calendar, name="Head office")
        calendar.refresh_from_db()
        assert (calendar.name, calendar.changed_fields()) == ("Works", [])

    def test_copies_forget_it_too(self, calendar):
        with transaction.atomic():
            calendar.name = "Head office"
            calendar.save()
            double = copy.deepcopy(calendar)
            transaction.set_rollback(True)
        assert double.changed_fields() == ["name"]


class TestLongValues:
    def test_texts_that_differ_late_are_told_where_they_part(self):
        incident = make_incident()
        incident.description = "x" * 2500 + "A" + "y" * 3000
        incident.save()
        incident.description = "x" * 2500 + "B" + "y" * 3000
        incident.save()
        (found,) = told(incident)
        assert found.old != found.new
        assert ("xA" in found.old, "xB" in found.new) == (True, True)
        assert max(len(found.old), len(found.new)) <= LONGEST_VALUE

    def test_what_is_added_to_a_long_text_is_told(self):
        incident = make_incident(description="x" * 2500)
        incident.description += " and more"
        incident.save()
        (found,) = told(incident)
        assert (found.old[0], found.old[-1], found.new[-9:]) == ("…", "x", " and more")

    @pytest.mark.parametrize("length", [LONGEST_VALUE - 2, LONGEST_VALUE - 1, LONGEST_VALUE, LONGEST_VALUE + 1])
    def test_texts_are_never_told_as_the_same(self, length):
        incident = make_incident(description="x" * length)
        incident.description += "y"
        incident.save()
        (found,) = told(incident)
        assert found.old != found.new


def test_a_row_that_goes_tells_whom_its_relations_named():
    team, contact = make_team(), make_contact("Amara Okafor")
    team.members.add(contact)
    key = team.pk
    team.delete()
    row = TrailRow.objects.filter(model="directory.team", object_id=str(key)).latest("id")
    assert Difference("members", f"Amara Okafor ({contact.pk})", None) in row.differences


def test_gestures_are_uuids(calendar):
    assert isinstance(last(Calendar).gesture, uuid.UUID)


def test_a_value_changed_in_place_is_seen():
    value = {"a": [1]}
    kept = _kept(value)
    value["a"].append(2)
    assert kept == {"a": [1]}


@pytest.mark.django_db(transaction=True)
class TestWithoutAnOuterTransaction:
    def test_a_transaction_that_was_rolled_back_is_forgotten_and_one_that_stands_is_not(self, calendar):
        calendar.country = "GB"
        calendar.save()
        calendar.name = "Head office"
        with transaction.atomic():
            calendar.save()
            transaction.set_rollback(True)
        assert calendar.changed_fields() == ["name"]
        calendar.save()
        assert calendar.changed_fields() == []
        assert told(calendar) == [Difference("name", "Works", "Head office")]

    def test_two_who_save_at_once_are_told_one_after_the_other(self, calendar):
        stale = Calendar.objects.get(pk=calendar.pk)

        def save():
            try:
                with acting(by="another", reason="At the same time"):
                    stale.name, stale.country = "Branch", "FR"
                    stale.save()
            finally:
                connections.close_all()

        other = threading.Thread(target=save)
        with transaction.atomic():
            calendar.name, calendar.opens = "Head office", time(8)
            calendar.save()
            other.start()
        other.join()
        assert told(stale) == [Difference("name", "Head office", "Branch"), Difference("country", None, "FR")]
        row = last(Calendar)
        assert (row.name, row.country, row.opens) == ("Branch", "FR", time(8))

    def test_a_row_whose_history_fails_is_not_changed(self, calendar, monkeypatch):
        def fail(*args, **kwargs):
            raise IntegrityError

        monkeypatch.setattr(Calendar.history.model, "save", fail)
        calendar.name = "Head office"
        with pytest.raises(IntegrityError):
            calendar.save()
        with pytest.raises(IntegrityError):
            Calendar.objects.create(name="Branch")
        with pytest.raises(IntegrityError):
            calendar.delete()
        assert Calendar.objects.get(pk=calendar.pk).name == "Works"
        assert not Calendar.objects.filter(name="Branch").exists()

    def test_a_relation_whose_history_fails_is_not_made(self, monkeypatch):
        team, contact = make_team(), make_contact()

        def fail(*args, **kwargs):
            raise IntegrityError

        monkeypatch.setattr(Team.history.model, "save", fail)
        for write in (lambda: team.members.add(contact), lambda: contact.teams.add(team)):
            with pytest.raises(IntegrityError):
                write()
        assert not team.members.exists()

    def test_a_password_is_not_changed_by_nobody(self):
        user = make_user()
        token = actor._acting.set(None)
        try:
            user.set_password("another long sentence 42")
            with pytest.raises(Unattributed):
                user.save()
        finally:
            actor._acting.reset(token)
        assert User.objects.get(pk=user.pk).check_password(PASSWORD)
