"""Every management command acts as itself, in the name of whoever started it."""

import getpass
import socket
from collections.abc import Sequence

from django.core.management import execute_from_command_line

from portal.audit.actor import acting


def run(argv: Sequence[str]) -> None:
    """Run the command of `argv`, manage.py's own name first, as "command: <name> by <user>@<host>"."""
    name = argv[1] if len(argv) > 1 else "help"
    with acting(by=f"command: {name} by {_operator()}", origin="command"):
        execute_from_command_line(list(argv))


def _operator() -> str:
    """Return user and host of the operating system."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
