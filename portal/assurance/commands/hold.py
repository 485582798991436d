"""`manage.py audit hold place|lift|list`: what a legal hold covers is never removed while it stands."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management import CommandError

from portal.assurance.commands import persons
from portal.assurance.selectors.retention import covered_by
from portal.audit import retention
from portal.audit.holds import LegalHold
from portal.lib import clock

HELP = "Place, lift and list legal holds: what one covers is never removed while it stands."


def add_arguments(parser: ArgumentParser) -> None:
    """Take an act and its options."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    words = "Place a hold on one object with its parts, on all of one kind, or on the whole record."
    place = acts.add_parser("place", help=words, description=words)
    place.add_argument("--title", required=True, help="what it is for, such as the name of a case")
    place.add_argument(
        "--model", default="", metavar="KIND", help="such as directory.contact; default: the whole record"
    )
    place.add_argument("--object", default="", metavar="ID", help="its number; default: all of the kind")
    words = "Lift a hold. What it covered may be removed from then on, by two people as ever."
    lift = acts.add_parser("lift", help=words, description=words)
    lift.add_argument("hold", type=int, metavar="HOLD", help="the number of the hold")
    for act in (place, lift):
        act.add_argument("--reason", required=True, help="why; kept for good")
        persons.add_arguments(act)
    words = "List the holds, newest first."
    listed = acts.add_parser("list", help=words, description=words)
    listed.add_argument("--json", action="store_true", help="print one JSON list instead of sentences")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Do it; what does not fit is refused with its sentence."""
    act = {"place": _place, "lift": _lift, "list": _list}[options["act"]]
    try:
        act(options, out)
    except retention.Refused as refused:
        raise CommandError(str(refused)) from refused
    return 0


def _place(options: dict[str, Any], out: TextIO) -> None:
    by = persons.administrator(options)
    hold = retention.place(
        title=options["title"], model=options["model"], object_id=options["object"], by=by, at=clock.database_now(),
        reason=options["reason"],
    )  # fmt: skip
    out.write(f"Hold {hold.pk} “{hold}” stands on {covered_by(hold)}.\n")


def _lift(options: dict[str, Any], out: TextIO) -> None:
    hold = LegalHold.objects.filter(pk=options["hold"]).first()
    if hold is None:
        raise CommandError(f"There is no hold {options['hold']}. See: python3 manage.py audit hold list")
    by = persons.administrator(options)
    retention.lift(hold, by=by, at=clock.database_now(), reason=options["reason"])
    out.write(f"Hold {hold.pk} “{hold}” is lifted.\n")


def _list(options: dict[str, Any], out: TextIO) -> None:
    holds = list(LegalHold.objects.all())
    if options["json"]:
        out.write(json.dumps([_told(hold) for hold in holds], indent=2, ensure_ascii=False) + "\n")
        return
    for hold in holds:
        state = "stands" if hold.stands else f"was lifted by {hold.lifted_by}"
        out.write(f"{hold.pk}: “{hold}” on {covered_by(hold)}, placed by {hold.placed_by}, {state}\n")
    if not holds:
        out.write("No hold was ever placed.\n")


def _told(hold: LegalHold) -> dict[str, Any]:
    return {
        "hold": hold.pk,
        "title": hold.title,
        "model": hold.model,
        "object": hold.object_id,
        "placed_at": hold.placed_at.isoformat(),
        "placed_by": hold.placed_by,
        "lifted_at": hold.lifted_at.isoformat() if hold.lifted_at is not None else None,
        "lifted_by": hold.lifted_by or None,
    }
