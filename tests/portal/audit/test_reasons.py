"""A privileged row does not change without somebody who says why."""

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path

from incidents.models import IntakeToken
from portal.accounts.models import User
from portal.audit.actor import acting, current
from portal.audit.asking import ReasonForm
from portal.audit.bulk import bulk_create_audited
from portal.audit.decorators import as_system
from portal.audit.middleware import ActingMiddleware
from portal.audit.models import ReasonMissing, TrailRow
from portal.directory.models import Calendar, Team
from tests.factories.accounts import PASSWORD, make_superuser, make_user
from tests.factories.directory import make_contact, make_team
from tests.factories.history import kinds, last
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_history_begins")]


@pytest.fixture
def mute(nobody):
    """Somebody acts and does not say why."""
    with acting(by="Amara Okafor"):
        yield


BLANK = ["", " ", "\n\t", "\u2003", "\u200b", "\u2060\ufeff", "\u00ad", "\x07", "\u3164", "\u2800", "\ufe0f"]


@pytest.mark.parametrize("reason", BLANK)
def test_a_blank_reason_is_none(nobody, reason):
    with (
        acting(by="Amara Okafor", reason=reason),
        pytest.raises(ReasonMissing, match=r"Say why\. A change to calendar"),
    ):
        Calendar.objects.create(name="Works")
    assert not Calendar.objects.filter(name="Works").exists()


def test_adding_changing_and_deleting_ask_why(calendar, mute):
    calendar.name = "Head office"
    for write in (
        calendar.save,
        calendar.delete,
        Calendar(name="Branch").save,
        Calendar.objects.filter(pk=calendar.pk).delete,
        lambda: Calendar.objects.update_or_create(name="Works", defaults={"country": "GB"}),
        lambda: Calendar.objects.get_or_create(name="Branch"),
        lambda: bulk_create_audited(Calendar, [Calendar(name="Branch")]),
    ):
        with pytest.raises(ReasonMissing), transaction.atomic():
            write()
    assert kinds(Calendar) == ["+"]
    assert list(Calendar.objects.filter(name__in=["Works", "Branch", "Head office"]).values_list("name")) == [
        ("Works",)
    ]


def test_relations_ask_why_from_either_side(nobody):
    with acting(by="setup", reason="A test"):
        team, mei = make_team(), make_contact()
        team.members.add(make_contact())
    before = team.history.count()
    with acting(by="Amara Okafor"):
        for write in (
            lambda: team.members.add(mei),
            lambda: mei.teams.add(team),
            lambda: team.members.set([mei]),
            team.members.clear,
            lambda: team.members.remove(team.members.get()),
            lambda: team.members.create(name="New"),
        ):
            with pytest.raises(ReasonMissing), transaction.atomic():
                write()
    assert (team.history.count(), team.members.count()) == (before, 1)


@pytest.mark.parametrize("reason", BLANK)
def test_a_form_takes_no_blank_reason(reason):
    form = ReasonForm({"change_reason": reason})
    assert not form.is_valid()
    assert form.errors == {"change_reason": ["Say why, in a few words."]}


def test_saving_what_stands_asks_nothing(calendar, mute):
    calendar.save()
    Calendar.objects.get(pk=calendar.pk).save()
    assert kinds(Calendar) == ["+"]


@pytest.fixture
def amara(nobody):
    with acting(by="setup", reason="A test"):
        return make_user()


@pytest.fixture
def _newer_hashes(amara, settings):
    """Passwords are hashed in a newer way than those that stand."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]


@pytest.mark.usefixtures("_newer_hashes")
def test_signing_in_asks_nobody_why(amara):
    with acting(by=amara):
        amara.last_login = None
        amara.save()
        assert amara.check_password(PASSWORD)
    assert last(User).history_change_reason == "Password stored anew"


@pytest.mark.parametrize("options", [{}, {"update_fields": ["password"]}])
def test_a_hash_that_somebody_assigns_is_a_new_password(amara, options):
    amara.password = make_password("another long sentence 42")
    with acting(by="command: shell"), pytest.raises(ReasonMissing), transaction.atomic():
        amara.save(**options)
    with acting(by="command: shell", reason="They forgot it"):
        amara.save(**options)
    assert last(User).history_change_reason == "Password changed. They forgot it"


@pytest.mark.usefixtures("_newer_hashes")
def test_a_hash_assigned_after_one_was_renewed_is_a_new_password(amara):
    with acting(by=amara):
        assert amara.check_password(PASSWORD)
        for password in (make_password("another long sentence 42"), amara.password + "x"):
            amara.password = password
            with pytest.raises(ReasonMissing), transaction.atomic():
                amara.save()


@pytest.mark.usefixtures("_newer_hashes")
def test_a_hash_is_not_renewed_over_a_password_that_was_changed_meanwhile(amara):
    stale = User.objects.get(pk=amara.pk)
    with acting(by=amara, reason="I forgot it"):
        amara.set_password("another long sentence 42")
        amara.save()
        assert stale.check_password(PASSWORD)
    assert User.objects.get(pk=amara.pk).check_password("another long sentence 42")


def test_what_explains_itself_carries_no_other_change_along(nobody):
    with acting(by="setup", reason="A test"):
        user = make_user()
    user.password, user.is_superuser = user.password + "x", True
    with acting(by=user), pytest.raises(ReasonMissing):
        user.save()
    assert not User.objects.get(pk=user.pk).is_superuser


def test_a_new_password_asks_why(nobody):
    with acting(by="setup", reason="A test"):
        user = make_user()
    user.set_password("another long sentence 42")
    with acting(by=user), pytest.raises(ReasonMissing), transaction.atomic():
        user.save()


def test_records_that_are_no_privilege_ask_nothing(nobody):
    with acting(by="setup", reason="A test"):
        incident = make_incident()
    incident.title = "Other words"
    with acting(by="Amara Okafor"):
        incident.save()
    assert incident.history.first().title == "Other words"


def test_the_reason_stands_in_history_and_trail(calendar):
    with acting(by="Amara Okafor", reason="We moved"):
        calendar.name = "Head office"
        calendar.save()
    told = TrailRow.objects.filter(model="directory.calendar").latest("id")
    assert (last(Calendar).history_change_reason, told.reason, told.privileged) == ("We moved", "We moved", True)


def test_a_request_inherits_nobody_s_reason():
    seen = []

    def respond(_):
        seen.append(current().reason)
        return HttpResponse()

    request = RequestFactory().get("/")
    with acting(by="somebody", reason="Of another act"):
        ActingMiddleware(respond)(request)
    assert seen == [""]


def test_a_task_inherits_nobody_s_reason():
    @as_system("demands")
    def task():
        Calendar.objects.create(name="Works")

    with acting(by="somebody", reason="Of the request that rang"), pytest.raises(ReasonMissing):
        task()


def thoughtless(request):
    """A page that forgot to ask."""
    Team.objects.create(slug="x", name="X")
    return HttpResponse("done")


urlpatterns = [path("thoughtless/", thoughtless)]


@override_settings(ROOT_URLCONF=__name__)
def test_a_page_that_forgot_to_ask_answers_with_the_sentence_and_writes_nothing(client):
    client.force_login(make_superuser())
    answer = client.get("/thoughtless/")
    assert answer.status_code == 422
    assert "Say why. A change to team is kept with its reason." in answer.content.decode()
    assert not Team.objects.filter(slug="x").exists()


def test_a_sentence_about_a_row_that_is_not_there_yet_needs_no_relation(mute):
    with pytest.raises(ReasonMissing, match="A change to intake token is kept"):
        IntakeToken(name="x").save()
    assert not connection.needs_rollback or connection.in_atomic_block
