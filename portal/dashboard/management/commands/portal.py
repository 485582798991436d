"""`manage.py portal`: prepares the database and keeps web, workers, beat and broker running in the foreground."""

import argparse
import shlex
import socket
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError, connections

from portal.accounts.models import User
from portal.supervisor import broker, plan
from portal.supervisor.place import Taken, check_port, only_portal_of
from portal.supervisor.run import Supervisor

WEB_SECONDS = 60
BROKER_SECONDS = 20


def port_number(raw: str) -> int:
    """Return a port from 1 to 65535; argparse says the sentence otherwise."""
    if not raw.isdecimal() or not 1 <= int(raw) <= 65535:
        raise argparse.ArgumentTypeError(f"{raw} is not a port; use a number from 1 to 65535, such as 8000")
    return int(raw)


class Command(BaseCommand):
    """Start the portal. Ctrl-C stops all of it."""

    help = "Starts the whole portal in the foreground: database, demo company, web, workers, beat and broker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options. manage.py reads --data, --host and --port before the settings are loaded."""
        parser.add_argument("--port", type=port_number, default=8000, help="port of the pages (default 8000)")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--data", help="data folder (default var)")
        parser.add_argument("--no-demo", action="store_true", help="do not make the demo company")

    def handle(self, *, host: str, port: int, no_demo: bool, **_options: Any) -> None:
        """Prepare, start, watch, stop."""
        place = plan.Place(settings.BASE_DIR, settings.DATA_FOLDER, host, port, settings.INTAKE_SMTP)
        try:
            with only_portal_of(place.data):
                check_port(host, port)
                self.prepare(place, demo=not no_demo)
                self.supervise(place)
        except (Taken, broker.NoBroker) as problem:
            raise CommandError(f"Watchbook did not start: {problem}") from problem

    def tell(self, line: str) -> None:
        """Say one step."""
        self.stdout.write(line)
        self.stdout.flush()

    def prepare(self, place: plan.Place, *, demo: bool) -> None:
        """Bring the database up to date, with reference data and, when wanted, the demo company."""
        self.tell(f"Data folder: {place.data}")
        settings.ADDRESS_FILE.write_text(settings.PORTAL_URL + "\n")
        engine = connections["default"].display_name
        self.tell(f"Bringing the database up to date ({engine})")
        try:
            connections["default"].ensure_connection()
            self.migrate()
        except OperationalError as problem:
            raise Taken(
                f"the database does not answer ({str(problem).splitlines()[0]}). Start it, or correct DATABASE_URL."
            ) from problem
        self.tell_database_findings()
        if settings.SECURE:
            self.tell("Collecting the static files")
            call_command("collectstatic", interactive=False, verbosity=0)
        if demo:
            self.make_demo()
        connections.close_all()

    def migrate(self) -> None:
        """Migrate here; where the tables have an owner of their own, in a process that acts as that owner."""
        if not settings.HAS_OWNER_APART:
            call_command("migrate", interactive=False, verbosity=0)
            return
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "--no-input", "--verbosity", "0"]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Taken(f"the owner of the tables could not migrate ({last}). Correct MIGRATION_DATABASE_URL.")

    def tell_database_findings(self) -> None:
        """Say when guards of the record are missing, or could be lifted by the portal's own role."""
        if connections["default"].vendor == "sqlite":
            return  # whoever may write the file may do everything, which the operator's guide says
        for found in run_checks(tags=[Tags.database], databases=["default"]):
            self.tell(f"{'Error' if found.is_serious() else 'Warning'}: {found.msg} {found.hint or ''}".strip())

    def make_demo(self) -> None:
        """Make the demo company and its logins, which the command prints."""
        if "demo" not in get_commands():
            self.tell("There is no demo company in this version")
            return
        self.tell("Making the demo company")
        call_command("demo", stdout=self.stdout)

    def supervise(self, place: plan.Place) -> None:
        """Start all processes and watch them until a signal comes."""
        embedded = broker.prepare(place.data) if settings.BROKER_IS_EMBEDDED else None
        first = [plan.child(place, "broker", embedded.argv)] if embedded else []
        supervisor = Supervisor(first=first, rest=plan.children(place), tell=self.tell)
        supervisor.listen()
        try:
            self.start_broker(supervisor, embedded)
            supervisor.start(supervisor.rest)
            if supervisor.wait_until(lambda: listens(place), seconds=WEB_SECONDS):
                behind = f" (a proxy reaches it at {place.host}:{place.port})" if settings.SECURE else ""
                self.tell(f"Watchbook runs at {settings.PORTAL_URL}/{behind} - Ctrl-C stops it")
                self.tell_next_step(place)
            elif not supervisor.signals:
                self.tell(f"The pages do not answer yet; the reason stands in {place.data / 'logs' / 'web.log'}")
            supervisor.run()
        finally:
            supervisor.stop()

    def tell_next_step(self, place: plan.Place) -> None:
        """Say how to get a first login while nobody has one."""
        found = User.objects.filter(is_active=True).exists()
        connections.close_all()
        if not found:
            self.tell(f"Nobody can sign in yet. Make a first login in a second terminal:\n\n    {first_login(place)}\n")

    def start_broker(self, supervisor: Supervisor, embedded: broker.Broker | None) -> None:
        """Start the embedded broker, or look whether the one of REDIS_URL answers."""
        if embedded is None:
            if not broker.answers(settings.REDIS_URL):
                raise broker.NoBroker("the broker does not answer. Start it, or correct REDIS_URL, or unset REDIS_URL.")
            self.tell("Using the broker of REDIS_URL")
            return
        supervisor.start(supervisor.first)
        if supervisor.wait_until(lambda: broker.answers(embedded.address), seconds=BROKER_SECONDS):
            return
        if not supervisor.signals:
            broker.forget(embedded)
            self.tell("The broker could not read what it kept; it starts empty, and nothing is lost by that")
            supervisor.wait_until(lambda: broker.answers(embedded.address), seconds=BROKER_SECONDS)


def first_login(place: plan.Place) -> str:
    """Return the line that makes a login for this data folder, from the project's folder, in or out of its .venv."""
    return f"PORTAL_DATA={shlex.quote(str(place.data))} python3 manage.py createsuperuser"


def listens(place: plan.Place) -> bool:
    """Return whether somebody answers at the port of the pages."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((host, place.port), timeout=1).close()
    except OSError:
        return False
    return True
