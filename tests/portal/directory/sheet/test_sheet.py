"""The contact sheet says whom to call when the portal is down, and needs nothing but a browser to say it."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from portal.dashboard import watchdog
from portal.directory.models import SheetDelivery
from portal.directory.sheet import delivering, making
from tests.factories.accounts import make_user
from tests.factories.directory import (
    NOON,
    make_contact,
    make_emergency_contact,
    make_method,
    make_shift,
    make_system,
    make_team,
)
from tests.factories.oncall import make_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    mei, jonas = (make_contact(name) for name in ("Mei <Tanaka>", "Jonas"))
    make_method(mei, kind="phone", address="+44 7700 900104")
    team = make_schedule(make_team("platform", members=[mei]), mei, jonas).team
    make_emergency_contact(make_system("search-index", owner=team), mei, backup=jonas)
    make_contact("Gone", active=False)
    return team


def test_the_file_names_systems_roles_people_numbers_and_two_weeks_of_duty(company):
    text = making.as_file(at=NOON)
    for words in (
        "Search Index",
        "Primary Owner",
        "Mei &lt;Tanaka&gt;",
        "+44 7700 900104",
        "Jonas",
        "Mon 23 Nov, 09:00",
    ):
        assert words in text
    assert "Gone" not in text


def test_the_file_fetches_nothing(company):
    text = making.as_file(at=NOON)
    assert not re.search(r"<(script|link|img|iframe)|url\(|@import|src=", text)


def test_the_sheet_takes_no_more_queries_with_more_systems(company, django_assert_max_num_queries):
    for _ in range(5):
        make_emergency_contact(make_system(owner=make_team(on_call=make_contact())), make_contact())
    with django_assert_max_num_queries(13):
        making.as_file(at=NOON)


def test_the_page_is_open_to_whoever_may_read_numbers(client, company):
    client.force_login(make_user("amara", roles=["responder"]))
    assert "+44 7700 900104" in client.get(reverse("directory:contact-sheet")).content.decode()
    answer = client.get(reverse("directory:contact-sheet-file"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    client.force_login(make_user("nobody"))
    assert client.get(reverse("directory:contact-sheet")).status_code == 403
    client.force_login(make_user("auditor", roles=["auditor"], engaged=False))
    assert client.get(reverse("directory:contact-sheet-file")).status_code == 403


def test_the_command_writes_the_file_or_says_why_not(company, tmp_path, capsys):
    target = tmp_path / "sheet.html"
    call_command("contact_sheet", out=str(target))
    assert "Search Index" in target.read_text()
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("contact_sheet", out=str(tmp_path / "none" / "sheet.html"))


# Off the machine.


class Ticking:
    """A clock that is read, and set by hand."""

    def __init__(self, at):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def ticking(settings, tmp_path):
    settings.CONTACT_SHEET_FILE = tmp_path / "sheet.html"
    settings.CONTACT_SHEET_MAIL = "operations@example.org"
    return Ticking(NOON)


def test_it_leaves_once_a_night_by_each_way(company, ticking, settings, mailoutbox):
    assert delivering.nightly(now=ticking) == 2
    assert delivering.nightly(now=ticking) == 0
    assert "Search Index" in settings.CONTACT_SHEET_FILE.read_text()
    assert [message.attachments[0][0] for message in mailoutbox] == ["contact-sheet.html"]
    ticking.at = NOON + timedelta(hours=12)  # midnight: the new day has begun, its night not yet
    assert delivering.nightly(now=ticking) == 0
    ticking.at += timedelta(hours=1)
    assert delivering.nightly(now=ticking) == 2


def test_a_failure_is_kept_tried_again_and_told(company, ticking, settings):
    settings.CONTACT_SHEET_MAIL = ""
    place, settings.CONTACT_SHEET_FILE = settings.CONTACT_SHEET_FILE, settings.CONTACT_SHEET_FILE / "none"
    delivering.nightly(now=ticking)
    assert SheetDelivery.objects.get().error.startswith("FileNotFoundError")
    assert delivering.late(at=NOON + timedelta(hours=12)) == []
    ticking.at = NOON + timedelta(hours=36)
    delivering.nightly(now=ticking)
    assert [row.way for row in delivering.late(at=ticking.at)] == ["file"]
    assert "sheetless" in {alarm.kind for alarm in watchdog.alarms(at=ticking.at)}
    settings.CONTACT_SHEET_FILE = place
    ticking.at += timedelta(hours=1)
    delivering.nightly(now=ticking)
    assert delivering.late(at=ticking.at) == []
    assert place.exists()


def test_a_hole_stands_on_the_sheet_as_a_hole():
    mei, team = make_contact("Mei"), make_team("platform")
    for first, last in ((0, 2), (4, 6)):
        make_shift(team, mei, starts=NOON + timedelta(days=first), until=NOON + timedelta(days=last))
    make_team("desk")
    platform, desk = (
        next(line for line in making.sheet(at=NOON).teams if line.team.slug == slug) for slug in ("platform", "desk")
    )
    found = [(str(one.person.contact) if one.person else "", one.until) for one in platform.duties]
    assert found == [
        ("Mei", NOON + timedelta(days=2)),
        ("", NOON + timedelta(days=4)),
        ("Mei", NOON + timedelta(days=6)),
        ("", None),
    ]
    assert desk.duties == []
    assert re.search(
        r"Nobody</th><td[^>]*>Mon 23 Nov, 12:00</td><td[^>]*>no end in sight</td>", making.as_file(at=NOON)
    )


def test_whoever_stands_in_for_somebody_who_has_left_stays_on_the_sheet():
    gone, jonas = make_contact("Gone"), make_contact("Jonas")
    make_emergency_contact(make_system("search-index"), gone, backup=jonas)
    make_system("queue")
    gone.active = False
    gone.save()
    text = making.as_file(at=NOON)
    assert re.search(r"Primary Owner</th><td>has left</td><td></td><td[^>]*>Jonas</td>", text)
    assert "Nobody is named for it." in text


def test_each_number_can_be_called_from_the_sheet(company):
    text = making.as_file(at=NOON)
    assert text.count('<a href="tel:+447700900104">') == 4  # two turns, her role, and among the people
