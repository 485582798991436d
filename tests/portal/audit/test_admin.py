import pytest
from django.contrib import admin
from django.urls import reverse

from portal.audit.actor import acting
from portal.audit.admin import HISTORY_PER_PAGE, GuardedAdmin, GuardedTabularInline, Verb
from portal.directory.models import Calendar, CalendarDay, Contact, System, Team
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import make_contact, make_system, make_team

pytestmark = pytest.mark.django_db


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def root(client):
    user = make_superuser("root", first_name="Ro", last_name="Ot")
    client.force_login(user)
    return user


def test_history_shows_who_what_when_and_why(client, root):
    team = make_team(name="Ops")
    with acting(by="Amara Okafor", reason="The team grew", origin="web", address="192.0.2.1"):
        team.name = "Operations"
        team.save()
    text = client.get(page(Team, "history", team.pk)).content.decode()
    for words in ("Amara Okafor", "The team grew", "192.0.2.1", "<del>Ops</del>", "<ins>Operations</ins>"):
        assert words in text


def test_a_version_shows_the_record_as_it_was(client, root):
    team = make_team(name="Ops")
    first = team.history.first()
    team.name = "Operations"
    team.save()
    response = client.get(page(Team, "simple_history", team.pk, first.pk))
    assert ">Ops<" in response.content.decode()
    assert "<form" not in response.content.decode().split("<main")[1].split("</main>")[0]


def test_history_is_read_in_pages_and_no_difference_is_lost_between_them(client, root):
    team = make_team(name="0")
    for number in range(1, HISTORY_PER_PAGE + 2):
        team.name = str(number)
        team.save()
    first = client.get(page(Team, "history", team.pk)).content.decode()
    second = client.get(page(Team, "history", team.pk), {"p": 2}).content.decode()
    assert first.count("<ins>") == HISTORY_PER_PAGE
    assert "<ins>1</ins>" in second
    assert client.get(page(Team, "history", team.pk), {"p": "x"}).status_code == 200


def test_a_deleted_record_still_has_its_history(client, root):
    calendar = Calendar.objects.create(name="Gone")
    key = calendar.pk
    calendar.delete()
    response = client.get(page(Calendar, "history", key))
    assert response.status_code == 200
    assert "Deleted" in response.content.decode()


@pytest.mark.parametrize("key", ["0", "999999", "x", "9" * 30, "1_2F2"])
def test_what_never_was_is_not_found(client, root, key):
    assert client.get(page(Team, "history", key)).status_code == 404
    team = make_team()
    assert client.get(page(Team, "simple_history", team.pk, key)).status_code == 404


def test_a_version_of_another_record_is_not_found(client, root):
    one, two = make_team(), make_team()
    assert client.get(page(Team, "simple_history", one.pk, two.history.first().pk)).status_code == 404


def test_a_change_keeps_its_reason_and_its_author(client, root):
    contact = make_contact()
    url = page(Contact, "change", contact.pk)
    assert 'name="change_reason"' in client.get(url).content.decode()
    form = client.get(url).context["adminform"].form
    data = {name: value for name in form.fields if (value := form.get_initial_for_field(form.fields[name], name))}
    for formset in client.get(url).context["inline_admin_formsets"]:
        for field in formset.formset.management_form:
            data[field.html_name] = field.value()
        for inline in formset.formset.initial_forms:
            for field in inline:
                if field.value() is not None:
                    data[field.html_name] = field.value()
    response = client.post(url, {**data, "name": "Amara Okafor", "change_reason": " Her name \n"})
    assert response.status_code == 302, response.context["errors"]
    row = contact.history.first()
    assert (row.name, row.history_change_reason, row.actor_name) == ("Amara Okafor", "Her name", "Ro Ot")
    assert row.history_user_id == root.pk


def test_verbs_stand_on_the_record_and_not_on_a_new_one(client, root, monkeypatch):
    verb = Verb("Put on call", "/x/", icon="phone")
    monkeypatch.setattr(type(admin.site._registry[Team]), "verbs", lambda self, request, obj: [verb])
    assert client.get(page(Team, "change", make_team().pk)).context["verbs"] == [verb]
    assert client.get(page(Team, "add")).context["verbs"] == []


def test_choices_hold_what_the_reader_may_see(rf):
    user = make_user(roles=["auditor"])
    stranger = make_user()
    make_team()
    system = make_system()
    found = admin.site._registry[System]
    for reader, some in ((user, True), (stranger, False)):
        request = rf.get("/")
        request.user = reader
        field = found.get_form(request, system, fields=["owner"], change=True)
        queryset = found.get_field_queryset("default", System._meta.get_field("owner"), request)
        assert queryset.exists() is some
        assert field is not None


def test_an_inline_takes_away_only_where_it_says_so(rf):
    class Days(GuardedTabularInline):
        model = CalendarDay

    class RemovableDays(Days):
        may_delete = True

    request = rf.get("/")
    request.user = make_superuser()
    assert not Days(Calendar, admin.site).has_delete_permission(request)
    assert RemovableDays(Calendar, admin.site).has_delete_permission(request)
    request.user = make_user(roles=["auditor"])
    assert not RemovableDays(Calendar, admin.site).has_delete_permission(request)


def test_the_guard_is_a_base_not_an_option():
    assert issubclass(type(admin.site._registry[Team]), GuardedAdmin)
