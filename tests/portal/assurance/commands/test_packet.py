"""`manage.py audit packet`: an evidence packet at a terminal, on the trail like any other."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from portal.assurance.models import Export
from portal.audit.models import TrailRow
from portal.lib import clock
from tests.factories.accounts import make_superuser, make_user
from tests.factories.exports import make_auditor
from tests.factories.incidents import make_incident
from tests.factories.packets import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    """`run(*options)`: what the command says, for a packet of today."""

    def run(*options, **given):
        said = StringIO()
        today = f"{clock.now():%Y-%m-%d}"
        wanted = {
            "--from": today,
            "--to": today,
            "--sample": "3",
            "--seed": "42",
            "--out": tmp_path / "packet.zip",
            **given,
        }
        arguments = [str(word) for pair in wanted.items() for word in pair if pair[1] is not None]
        call_command("audit", "packet", *arguments, *options, stdout=said)
        return said.getvalue()

    return run


def test_the_packet_verifies_on_a_machine_without_the_portal(run, tmp_path):
    make_superuser("root")
    make_incident()
    words = run("--reason", "Yearly audit")
    export = Export.objects.get()
    assert export.digest in words
    assert f"{export.rows} rows as root may read them" in words
    assert (tmp_path / "packet.zip").stat().st_mode & 0o077 == 0
    assert verify(tmp_path / "packet.zip").returncode == 0


def test_the_trail_tells_that_it_left_the_portal(run):
    make_superuser("root")
    make_incident()
    run("--reason", "Yearly audit")
    row = TrailRow.objects.get(action="exported")
    assert (row.reason, row.reference) == ("Yearly audit", Export.objects.get().reference)
    assert {found.field for found in row.differences} == {"narrowed by", "rows", "size", "digest"}


def test_it_is_made_with_the_eyes_of_whoever_is_named(run):
    make_superuser("root")
    make_auditor("ada")
    run("--by", "ada")
    assert Export.objects.get().requester.username == "ada"


def test_without_a_name_a_superuser_comes_first(run):
    make_auditor("ada")
    make_superuser("root")
    run()
    assert Export.objects.get().requester.username == "root"


def test_without_a_superuser_an_administrator_lends_their_eyes_and_nobody_else(run):
    make_user("responder", roles=["responder"])
    make_user("keeper", roles=["administrator"])
    run()
    assert Export.objects.get().requester.username == "keeper"


def test_nobody_who_may_not_read_the_trail_gets_one(run):
    make_user("guest")
    with pytest.raises(CommandError, match="neither a superuser nor an administrator"):
        run()
    with pytest.raises(CommandError, match="does not see this"):
        run("--by", "guest")
    with pytest.raises(CommandError, match="There is no open account nobody"):
        run("--by", "nobody")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"--from": "yesterday"}, "is no day or moment"),
        ({"--to": "9999-12-31"}, "is no day or moment"),
        ({"--from": "0001-01-01T00:00+05:00"}, "is no day or moment"),
        ({"--from": "2030-01-01"}, "must end after it begins"),
        ({"--sample": "0"}, "Sample between"),
        ({"--out": "/nowhere/at/all.zip"}, "does not exist"),
        ({"--from": "2001-01-01", "--to": "2001-01-02"}, "Nothing that you may see"),
    ],
)
def test_what_does_not_work_is_said_in_a_sentence(run, change, told):
    make_superuser()
    with pytest.raises(CommandError, match=told):
        run(**change)


def test_while_rows_are_being_sealed_it_says_to_come_back(run, monkeypatch):
    make_superuser()
    monkeypatch.setattr("portal.audit.sealing.seal", lambda at: 0)
    with pytest.raises(CommandError, match="still being sealed"):
        run()
    assert Export.objects.get().state == "failed"
