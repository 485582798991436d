"""A mail is an alert: what its subject says, which one it belongs to, and when it is refused."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.enums import Stance, Status
from incidents.intake import mail, smtp
from incidents.intake.reading import Unreadable
from incidents.models import Incident, IntakeDelivery, StatusWord
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_token

db = pytest.mark.django_db


def letter(subject="PROBLEM: disk of db-1 is full", text="3 % are left", *, message_id="<1@example.org>", **headers):
    made = EmailMessage()
    made["From"], made["Subject"], made["Message-ID"] = "Nagios <nagios@example.org>", subject, message_id
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def report(subject, words=None, **more):
    return mail.report_of(mail.read(letter(subject, **more)), words or {})


@pytest.mark.parametrize(
    ("subject", "stance"),
    [
        ("PROBLEM: disk full", "firing"),
        ("Disk full", "firing"),
        ("RESOLVED: disk full", "resolved"),
        ("Resolved in 5m 3s: disk full", "resolved"),
        ("** RECOVERY Service Alert: db-1/disk is OK **", "resolved"),
        ("** PROBLEM Service Alert: db-1/disk is CRITICAL **", "firing"),
        ("Check_MK: db-1/disk OK -> CRIT", "firing"),
        ("Check_MK: db-1/disk CRIT -> OK", "resolved"),
        ("[FIRING:1] disk full", "firing"),
        ("Re: [OK] disk full", "resolved"),
        ("Monitor is UP: shop", "resolved"),
        ("The backup was set up, then failed", "firing"),
        ("Everything ok again?", "firing"),
        ("ACKNOWLEDGEMENT: disk full", "acknowledged"),
    ],
)
def test_a_subject_says_what_the_alert_does(subject, stance):
    assert report(subject).stance == stance


def test_the_words_of_an_address_go_first():
    assert report("ENTWARNUNG: Platte", {"entwarnung": Stance.RESOLVED}).stance == Stance.RESOLVED
    assert report("TEST: nothing", {"test": Stance.NOTHING}).sentence.endswith(".")


def test_problem_and_recovery_are_the_same_alert():
    pairs = [
        ("PROBLEM: disk full", "RESOLVED: disk full"),
        ("Problem: disk full", "Resolved in 5m 3s: disk full"),
        ("** PROBLEM Service Alert: db-1/disk is CRITICAL **", "** RECOVERY Service Alert: db-1/disk is OK **"),
        ("Monitor is DOWN: shop", "Monitor is UP: shop"),
        ("[OPS-7] it hurts", "Re: [OPS-7] RESOLVED, quite something else"),
    ]
    for first, second in pairs:
        assert report(first).key == report(second).key
    assert report("a", X_Watchbook_Key="k").key == report("b", X_Watchbook_Key="k").key == "k"
    assert report("PROBLEM: disk full").key != report("PROBLEM: disk slow").key


def test_words_come_from_the_plain_part_or_from_html_without_its_marks():
    made = EmailMessage()
    made["Subject"] = "=?utf-8?q?St=C3=B6rung?="
    made.set_content("<style>p{}</style><p>Es <b>brennt</b> &amp; raucht</p>", subtype="html")
    found = mail.read(made.as_bytes())
    assert (found.subject, found.text.split()) == ("Störung", ["Es", "brennt", "&", "raucht"])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"Subject: {text}\n\n{text}".encode()))
def test_any_bytes_are_a_mail_or_refused(body):
    try:
        found = mail.report_of(mail.read(body), {})
    except Unreadable:
        return
    assert found.key.strip()
    assert found.title or not found.firing


@pytest.mark.parametrize(
    ("headers", "sender", "words"),
    [
        ({}, "", "A bounce"),
        ({"Auto_Submitted": "auto-replied"}, "a@example.org", "An automatic reply"),
        ({"Auto_Submitted": "auto-replied (vacation); x=1"}, "a@example.org", "An automatic reply"),
        ({"Auto_Submitted": "auto-generated"}, "a@example.org", ""),
        ({"Precedence": "bulk"}, "a@example.org", "A mail of a list"),
        ({"Precedence": "bulk", "Auto_Submitted": "auto-generated"}, "a@example.org", ""),
        ({"Precedence": "auto_reply"}, "a@example.org", "A mail of a list"),
        ({}, "a@example.org", ""),
    ],
)
def test_answers_of_machines_are_refused_and_alerts_of_machines_are_not(headers, sender, words):
    told = mail.loop_of(mail.read(letter(**headers)), sender, [])
    assert told.startswith(words)
    assert bool(told) == bool(words)
    assert mail.loop_of(mail.read(letter()), "x@example.org", ["NAGIOS@example.org"]).startswith(
        "A mail of this portal"
    )


@pytest.fixture
def door():
    return smtp.Door(lambda: NOON)


@pytest.fixture
def box():
    make_system("ticket-store", name="Ticket store")
    return f"intake+{make_token('Nagios', kind='email')[1]}@portal.example.org"


def post(door, box, body, sender="nagios@example.org"):
    return door.mail(sender, box, body, "192.0.2.9")


@db
def test_a_mail_opens_an_incident_and_its_recovery_resolves_it(door, box):
    assert door.recipient(box) == ""
    told = post(door, box, letter(X_Watchbook_System="ticket-store", X_Watchbook_Severity="high"))
    incident = Incident.objects.get()
    assert told == f"250 2.0.0 {incident.reference} was declared at SEV-2."
    assert incident.title == "PROBLEM: disk of db-1 is full"
    assert incident.description == "3 % are left"
    assert [system.name for system in incident.systems.all()] == ["Ticket store"]
    assert post(door, box, letter(message_id="<2@example.org>")).endswith("The alert joined it.")
    post(door, box, letter("RESOLVED: disk of db-1 is full", message_id="<3@example.org>"))
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED
    assert IntakeDelivery.objects.filter(content_type="message/rfc822").count() == 3


@db
def test_an_answer_in_the_thread_is_about_the_same_alert_whatever_its_subject(door, box):
    post(door, box, letter())
    post(door, box, letter("RESOLVED, it was a log", message_id="<9@x>", References="<0@x> <1@example.org>"))
    assert Incident.objects.get().status == Status.RESOLVED


@db
def test_words_of_the_address_decide(door, box):
    post(door, box, letter("Ofen zu heiss"))
    StatusWord.objects.create(token=Incident.objects.get().alerts.get().token, word="Entwarnung", means="resolved")
    assert "is resolved" in post(door, box, letter("Entwarnung: Ofen zu heiss", message_id="<2@x>"))


@db
@pytest.mark.parametrize("address", ["intake+never@x", "someone@x", "intake+@x", "x", "", "intake+ü@x"])
def test_an_unknown_recipient_is_refused_for_good(door, address):
    make_token("Script", kind="json", secret="never")
    assert door.recipient(address) == smtp.UNKNOWN


@db
def test_a_header_names_the_source_where_addresses_cannot(door, box):
    secret = box.partition("+")[2].partition("@")[0]
    assert door.recipient("intake@portal.example.org") == ""
    assert post(door, "intake@x", letter(X_Watchbook_Intake=secret)).startswith("250")
    assert post(door, "intake@x", letter()) == smtp.UNKNOWN


@db
def test_what_is_refused_stays_refused_and_what_failed_comes_again(door, box, monkeypatch):
    for body, sender in ((b"", "a@x"), (letter(""), "a@x"), (letter(), ""), (letter(Precedence="list"), "a@x")):
        assert post(door, box, body, sender).startswith("550 ")
    assert not Incident.objects.exists()

    def away(*_):
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(smtp.tokens, "find", away)
        assert door.recipient(box) == post(door, box, letter()) == smtp.AGAIN
    with monkeypatch.context() as broken:
        broken.setattr(smtp, "take", away)
        assert post(door, box, letter()) == smtp.AGAIN
    assert post(door, box, letter()).startswith("250")


def test_html_becomes_lines_whose_links_are_kept():
    made = EmailMessage()
    made["Subject"] = "** Backup FAILED **"
    html = "<title>x</title><p>It stopped.</p>\n<div>See  <a class=b href='https://b.example.org/1?a=1&amp;b=2'>log</a></div>"
    made.set_content(html, subtype="html")
    found = mail.read(bytes(made))
    assert found.text == "It stopped.\nSee log https://b.example.org/1?a=1&b=2"
    assert mail.report_of(found, {}).title == "Backup FAILED"


def test_words_in_an_unknown_character_set_are_kept_as_far_as_they_can_be_read():
    body = b"Subject: Queue\r\nContent-Type: text/plain; charset=klingon\r\n\r\nIt grows \xe4\r\n"
    assert mail.read(body).text == "It grows \ufffd"


@pytest.mark.parametrize(
    "piece", ["<script>", "<a href='https://x.example.org'>", "<a href='https://x", "<p ", "<", "</a>"]
)
def test_html_that_closes_nothing_is_read_in_one_pass(piece):
    made = b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + (piece.encode() * 400_000)[: 2 * 1024 * 1024]
    assert mail.read(made).subject == "x"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["<p>", "</p>", "<a href=https://x>", "</a>", "<script>", "</script>", "<", ">", "a"])))
def test_any_html_becomes_words(pieces):
    made = EmailMessage()
    made["Subject"] = "x"
    made.set_content("".join(pieces), subtype="html")
    assert "<script>" not in mail.read(bytes(made)).text
