"""The drop of mails: an SMTP server that answers after the commit, so that no mail is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from incidents.enums import IntakeKind
from incidents.intake import mail, reading, tokens
from incidents.intake.posts import Post
from incidents.intake.receiving import take
from incidents.models import IntakeToken

log = structlog.get_logger(__name__)
LARGEST = 2 * 1024 * 1024  # bytes of a mail
SECONDS = 60  # of silence, after which a sender is let go
THREADS = 4
AGAIN = "451 4.3.0 The portal could not take this in just now. Send it again."
UNKNOWN = "550 5.1.1 No source is known at this address."
ONE_EACH = "452 4.5.3 One source at a time: send the rest in a mail of its own."
CONTENT_TYPE = "message/rfc822"


class Door:
    """What the drop decides, without the network: whom it takes mails for, and what becomes of one."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now

    def recipient(self, address: str) -> str:
        """Return "" for a recipient that mails are taken for, else the reply that refuses it."""
        return self._guarded(lambda: "" if self._named(address) else UNKNOWN)

    def mail(self, sender: str, recipient: str, body: bytes, client: str) -> str:
        """Take in one mail and return the reply: 250 once it is written, 451 to send it again, 550 for good."""
        return self._guarded(lambda: self._taken(sender, recipient, body, client))

    def _guarded(self, decide: Callable[[], str]) -> str:
        try:
            return decide()
        except (OperationalError, InterfaceError) as problem:
            log.warning("The database did not answer; the sender tries again.", problem=type(problem).__name__)
            return AGAIN

    def _named(self, address: str) -> bool:
        """Tell whether an address is that of a source, or the mailbox whose mails name it in a header."""
        local = parseaddr(address)[1].rpartition("@")[0] or address
        return local == tokens.MAILBOX or self._token(local) is not None

    def _token(self, local: str) -> IntakeToken | None:
        box, plus, secret = local.partition("+")
        token = tokens.find(secret) if plus and box == tokens.MAILBOX else None
        return token if token is not None and token.kind == IntakeKind.EMAIL else None

    def _taken(self, sender: str, recipient: str, body: bytes, client: str) -> str:
        local = parseaddr(recipient)[1].rpartition("@")[0] or recipient
        try:
            found = mail.read(body)
        except reading.Unreadable as refusal:
            return f"550 5.6.0 {refusal.sentence}"
        token = self._token(local) or self._token(f"{tokens.MAILBOX}+{found.headers[mail.INTAKE_HEADER]}")
        if token is None:
            return UNKNOWN
        loop = mail.loop_of(found, sender, _own_addresses())
        if loop:
            return f"550 5.7.1 {loop}"
        post = Post(token, body, content_type=CONTENT_TYPE, address=client, at=self.now())
        answer = take(replace(post, headers={}))
        if answer.status_code >= 500:
            return AGAIN
        return f"{'250 2.0.0' if answer.status_code == 200 else '550 5.6.0'} {_ascii(answer.sentence)}"


def _own_addresses() -> Iterable[str]:
    return (parseaddr(settings.DEFAULT_FROM_EMAIL)[1], parseaddr(settings.SERVER_EMAIL)[1])


def _ascii(sentence: str) -> str:
    """Return a sentence as a line of SMTP can hold it."""
    return sentence.encode("ascii", "replace").decode()[:400]


class Handler:
    """aiosmtpd's hooks: each asks the door in a thread, so that no sender waits for another."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        """Take a recipient, or refuse it."""
        refusal = await self._ask(self.door.recipient, address)
        if not refusal and envelope.rcpt_tos:
            refusal = ONE_EACH
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - likewise
        """Take in a mail; the reply comes after the commit."""
        client = str(session.peer[0]) if session.peer else ""
        return await self._ask(
            self.door.mail, envelope.mail_from or "", envelope.rcpt_tos[0], bytes(envelope.content or b""), client
        )

    async def handle_exception(self, problem: Exception) -> str:
        """Let the sender try again after a fault of ours."""
        log.error("A mail could not be taken in.", exc_info=problem)
        return AGAIN

    async def _ask(self, decide: Callable[..., str], *arguments: Any) -> str:
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: _decided(decide, *arguments))


def _decided(decide: Callable[..., str], *arguments: Any) -> str:
    """Decide on a connection of its own: mails are few, and one that broke is never met again."""
    try:
        return decide(*arguments)
    finally:
        connections.close_all()


def controller(host: str, port: int, *, now: Callable[[], datetime]) -> Controller:
    """Return the server, not yet started."""
    return Controller(
        Handler(Door(now)), hostname=host, port=port, data_size_limit=LARGEST, timeout=SECONDS, ident="Watchbook",
        enable_SMTPUTF8=True,
    )  # fmt: skip
