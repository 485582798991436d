"""`manage.py intake`: make, list and revoke the addresses that alerts are posted to."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from incidents.enums import IntakeKind
from incidents.intake import presets, tokens
from incidents.models import IntakeToken
from incidents.policy import Refused
from portal.audit.actor import Actor, current
from portal.audit.reasons import one_line
from portal.directory.models import Severity
from portal.lib import clock

RHYTHM = {"every_minutes": "every", "grace_minutes": "grace"}
ADDED = "A new source of alerts, added at the terminal of the portal"


class Command(BaseCommand):
    """Addresses of alerts. The secret in an address is printed once, by `add`, and kept nowhere."""

    help = "Make, list and revoke the addresses that alerts are posted to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the verb and what it needs."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|revoke|list")
        add = verbs.add_parser("add", help="Make an address and print it, once.")
        add.add_argument("name", help="What the source is called: it stands in the timeline.")
        add.add_argument(
            "--kind",
            type=_kind,
            choices=IntakeKind.values,
            default=IntakeKind.ALERTMANAGER,
            help="Its form (alertmanager).",
        )
        add.add_argument(
            "--preset",
            choices=sorted(presets.BY_SLUG),
            default="",
            help="The tool whose mapping a generic one begins with.",
        )
        add.add_argument("--severity", default="", help="The level when no label says one, such as SEV-2.")
        add.add_argument("--every", type=int, default=None, help="Of a heartbeat: minutes between two pings (60).")
        add.add_argument("--grace", type=int, default=None, help="Of a heartbeat: minutes a ping may be late (5).")
        add.add_argument("--reason", default=ADDED, help="Why; it is kept in the history for good.")
        revoke = verbs.add_parser("revoke", help="Answer an address no longer.")
        revoke.add_argument("name")
        revoke.add_argument("--reason", required=True, help="Why; it is kept in the history for good.")
        verbs.add_parser("list", help="Show the addresses, without their secrets.")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        """Do what was asked; CommandError says why it could not be done."""
        if verb != "list":
            options["reason"] = one_line(options["reason"])
            if not options["reason"]:
                raise CommandError('Say why, as in: --reason "The new monitoring posts here".')
        {"add": self._add, "revoke": self._revoke, "list": self._list}[verb](options)

    def _add(self, options: dict[str, Any]) -> None:
        severity = None
        if options["severity"]:
            severity = Severity.objects.filter(code__iexact=options["severity"]).first()
            if severity is None:
                codes = ", ".join(Severity.objects.values_list("code", flat=True))
                raise CommandError(f"There is no severity {options['severity']}. Choose one of {codes}.")
        try:
            token, secret = tokens.add(
                name=options["name"],
                kind=options["kind"],
                default_severity=severity,
                by=_by(),
                at=clock.now(),
                reason=options["reason"],
                preset=options["preset"],
                **{name: options[option] for name, option in RHYTHM.items() if options[option] is not None},
            )
        except ValidationError as problem:
            raise CommandError(f"The address was not made. {_said(problem)}") from None
        except Refused as refused:
            raise CommandError(f"The address was not made. {refused}") from None
        self.stdout.write(f"{token.name} posts to this address. It is shown this once; keep it like a password.")
        self.stdout.write(tokens.address_of(secret))
        if token.kind == IntakeKind.EMAIL:
            self.stdout.write(f"Mails go to {tokens.mail_address_of(secret)}, once INTAKE_SMTP is set.")
        if token.kind == IntakeKind.PAGERDUTY:
            self.stdout.write(f"Tools that know a routing key post to {tokens.enqueue_address()} with this key:")
            self.stdout.write(secret)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = IntakeToken.objects.filter(name=options["name"]).first()
        if token is None:
            raise CommandError(f"There is no intake address {options['name']}. `intake list` shows those that are.")
        try:
            tokens.revoke(token, by=_by(), at=clock.now(), reason=options["reason"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{token.name} is revoked: what is posted to its address is answered 404 from now on.")

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(IntakeToken.objects.annotate(last=Max("deliveries__received_at")).order_by("name"))
        for token in rows:
            state = f"revoked by {token.revoked_by}" if token.revoked_at else "in use"
            last = f"last post {token.last:%Y-%m-%d %H:%M} UTC" if token.last else "no post yet"
            self.stdout.write(f"{token.name}: {token.get_kind_display()}, {state}, {last}")
        if not rows:
            self.stdout.write("There is no intake address. Make one: manage.py intake add NAME --reason WHY")


def _kind(word: str) -> str:
    """Return the kind; the plain form is also called plain."""
    return IntakeKind.JSON if word == "plain" else word


def _by() -> Actor | str:
    """Return who started the command, as manage.py named them."""
    context = current()
    return context.actor if context is not None else "command: intake"


def _said(problem: ValidationError) -> str:
    """Return what is wrong, each with the name of its option."""
    if not hasattr(problem, "error_dict"):
        return " ".join(problem.messages)
    options = {field: f"--{option}" for field, option in RHYTHM.items()}
    named = ((options.get(field, field), one) for field, found in problem.message_dict.items() for one in found)
    return " ".join(one if field == NON_FIELD_ERRORS else f"{field}: {one}" for field, one in named)
