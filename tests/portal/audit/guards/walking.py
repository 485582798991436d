"""Takes an installation back to before its first migration, and forward again, with the guards in place.

Run in a process of its own, against a database and a data folder of its own. Prints a line for each step.
"""

from __future__ import annotations

import sys

import django
from django.core.management import call_command

# Every app of the project but the trail stands on content types. The trail goes first: it counts history rows.
STEPS = [(), ("audit", "zero"), ("contenttypes", "zero"), ()]


def main() -> int:
    """Walk; return 1 as soon as a guard is missing."""
    django.setup()
    from portal.audit import guards  # noqa: PLC0415 - after django.setup()
    from portal.audit.actor import acting  # noqa: PLC0415

    with acting(by="system: walk", reason="A walk through the migrations"):
        for step in STEPS:
            call_command("migrate", *step, verbosity=0, interactive=False)
            missing = guards.missing()
            print(*step, f"{len(missing)} missing", flush=True)  # noqa: T201
            if missing:
                return 1
    print(f"{len(guards.guarded_tables())} tables are guarded")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
