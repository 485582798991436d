"""`manage.py audit anchor [--out FILE]`: sign the head of the chain now, and take it away."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management import CommandError

from portal.audit import anchors, sealing
from portal.lib import clock

HELP = "Seal what waits, sign the head of the chain, and print the anchor; it also leaves by every way that is set."


def add_arguments(parser: ArgumentParser) -> None:
    """Take --out."""
    parser.add_argument("--out", type=Path, metavar="FILE", help="Write the anchor to this file instead.")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Make the anchor and give it away."""
    while sealing.seal(at=clock.database_now()):
        continue
    try:
        line = anchors.anchor(at=clock.database_now()).line()
    except ValueError as problem:
        raise CommandError(str(problem)) from problem
    anchors.deliver(now=clock.database_now)
    if options["out"] is None:
        out.write(f"{line}\n")
        return 0
    try:
        options["out"].write_text(f"{line}\n")
    except OSError as problem:
        raise CommandError(f"{options['out']} cannot be written ({problem.strerror}).") from problem
    out.write(f"Wrote {options['out']}.\n")
    return 0
