"""`python -m tests.bench [NAME ...]`: run the named benchmarks, or all, and fail when a limit is missed."""

from __future__ import annotations

import importlib
import subprocess
import sys

import django
from django.core.management import call_command

from tests.bench.place import own_place
from tests.bench.report import note

NAMES = (
    "checklists",
    "changes",
    "changes-machine",
    "deadlines",
    "lateness",
    "maintenance",
    "oncall",
    "pages",
    "saving",
    "reconcile",
    "recovery",
    "room",
    "search",
    "storm",
    "trail",
    "verify",
)


def main(names: list[str]) -> int:
    """Run each benchmark on a fresh database. Returns 1 when a limit was missed, 2 for a name that is not known."""
    unknown = set(names) - set(NAMES)
    if unknown:
        note(f"There is no benchmark {', '.join(sorted(unknown))}. Known are {', '.join(NAMES)}.")
        return 2
    if len(wanted := names or list(NAMES)) > 1:  # each in a process of its own, so that none finds another's rows
        return max(
            subprocess.run([sys.executable, "-m", "tests.bench", name], check=False).returncode for name in wanted
        )
    with own_place() as address:
        django.setup()
        call_command("migrate", verbosity=0)
        importlib.import_module("portal.wsgi")  # as the server: what is loaded is not collected during a request
        note(f"{wanted[0]} ...")
        return 0 if importlib.import_module(f"tests.bench.{wanted[0].replace('-', '_')}").run(address) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
