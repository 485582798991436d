"""`manage.py audit tombstone ask|confirm|list`: two administrators remove what a law makes go from sealed rows."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management import CommandError

from portal.assurance.commands import persons
from portal.assurance.exporting.policy import Refused as NoMoment
from portal.assurance.packets.asking import moment
from portal.audit import retention
from portal.audit.holds import REQUEST_LASTS, TombstoneRequest
from portal.lib import clock

HELP = "Ask for, confirm and list tombstones: the only way in which words leave the record, by two administrators."


def add_arguments(parser: ArgumentParser) -> None:
    """Take an act and its options."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    words = "Ask that the words of some sealed rows go. Nothing happens until somebody else confirms it."
    ask = acts.add_parser("ask", help=words, description=words)
    ask.add_argument("--model", metavar="KIND", help="the kind of the object, such as directory.contact")
    ask.add_argument("--object", metavar="ID", help="its number")
    ask.add_argument("--parts", action="store_true", help="also what belongs to the object, such as contact methods")
    ask.add_argument("--until", metavar="DAY", help="only rows of the trail up to this day or moment, in UTC")
    ask.add_argument(
        "--position", type=int, action="append", metavar="N", help="one place of the chain; may be repeated"
    )
    ask.add_argument("--reason", required=True, help="why; kept for good, so that it should name nobody")
    persons.add_arguments(ask)
    words = "Confirm a request of somebody else: the words go, for good."
    confirm = acts.add_parser("confirm", help=words, description=words)
    confirm.add_argument("request", type=int, metavar="REQUEST", help="the number of the request")
    persons.add_arguments(confirm)
    words = "List requests and tombstones, newest first."
    listed = acts.add_parser("list", help=words, description=words)
    listed.add_argument("--json", action="store_true", help="print one JSON list instead of sentences")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Do it; what does not fit is refused with its sentence."""
    act = {"ask": _ask, "confirm": _confirm, "list": _list}[options["act"]]
    try:
        act(options, out)
    except (retention.Refused, NoMoment) as refused:
        raise CommandError(str(refused)) from refused
    return 0


def _ask(options: dict[str, Any], out: TextIO) -> None:
    positions = _positions(options)
    by = persons.administrator(options)
    request = retention.ask(positions=positions, by=by, at=clock.database_now(), reason=options["reason"])
    many = f"{len(positions):,} sealed row{'' if len(positions) == 1 else 's'}"
    out.write(f"Request {request.pk} over {many}, asked by {request.asked_by}.\n")
    confirming = f"python3 manage.py audit tombstone confirm {request.pk} --by USERNAME"
    out.write(f"Within {REQUEST_LASTS.days} days another administrator confirms it: {confirming}\n")
    out.write("What a record holds today stays in it: change it first if that must go too.\n")


def _positions(options: dict[str, Any]) -> list[int]:
    if options["position"]:
        if options["model"] or options["object"]:
            raise CommandError("Name an object or positions, not both.")
        return sorted(set(options["position"]))
    if not options["model"] or not options["object"]:
        raise CommandError("Name the object with --model and --object, or places of the chain with --position.")
    until = moment(options["until"], end=True) if options["until"] else None
    return retention.positions_of(options["model"], options["object"], until=until, parts=options["parts"])


def _confirm(options: dict[str, Any], out: TextIO) -> None:
    request = TombstoneRequest.objects.filter(pk=options["request"]).first()
    if request is None:
        raise CommandError(f"There is no request {options['request']}. See: python3 manage.py audit tombstone list")
    by = persons.administrator(options)
    made = retention.confirm(request, by=by, at=clock.database_now())
    retention.forget(made)
    out.write(f"Tombstone {made.pk}: the words of {len(request.positions):,} sealed rows are gone, for good.\n")
    out.write("Backups, exports and archived logs of the database still hold them: see docs/operator.md.\n")


def _list(options: dict[str, Any], out: TextIO) -> None:
    found = [_told(request) for request in TombstoneRequest.objects.select_related("tombstone").order_by("-pk")]
    if options["json"]:
        out.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    for one in found:
        state = (
            f"tombstone {one['tombstone']}, confirmed by {one['confirmed_by']}" if one["tombstone"] else one["state"]
        )
        out.write(
            f"{one['request']}: {len(one['positions']):,} rows, asked by {one['asked_by']}, {state}: {one['reason']}\n"
        )
    if not found:
        out.write("Nobody has asked for a tombstone.\n")


def _told(request: TombstoneRequest) -> dict[str, Any]:
    made = getattr(request, "tombstone", None)
    waits = clock.now() - request.asked_at <= REQUEST_LASTS
    return {
        "request": request.pk,
        "state": "confirmed" if made is not None else "waiting" if waits else "ran out",
        "positions": request.positions,
        "reason": request.reason,
        "asked_at": request.asked_at.isoformat(),
        "asked_by": request.asked_by,
        "tombstone": made.pk if made is not None else None,
        "confirmed_at": made.confirmed_at.isoformat() if made is not None else None,
        "confirmed_by": made.confirmed_by if made is not None else None,
    }
