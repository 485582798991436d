"""The drop of mails over a real socket: replies come after the commit."""

from __future__ import annotations

import smtplib
import socket

import pytest

from incidents.intake import smtp
from incidents.models import Incident
from tests.factories.directory import NOON
from tests.factories.incidents import make_token
from tests.incidents.intake.test_mail import letter

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_mail_over_the_wire_is_written_when_it_is_answered():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    box = f"intake+{make_token('Nagios', kind='email')[1]}@portal.example.org"
    server = smtp.controller("127.0.0.1", port, now=lambda: NOON)
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            assert client.sendmail("nagios@example.org", [box], letter()) == {}
            assert Incident.objects.get().title == "PROBLEM: disk of db-1 is full"
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                client.sendmail("nagios@example.org", ["intake+never@x.org"], letter())
            assert refused.value.recipients["intake+never@x.org"][0] == 550
            client.mail("nagios@example.org")
            assert client.rcpt(box)[0] == 250
            assert client.rcpt(box)[0] == 452
            client.rset()
            with pytest.raises(smtplib.SMTPResponseException) as large:
                client.sendmail("nagios@example.org", [box], b"Subject: x\r\n\r\n" + b"y" * (smtp.LARGEST + 1))
            assert large.value.smtp_code == 552
    finally:
        server.stop()
