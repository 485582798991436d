#!/usr/bin/env python3
"""Watchbook's one command: `portal` starts everything, `test` runs the tests, and every command of Django."""

from __future__ import annotations

import os
import sys

from portal import bootstrap


def main(arguments: list[str]) -> None:
    """Continue inside the environment, then hand over to pytest or to Django."""
    bootstrap.enter(arguments)
    if arguments[:1] == ["test"]:
        test(arguments[1:])
    if arguments[:1] == ["portal"]:
        bootstrap.announce(arguments[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from portal.audit.commands import run  # stands on Django, which only the environment has

    run(sys.argv)


def test(arguments: list[str]) -> None:
    """Replace this process by pytest."""
    os.chdir(bootstrap.ROOT)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # under Playwright's loop the ORM refuses otherwise
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except bootstrap.CannotStart as problem:
        bootstrap.stop(problem)
    except KeyboardInterrupt:
        sys.exit("Stopped.")
