"""E-mail through Django's backend: one connection for a batch, and errors that say whether to try again."""

from __future__ import annotations

import contextlib
import re
import smtplib
from email.errors import MessageError
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from portal.lib.digests import digest
from portal.notify.channels.base import DeliveryError, Parcel

REFUSED = 500  # RFC 5321, 4.2.1: replies from 500 on are permanent


class MailChannel:
    """Sends mail. The idempotency key becomes the Message-ID, so that mail programs show a repeated delivery once."""

    def __init__(self) -> None:
        self._connection: Any = None

    def send(self, parcel: Parcel) -> None:
        """Deliver the parcel over the connection of this batch."""
        try:
            if self._connection is None:
                connection = get_connection(timeout=settings.EMAIL_TIMEOUT)
                connection.open()
                self._connection = connection
            self._connection.send_messages([_mail(parcel)])
        except (ValueError, MessageError, UnicodeError) as problem:
            raise DeliveryError(f"The mail cannot be written: {problem}", permanent=True) from problem
        except (smtplib.SMTPException, OSError) as problem:
            self.close()
            raise _explained(problem) from problem

    def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()


def _mail(parcel: Parcel) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": message_id(parcel.key),
        "X-Watchbook-Message": parcel.key,
        "Auto-Submitted": "auto-generated",
    }
    if parcel.thread:
        headers["References"] = message_id(parcel.thread)
    if parcel.urgent:
        headers |= {"Importance": "high", "X-Priority": "1"}
    mail = EmailMultiAlternatives(parcel.title, parcel.text, to=[parcel.address], headers=headers)
    if parcel.html:
        mail.attach_alternative(parcel.html, "text/html")
    return mail


def message_id(key: str) -> str:
    """Return the Message-ID of a key: the same for every delivery of it (RFC 5322, 3.6.4)."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")[:80]
    return f"<{readable}.{digest(key)[:16]}@{urlsplit(settings.PORTAL_URL).hostname}>"


def _explained(problem: Exception) -> DeliveryError:
    """Tell what the mail server meant: this recipient, this message, or that it is itself unwell."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(problem.recipients.values()))
        return DeliveryError(f"The mail server refused the recipient: {code} {_text(reply)}", permanent=code >= REFUSED)
    if isinstance(problem, smtplib.SMTPDataError):
        code = problem.smtp_code
        return DeliveryError(
            f"The mail server refused the message: {code} {_text(problem.smtp_error)}", permanent=code >= REFUSED
        )
    if isinstance(
        problem, smtplib.SMTPResponseException
    ):  # connect, greeting, sign-in, sender: not this message's fault
        return DeliveryError(
            f"The mail server refused the portal: {problem.smtp_code} {_text(problem.smtp_error)}", everywhere=True
        )
    if isinstance(problem, TimeoutError) or isinstance(problem.__context__, TimeoutError):
        return DeliveryError("The mail server did not answer in time.", everywhere=True)
    return DeliveryError(f"The mail server cannot be reached: {problem}", everywhere=True)


def _text(reply: bytes | str) -> str:
    words = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(words.split())[:300]
