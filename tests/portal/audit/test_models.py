import copy
import pickle
import uuid
from datetime import UTC, datetime, time

import pytest
from django.db import IntegrityError, transaction

from portal.accounts.models import User
from portal.audit import actor
from portal.audit.actor import Actor, acting
from portal.audit.models import Unattributed, _kept
from portal.directory.models import Calendar, Team
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_contact, make_system, make_team
from tests.factories.history import kinds, last

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


def test_gestures_are_uuids(calendar):
    assert isinstance(last(Calendar).gesture, uuid.UUID)


def test_a_value_changed_in_place_is_seen():
    value = {"a": [1]}
    kept = _kept(value)
    value["a"].append(2)
    assert kept == {"a": [1]}


@pytest.mark.django_db(transaction=True)
class TestWithoutAnOuterTransaction:
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
