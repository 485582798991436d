"""The forms that name another incident, or what belongs elsewhere, offer what there is to choose."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incidents import services
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    user = make_user("amara", roles=["responder"], time_zone="Asia/Tokyo")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def page_of(client, incident, verb):
    return client.get(f"{incident.get_absolute_url()}{verb}/").content.decode()


def test_the_likely_ones_are_offered_to_merge_into_while_they_are_open(client, reader):
    mail = make_system("mail")
    about, open_one, over = (make_incident(title=f"Mail stands {n}", systems=[mail]) for n in range(3))
    services.cancel(over, by="test", at=NOON, reason="Twice")
    resolved = make_incident(title="Mail stands long", systems=[mail])
    services.acknowledge(resolved, by="test", at=NOON)
    services.resolve(resolved, by="test", at=NOON, reason="Over")
    merging, linking = page_of(client, about, "merge"), page_of(client, about, "relate")
    assert f"?into={open_one.reference}" in merging
    assert resolved.reference not in merging
    assert f"?to={resolved.reference}" in linking
    assert over.reference not in linking
    chosen = client.get(f"{about.get_absolute_url()}merge/?into={open_one.reference}").content.decode()
    assert f'value="{open_one.reference}"' in chosen


def test_a_restricted_one_is_not_offered(client, reader):
    mail = make_system("mail")
    about, secret = make_incident(systems=[mail]), make_incident(title="Xylophone", systems=[mail])
    services.restrict(secret, by="test", at=NOON, reason="Personal")
    assert "Xylophone" not in page_of(client, about, "merge")


def test_where_nothing_can_be_split_off_the_page_says_what_to_do_instead(client, reader):
    incident = make_incident()
    page = page_of(client, incident, "split")
    assert "Declare another incident." in page
    assert "What is wrong there" not in page
    services.add_note(incident, text="Another matter", by="test", at=NOON)
    assert "What is wrong there" in page_of(client, incident, "split")


def test_lines_to_choose_from_show_the_time_of_the_reader(client, reader):
    incident = make_incident()
    services.add_note(incident, text="Another matter", by="test", at=datetime(2026, 11, 17, 12, 30, tzinfo=UTC))
    assert "21:30 test noted" in page_of(client, incident, "split")
