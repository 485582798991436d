"""One navigation for pages and records: only what exists, and only what the reader may see."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser

from portal.site import GROUPS, Count
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


def reader(role="", **fields):
    return make_user(role.lower() or "nobody", roles=[role.lower()] if role else [], is_staff=True, **fields)


@pytest.fixture
def navigation(rf):
    def navigation(user, path="/", **counts):
        request = rf.get(path)
        request.user = user
        return admin.site.navigation(request, counts)

    return navigation


def links(groups):
    return {link.label: link for group in groups for link in group.links}


def test_groups_stand_in_the_order_of_the_work_and_none_is_empty(navigation):
    groups = navigation(reader("Administrator"))
    labels = [group.label for group in groups]
    assert labels == [label for label in GROUPS if label in labels]
    assert all(group.links for group in groups)


def test_a_reader_without_a_role_sees_no_records(navigation):
    found = links(navigation(reader()))
    assert "Systems" not in found
    assert "Accounts" not in found


def test_an_auditor_sees_the_records(navigation):
    found = links(navigation(reader("Auditor")))
    assert {"On call", "Messages", "Accounts", "All records"} <= found.keys()


def test_a_count_is_shown_with_its_word_only_while_something_waits(navigation):
    user = reader("Administrator")
    burning = links(navigation(user, incidents=Count(4, "open", "red")))["Incidents"]
    assert (burning.count, burning.counted, burning.tone) == (4, "open", "red")
    assert links(navigation(user, incidents=Count(0, "open", "red")))["Incidents"].tone == ""


@pytest.mark.parametrize(
    ("path", "label", "mark"),
    [
        ("/", "Now", "page"),
        ("/incidents/", "Incidents", "page"),
        ("/incidents/INC-000042/", "Incidents", "true"),
        ("/admin/directory/system/1/change/", "Systems", "true"),
        ("/admin/", "All records", "page"),
        ("/admin/directory/oncallshift/add/", "On call", "true"),
    ],
)
def test_the_line_where_the_reader_is_is_marked(navigation, path, label, mark):
    found = links(navigation(reader("Administrator"), path))
    assert [link.label for link in found.values() if link.current] == [label]
    assert found[label].current == mark


def test_a_page_outside_the_navigation_marks_nothing(navigation):
    assert not [link for link in links(navigation(reader("Administrator"), "/inbox/")).values() if link.current]


def test_no_two_lines_share_their_keys(navigation):
    keys = [link.keys for link in links(navigation(reader("Administrator"))).values() if link.keys]
    assert len(keys) == len(set(keys))


def test_the_admin_index_groups_every_registered_model_that_the_reader_may_see(rf):
    request = rf.get("/admin/")
    request.user = reader("Administrator", is_superuser=True)
    groups = admin.site.get_app_list(request)
    assert [group["name"] for group in groups] == [name for name in GROUPS if name in {g["name"] for g in groups}]
    shown = {model["model"] for group in groups for model in group["models"]}
    open_to_all = {model for model, each in admin.site._registry.items() if any(each.get_model_perms(request).values())}
    assert shown == open_to_all


def test_the_admin_has_no_door_of_its_own(client):
    response = client.get("/admin/login/?next=/admin/directory/")
    assert response.status_code == 302
    assert response.url == "/sign-in/?next=/admin/directory/"


def test_whoever_is_signed_in_and_not_staff_is_refused_in_a_sentence(client):
    client.force_login(make_user("guest", is_staff=False), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert b"This is not open to you" in response.content


def test_signing_out_of_the_admin_needs_a_post_and_leads_to_the_door(client):
    client.force_login(reader("Auditor"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/").url == "/sign-in/"


def test_nobody_signed_in_sees_no_records(navigation):
    assert "All records" not in links(navigation(AnonymousUser()))
