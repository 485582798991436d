"""The directory in the admin."""

import pytest
from django.urls import reverse

from portal.accounts.services import grant
from portal.directory.models import Contact, ContactMethod, System, Team
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_channel,
    make_contact,
    make_emergency_contact,
    make_shift,
    make_system,
    make_team,
)

pytestmark = pytest.mark.django_db

NAMES = [
    "calendar", "calendarday", "contact", "contactmethod", "team", "onCallshift", "channel", "system",
    "emergencycontact", "recoveryobjective", "severity", "severityclock",
]  # fmt: skip


def sign_in(client, role):
    user = make_user(role, is_staff=True)
    grant(user, role, by="test", at=NOON, reason="A test")
    client.force_login(user)
    return client


@pytest.fixture
def administrator(client):
    return sign_in(client, "administrator")


def text(response):
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("name", [name.lower() for name in NAMES])
def test_every_part_has_a_list_and_a_form(administrator, name):
    assert administrator.get(reverse(f"admin:directory_{name}_changelist")).status_code == 200
    assert administrator.get(reverse(f"admin:directory_{name}_add")).status_code == 200


def contact_form(contact=None, **fields):
    data = {
        "name": "Mei Tanaka",
        "time_zone": "Asia/Tokyo",
        "bundle_seconds": "60",
        "active": "on",
        "title": "",
        "change_reason": "A new start",
    }
    for prefix in ("methods", "rules"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return data | fields


def test_a_person_is_added_with_a_method_that_is_not_yet_verified(administrator):
    method = {"kind": "email", "address": "mei@example.org", "position": "1", "active": "on"}
    fields = {f"methods-0-{name}": value for name, value in method.items()} | {"methods-TOTAL_FORMS": "1"}
    administrator.post(reverse("admin:directory_contact_add"), contact_form(**fields))
    method = Contact.objects.get(name="Mei Tanaka").methods.get()
    assert (method.address, method.verified_at) == ("mei@example.org", None)


def test_a_bad_zone_and_a_bad_address_are_said_at_save_time(administrator):
    fields = {
        "methods-TOTAL_FORMS": "1",
        "methods-0-kind": "phone",
        "methods-0-address": "112",
        "methods-0-position": "1",
    }
    page = text(administrator.post(reverse("admin:directory_contact_add"), contact_form(time_zone="Tokyo", **fields)))
    assert "“Tokyo” is no time zone" in page
    assert "with its country code" in page


def test_deactivating_somebody_says_where_they_are_still_named(administrator):
    mei = make_contact("Mei Tanaka", reachable=False)
    make_emergency_contact(make_system("mail-intake"), mei)
    page = administrator.post(
        reverse("admin:directory_contact_change", args=[mei.pk]), contact_form(active=""), follow=True
    )
    assert "Mei Tanaka is still Primary Owner of Mail Intake. Name somebody else." in text(page)


def test_a_system_without_an_owner_is_saved_with_a_warning(administrator):
    data = {"slug": "search", "name": "Search", "active": "on", "change_reason": "We run it now"}
    for prefix in ("emergency_contacts", "objective", "dependencies"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    page = administrator.post(reverse("admin:directory_system_add"), data, follow=True)
    assert "Nobody owns Search." in text(page)
    assert System.objects.get(slug="search").history.get().actor_name == "administrator"


def test_a_team_leads_to_putting_somebody_on_call(administrator):
    page = administrator.get(reverse("admin:directory_team_change", args=[Team.objects.get(slug="ops").pk]))
    assert "/directory/teams/ops/on-call/" in text(page)


def test_a_running_shift_can_be_ended_from_its_admin_page(administrator):
    now = clock.now()
    shift = make_shift(
        make_team(), make_contact(), starts=now.replace(year=now.year - 1), until=now.replace(year=now.year + 1)
    )
    page = text(administrator.get(reverse("admin:directory_oncallshift_change", args=[shift.pk])))
    assert reverse("directory:end-shift", args=[shift.pk]) in page


def test_who_only_reads_does_not_see_secret_addresses(client):
    channel = make_channel("Night room", kind="slack", address="https://hooks.slack.com/services/T1/B2/verysecret")
    reader = sign_in(client, "auditor")
    for name in ("change", "history"):
        page = text(reader.get(reverse(f"admin:directory_channel_{name}", args=[channel.pk])))
        assert "verysecret" not in page
    assert "verysecret" not in text(reader.get(reverse("admin:directory_channel_changelist")))


def test_a_responder_changes_nobody_else_s_methods(client):
    responder = sign_in(client, "responder")
    method = make_contact().methods.get()
    address = reverse("admin:directory_contactmethod_change", args=[method.pk])
    data = {"contact": method.contact_id, "kind": "email", "address": "mine@example.org", "position": 1, "active": "on"}
    assert responder.post(address, data).status_code == 403
    assert ContactMethod.objects.get(pk=method.pk).address == method.address


@pytest.mark.parametrize("name", ["contact", "system", "team", "severity", "contactmethod"])
def test_nothing_is_deleted(administrator, name):
    assert administrator.get(reverse(f"admin:directory_{name}_delete", args=[1])).status_code in (302, 403)


@pytest.mark.parametrize("page", ["directory_channel", "directory_contactmethod", "notify_message"])
def test_no_list_tells_a_secret_address_to_whoever_guesses_its_beginning(client, page):
    client.force_login(make_user(roles=["responder"], is_staff=True))
    address = reverse(f"admin:{page}_changelist")
    assert client.get(address, {"address__startswith": "slack://T"}).status_code == 400
    assert client.get(address, {"address": "slack://T"}).status_code == 400
    assert client.get(address).status_code == 200


def test_a_member_beyond_every_number_of_the_database_is_refused_with_a_sentence(administrator):
    mei = make_contact("Mei Tanaka")
    team = make_team(members=[mei])
    data = {"name": team.name, "slug": team.slug, "active": "on", "members": [mei.pk, "9" * 23]}
    answer = administrator.post(reverse("admin:directory_team_change", args=[team.pk]), data)
    assert answer.context["adminform"].form.errors == {"members": ["Choose from the list."]}
    assert list(team.members.all()) == [mei]
