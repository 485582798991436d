"""`manage.py audit tombstone` and `audit hold`: two administrators, each with their own password."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from portal import environment
from portal.audit import guards
from portal.audit.models import LegalHold, Tombstone, TombstoneRequest, TrailRow
from portal.audit.sealing import seal
from portal.audit.verifying import verify
from portal.lib import clock
from tests.factories.accounts import PASSWORD, make_superuser, make_user
from tests.factories.directory import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    contact = make_contact("Giovanna Verdi", reachable=False)
    make_user("first", roles=["administrator"], first_name="Amara", last_name="Okafor")
    make_user("second", roles=["administrator"], first_name="Bruno", last_name="Salgado")
    seal(at=clock.now())
    return contact


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs a verb with a password on standard input."""

    def say(*words, password=PASSWORD):
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        call_command("audit", *words, stdout=out)
        return out.getvalue()

    return say


def ask(run, contact, by="first", **options):
    what = ("--model", "directory.contact", "--object", str(contact.pk), "--reason", "Article 17")
    return run("tombstone", "ask", *what, "--by", by, "--password-stdin", **options)


def confirm(run, by="second", **options):
    number = str(TombstoneRequest.objects.latest("pk").pk)
    return run("tombstone", "confirm", number, "--by", by, "--password-stdin", **options)


def test_one_asks_another_confirms_and_the_record_verifies(run, person):
    assert "over 1 sealed row, asked by Amara Okafor" in ask(run, person)
    assert "are gone, for good" in confirm(run)
    assert not TrailRow.objects.filter(changes__contains="Giovanna", model="directory.contact").exists()
    seal(at=clock.now())
    report = verify(at=clock.now() + timedelta(minutes=1))
    assert report.is_clean
    assert report.tombstones == 1


def test_the_trail_names_the_person_and_not_the_shell(run, person):
    ask(run, person)
    row = TrailRow.objects.latest("pk")
    assert (row.actor_name, row.origin, row.reason) == ("Amara Okafor", "command", "Article 17")


def test_whoever_asked_does_not_confirm(run, person):
    ask(run, person)
    with pytest.raises(CommandError, match="You asked for this tombstone yourself"):
        confirm(run, by="first")


def test_nobody_acts_with_the_password_of_another(run, person):
    with pytest.raises(CommandError, match="not the password of Amara Okafor"):
        ask(run, person, password="guessed")
    assert not TombstoneRequest.objects.exists()
    assert TrailRow.objects.latest("pk").event == "Refused at the terminal: wrong password"


def test_wrong_passwords_are_counted(run, person, settings):
    for _ in range(settings.PROOFS_LIMIT):
        with pytest.raises(CommandError, match="not the password"):
            ask(run, person, password="guessed")
    with pytest.raises(CommandError, match="too many wrong answers"):
        ask(run, person)


def test_only_administrators_act(run, person):
    make_user("clerk", roles=["manager"])
    make_superuser("root")
    for name in ("clerk", "root"):
        with pytest.raises(CommandError, match="does not have the role Administrator"):
            ask(run, person, by=name)
    with pytest.raises(CommandError, match="no open account nobody"):
        ask(run, person, by="nobody")


def test_the_password_is_asked_for_at_the_prompt(person, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or PASSWORD)
    what = ("--model", "directory.contact", "--object", str(person.pk), "--reason", "Article 17", "--by", "first")
    call_command("audit", "tombstone", "ask", *what, stdout=io.StringIO())
    assert asked == ["Password of Amara Okafor: "]


def test_positions_are_named_one_by_one_too(run, person):
    out = run(
        "tombstone", "ask", "--position", "1", "--position", "2", "--reason", "x", "--by", "first", "--password-stdin"
    )
    assert "over 2 sealed rows" in out
    with pytest.raises(CommandError, match="Name the object"):
        run("tombstone", "ask", "--reason", "x", "--by", "first", "--password-stdin")


def test_the_list_says_what_became_of_each(run, person):
    assert run("tombstone", "list") == "Nobody has asked for a tombstone.\n"
    ask(run, person)
    assert "asked by Amara Okafor, waiting: Article 17" in run("tombstone", "list")
    confirm(run)
    [told] = json.loads(run("tombstone", "list", "--json"))
    assert (told["state"], told["asked_by"], told["confirmed_by"]) == ("confirmed", "Amara Okafor", "Bruno Salgado")
    assert told["positions"] == TombstoneRequest.objects.get().positions
    assert told["tombstone"] == Tombstone.objects.get().pk


def test_the_portals_own_role_is_told_who_may(run, person, monkeypatch):
    ask(run, person)
    monkeypatch.setattr(guards, "may_open", lambda using: False)
    with pytest.raises(CommandError, match="MIGRATION_DATABASE_URL"):
        confirm(run)


def test_confirming_alone_connects_as_the_owner():
    assert environment.does_owners_work(["manage.py", "audit", "tombstone", "confirm", "3", "--by", "second"])
    assert not environment.does_owners_work(["manage.py", "audit", "tombstone", "ask"])


def test_a_hold_stops_the_asking_until_it_is_lifted(run, person):
    out = run(
        "hold", "place", "--title", "Case 7", "--model", "directory.contact", "--object", str(person.pk),
        "--reason", "Dispute", "--by", "first", "--password-stdin",
    )  # fmt: skip
    assert out.endswith(f"stands on person {person.pk}, with its parts.\n") or "stands on" in out
    with pytest.raises(CommandError, match="legal hold “Case 7” covers this"):
        ask(run, person)
    assert "placed by Amara Okafor, stands" in run("hold", "list")
    hold = LegalHold.objects.get()
    assert "is lifted" in run("hold", "lift", str(hold.pk), "--reason", "Settled", "--by", "second", "--password-stdin")
    assert json.loads(run("hold", "list", "--json"))[0]["lifted_by"] == "Bruno Salgado"
    ask(run, person)
