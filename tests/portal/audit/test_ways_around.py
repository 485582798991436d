"""Each known way around django-simple-history: refused, recorded all the same, or found by reconciliation."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from celery import shared_task
from django.contrib.auth.models import Group
from django.core import serializers
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from simple_history.utils import bulk_create_with_history, bulk_update_with_history, update_change_reason

from incidents.models import Incident
from portal.accounts.models import User
from portal.audit import reconciling
from portal.audit.actor import acting
from portal.audit.bulk import bulk_create_audited
from portal.audit.decorators import as_system
from portal.audit.models import HistoryBypassed, ReasonMissing, TrailRow, Unattributed
from portal.directory.models import Calendar, Contact, EmergencyContact, Team
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_system, make_team
from tests.factories.history import kinds, last
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins"), pytest.mark.slow]


def works():
    return Calendar.objects.get(name="Works")


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def found():
    """Reconcile everything, and return what does not agree."""
    row = reconciling.begin(by="test", at=clock.now())
    reconciling.run(row, now=clock.now, settle=lambda row, at: None, tell=lambda row: None)
    return reconciling.last_run().findings


def awaited(function):
    """Return what runs an async method from here, also while a browser of other tests keeps a loop on this thread."""

    async def wait(*args, **kwargs):
        return await function(*args, **kwargs)

    def run(*args, **kwargs):
        running = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            return async_to_sync(wait)(*args, **kwargs)
        finally:
            asyncio._set_running_loop(running)

    return run


def renamed(calendar, name="x"):
    calendar.name = name
    return calendar


def team_of(*people):
    return make_team(members=list(people))


# Refused by the ORM: nothing is written.
REFUSED = {
    "update": lambda: Calendar.objects.update(name="x"),
    "update of a filtered set": lambda: Calendar.objects.filter(name="Works").update(name="x"),
    "update with an F expression": lambda: Calendar.objects.update(name=F("country")),
    "update through the base manager": lambda: Calendar._base_manager.update(name="x"),
    "update through a related manager": lambda: make_system().emergency_contacts.update(role="x"),
    "aupdate": lambda: awaited(Calendar.objects.aupdate)(name="x"),
    "bulk_update": lambda: Calendar.objects.bulk_update([renamed(works())], ["name"]),
    "abulk_update": lambda: awaited(Calendar.objects.abulk_update)([renamed(works())], ["name"]),
    "bulk_create": lambda: Calendar.objects.bulk_create([Calendar(name="x")]),
    "abulk_create": lambda: awaited(Calendar.objects.abulk_create)([Calendar(name="x")]),
    "bulk_create that updates": lambda: Calendar.objects.bulk_create(
        [Calendar(name="Works", country="GB")],
        update_conflicts=True,
        update_fields=["country"],
        unique_fields=["name"],
    ),
    "bulk_create_with_history of the library": lambda: bulk_create_with_history([Calendar(name="x")], Calendar),
    "bulk_update_with_history of the library": lambda: bulk_update_with_history([renamed(works())], Calendar, ["name"]),
    "update_change_reason of the library": lambda: update_change_reason(works(), "Another one"),
    "_raw_delete": lambda: Calendar.objects.filter(name="Works")._raw_delete("default"),
    "an F expression in save": lambda: renamed(works(), F("country")).save(),
    "an F expression in update_or_create": lambda: Calendar.objects.update_or_create(
        name="Works", defaults={"country": F("name")}
    ),
    "an F expression in create": lambda: Calendar.objects.create(name="x", country=F("name")),
    "save_base as a fixture does": lambda: models.Model.save_base(renamed(works()), raw=True),
    "a fixture": lambda: [
        row.save() for row in serializers.deserialize("json", serializers.serialize("json", [renamed(works())]))
    ],
    "the reverse side of a foreign key": lambda: make_system().emergency_contacts.set(EmergencyContact.objects.all()),
    "history edited": lambda: Calendar.history.update(name="x"),
    "history deleted": lambda: Calendar.history.all().delete(),
}


@pytest.mark.parametrize("way", REFUSED)
def test_it_is_refused_and_nothing_is_written(calendar, way):
    EmergencyContact.objects.create(system=make_system(), role="owner", contact=make_contact())
    before = list(Calendar.objects.values()), kinds(Calendar)
    with pytest.raises((HistoryBypassed, TypeError)), transaction.atomic():
        REFUSED[way]()
    assert (list(Calendar.objects.values()), kinds(Calendar)) == before
    assert found() == []


def skipping(calendar):
    calendar.skip_history_when_saving = True
    renamed(calendar).save()


# Recorded all the same: the history row is there, with its row of the trail.
RECORDED = {
    "skip_history_when_saving": lambda: skipping(works()),
    "asave": lambda: awaited(renamed(works()).asave)() or True,
    "update_or_create": lambda: Calendar.objects.update_or_create(name="Works", defaults={"name": "x"}),
    "aupdate_or_create": lambda: awaited(Calendar.objects.aupdate_or_create)(name="Works", defaults={"name": "x"}),
    "get_or_create": lambda: Calendar.objects.get_or_create(name="x"),
    "acreate": lambda: awaited(Calendar.objects.acreate)(name="x"),
    "bulk_create_audited": lambda: bulk_create_audited(Calendar, [Calendar(name="x")]),
    "delete of a row": lambda: works().delete(),
    "delete of a set": lambda: Calendar.objects.filter(name="Works").delete(),
    "adelete": lambda: awaited(works().adelete)() or True,
    "save_base inside a transaction": lambda: renamed(works()).save_base(),
    "an instance of the history saved": lambda: renamed(works().history.first().instance).save(),
}


@pytest.mark.parametrize("way", RECORDED)
def test_it_leaves_its_row_of_history_and_trail(calendar, way):
    before, told = len(kinds(Calendar)), TrailRow.objects.count()
    RECORDED[way]()
    assert (len(kinds(Calendar)), TrailRow.objects.count()) == (before + 1, told + 1)
    assert found() == []


def test_nothing_switches_history_off(calendar, settings):
    settings.SIMPLE_HISTORY_ENABLED = False
    renamed(calendar).save()
    assert kinds(Calendar) == ["+", "~"]


# Past the ORM's refusals, or past the ORM: found by reconciliation.
FOUND = {
    "update on a plain QuerySet": lambda: models.QuerySet(Calendar).filter(name="Works").update(name="x"),
    "bulk_create on a plain QuerySet": lambda: models.QuerySet(Calendar).bulk_create([Calendar(name="x")]),
    "bulk_update on a plain QuerySet": lambda: models.QuerySet(Calendar).bulk_update([renamed(works())], ["name"]),
    "_raw_delete on a plain QuerySet": lambda: models.QuerySet(Calendar).filter(name="Works")._raw_delete("default"),
    "_update, Django's own": lambda: Calendar.objects.filter(name="Works")._update(
        [(Calendar._meta.get_field("name"), None, "x")]
    ),
    "raw SQL that edits": lambda: sql("UPDATE directory_calendar SET name = 'x' WHERE name = 'Works'"),
    "raw SQL that deletes": lambda: sql("DELETE FROM directory_calendar WHERE name = 'Works'"),
    "raw SQL that adds": lambda: sql(
        "INSERT INTO directory_calendar (name, time_zone, weekdays, opens, closes, country, subdivision) "
        "VALUES ('x', 'UTC', '0', '09:00:00', '17:00:00', '', '')"
    ),
    "a relation through its own model": lambda: Team.members.through.objects.create(
        team=Team.objects.first(), contact=Contact.objects.first()
    ),
    "a relation taken away through its own model": lambda: Team.members.through.objects.filter(
        team__name="Nights"
    ).delete(),
    "a history row of one's own making": lambda: Calendar.history.model.objects.bulk_create(
        [Calendar.history.model(history_type="~", history_date=clock.now(), actor_name="nobody", id=1, name="x")]
    ),
}


@pytest.mark.parametrize("way", FOUND)
def test_it_is_found_by_reconciliation(calendar, way):
    make_team(name="Nights", members=[make_contact()])
    assert found() == []
    FOUND[way]()
    assert found()


class TestRelations:
    """A relation is recorded from either side, whichever verb ends or begins it."""

    @pytest.mark.parametrize(
        "write",
        [
            lambda team, ada, mei: team.members.add(mei),
            lambda team, ada, mei: mei.teams.add(team),
            lambda team, ada, mei: team.members.remove(ada),
            lambda team, ada, mei: ada.teams.remove(team),
            lambda team, ada, mei: team.members.set([mei]),
            lambda team, ada, mei: ada.teams.set([]),
            lambda team, ada, mei: team.members.clear(),
            lambda team, ada, mei: ada.teams.clear(),
            lambda team, ada, mei: team.members.create(name="New"),
            lambda team, ada, mei: team.members.get_or_create(name="New"),
            lambda team, ada, mei: awaited(team.members.aadd)(mei),
            lambda team, ada, mei: ada.delete(),
        ],
    )
    def test_history_holds_what_stands(self, write):
        ada, mei = make_contact("Ada", reachable=False), make_contact("Mei")
        team = team_of(ada)
        before = team.history.count()
        write(team, ada, mei)
        assert team.history.count() > before
        assert {row.contact_id for row in team.history.first().members.all()} == set(
            team.members.values_list("pk", flat=True)
        )
        assert found() == []

    def test_a_role_that_is_deleted_leaves_the_accounts_with_a_history_row(self):
        user, group = make_user(), Group.objects.create(name="Night watch")
        user.groups.add(group)
        name = f"{group} ({group.pk})"
        group.delete()
        assert last(User).groups.count() == 0
        told = TrailRow.objects.filter(model="accounts.user", object_id=str(user.pk)).latest("id")
        assert [tuple(one) for one in told.differences] == [("groups", name, None)]

    def test_a_stale_instance_writes_no_old_values_into_history(self):
        team = make_team(name="Ops")
        stale = Team.objects.get(pk=team.pk)
        team.name = "Operations"
        team.save()
        stale.members.add(make_contact())
        assert last(Team).name == "Operations"
        stale.description = "Changed"
        stale.save(update_fields=["description"])
        assert (last(Team).name, last(Team).description) == ("Operations", "Changed")
        assert found() == []


class TestOutsideARequest:
    def in_a_thread(self, write):
        raised = []

        def run():
            try:
                write()
            except Exception as problem:  # noqa: BLE001 - whatever it was, the test looks at it
                raised.append(problem)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return raised

    def test_a_thread_has_no_actor_and_writes_nothing_privileged(self):
        (problem,) = self.in_a_thread(lambda: Calendar.objects.create(name="x"))
        assert isinstance(problem, Unattributed)
        assert not Calendar.objects.filter(name="x").exists()

    def test_a_task_run_eagerly_acts_as_itself_and_not_as_whoever_rang(self):
        incident = make_incident()

        @shared_task(name="tests.retitle")
        @as_system("demands")
        def retitle(pk):
            row = Incident.objects.get(pk=pk)
            row.title = "Other words"
            row.save()

        with acting(by="Amara Okafor", reason="Of another act"):
            retitle.apply(args=[incident.pk], throw=True)
        row = incident.history.first()
        assert (row.actor_name, row.origin, row.history_change_reason) == ("system: demands", "task", "")

    def test_a_task_changes_nothing_privileged_without_a_reason_of_its_own(self):
        @shared_task(name="tests.rename")
        @as_system("demands")
        def rename():
            Calendar.objects.create(name="x")

        result = rename.apply()
        assert isinstance(result.result, ReasonMissing)
        assert not Calendar.objects.filter(name="x").exists()

    def test_a_task_that_names_nobody_is_unattributed(self, nobody, monkeypatch):
        @shared_task(name="tests.nameless")
        def nameless():
            Calendar.objects.create(name="x")

        assert isinstance(nameless.apply().result, Unattributed)
        monkeypatch.setattr(Calendar, "privileged", False)
        nameless.apply(throw=True)
        assert last(Calendar).actor_name.startswith("unattributed: ")


@pytest.mark.django_db(transaction=True)
class TestWithoutATransaction:
    @pytest.fixture(params=["history", "trail"])
    def failing(self, request, monkeypatch):
        """The insert of the history row fails, or that of the trail."""

        def fail(*args, **kwargs):
            raise IntegrityError

        def break_it():
            if request.param == "history":
                monkeypatch.setattr(Calendar.history.model, "save", fail)
            else:
                monkeypatch.setattr("portal.audit.trail.append", fail)

        return break_it

    def test_a_row_whose_record_fails_is_neither_saved_nor_deleted(self, calendar, failing):
        failing()
        for write in (renamed(works()).save, works().delete, Calendar(name="Branch").save):
            with pytest.raises(IntegrityError):
                write()
        assert works().pk == calendar.pk
        assert not Calendar.objects.filter(name__in=["x", "Branch"]).exists()

    def test_save_base_is_refused_where_row_and_history_could_part(self, calendar):
        for write in (renamed(works()).save_base, lambda: models.Model.save_base(renamed(works()), raw=True)):
            with pytest.raises(HistoryBypassed):
                write()
        assert works().pk == calendar.pk
