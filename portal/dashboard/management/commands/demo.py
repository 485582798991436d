"""`manage.py demo`: make the demo company, and print how to sign in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.dashboard.demo import company, making
from portal.lib import clock


class Command(BaseCommand):
    """Fill an empty portal with an invented company. A second run changes nothing."""

    help = "Make the demo company: a dozen systems and people, forty incidents, a drill, one login for each role."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print the logins."""
        try:
            demo = making.make(by="demo company", now=clock.now())
        except making.NotEmpty as refusal:
            raise CommandError(str(refusal)) from refusal
        if demo.new:
            self.stdout.write(
                f"{company.NAME} stands, with {demo.incidents} incidents. No message of its past was sent."
            )
        else:
            self.stdout.write(f"{company.NAME} stands already; nothing was changed.")
        self._logins(demo)
        self._second_factor(demo)
        if demo.intake:
            self.stdout.write(f"Alertmanager may post to {demo.intake} (shown once).")

    def _logins(self, demo: making.Demo) -> None:
        if not demo.logins:
            self.stdout.write("No demo logins: this portal is reached over https, or they were removed.")
            return
        self.stdout.write(f"Sign in at {settings.PORTAL_URL}/ as one of: {', '.join(demo.logins)}")
        shown = demo.password or "the one that was printed when the company was made"
        self.stdout.write(f"Password of each: {shown}")

    def _second_factor(self, demo: making.Demo) -> None:
        """Leave word for the pages whether the demo's logins open this portal: then nobody needs a second factor."""
        if demo.logins:
            settings.DEMO_LOGINS.touch()
            self.stdout.write("Nobody needs a second factor to try it out; SECOND_FACTOR=required asks for one.")
        else:
            settings.DEMO_LOGINS.unlink(missing_ok=True)
