"""What `manage.py portal` says at its start."""

from io import StringIO
from pathlib import Path

import pytest

from portal.dashboard.management.commands.portal import Command
from portal.supervisor.plan import Place
from tests.factories.accounts import make_superuser, make_user

pytestmark = pytest.mark.django_db


def said(data):
    out = StringIO()
    Command(stdout=out).tell_next_step(Place(Path.cwd(), data, "127.0.0.1", 8000))
    return out.getvalue()


@pytest.fixture(autouse=True)
def connection_stays_open(monkeypatch):
    monkeypatch.setattr("portal.dashboard.management.commands.portal.connections.close_all", lambda: None)


def test_while_nobody_can_sign_in_it_gives_the_line_that_makes_a_login(tmp_path):
    make_user("gone", is_active=False)
    line = f"PORTAL_DATA={tmp_path} python3 manage.py createsuperuser"
    assert line in said(tmp_path).splitlines()[2].strip()


def test_a_folder_with_a_space_is_quoted(tmp_path):
    assert "PORTAL_DATA='/srv/our portal' python3" in said(Path("/srv/our portal"))


def test_it_says_nothing_once_somebody_can_sign_in(tmp_path):
    make_superuser()
    assert said(tmp_path) == ""
