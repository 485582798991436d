"""`manage.py audit packet`: an evidence packet of a period, made at once and written to a file."""

from __future__ import annotations

import shutil
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management import CommandError
from django.db.models import Q

from portal.accounts import roles
from portal.accounts.models import User
from portal.assurance.exporting import services, storing, sweeps
from portal.assurance.exporting.enums import ExportFormat, ExportState
from portal.assurance.exporting.policy import Refused
from portal.assurance.models import Export
from portal.assurance.packets.asking import Asked, moment
from portal.assurance.packets.source import Packet
from portal.audit import signing
from portal.audit.actor import current
from portal.lib import clock

HELP = "Make an evidence packet: a period of the trail, a random sample of it, and the seals that prove both."
NOBODY = "There is neither a superuser nor an administrator. Name with --by with whose eyes it is made."
LATER = "The newest rows are still being sealed. Start the command again in a minute."
REASON = "No reason was given at the terminal"
THERE = "{path} is there already, and evidence is not written over. Choose another file."


def add_arguments(parser: ArgumentParser) -> None:
    """Take the period, the sample and the file."""
    parser.add_argument("--from", dest="starts", required=True, metavar="DAY", help="first day or moment, in UTC")
    parser.add_argument("--to", dest="ends", required=True, metavar="DAY", help="last day, or the moment that ends it")
    parser.add_argument("--sample", type=int, required=True, metavar="N", help="how many records are drawn")
    parser.add_argument("--seed", required=True, metavar="S", help="what the sample follows from")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip file that is written")
    parser.add_argument("--privileged", action="store_true", help="count privileged records alone")
    parser.add_argument(
        "--by",
        metavar="USERNAME",
        help="with whose eyes it is made; default: the first superuser, else administrator",
    )
    parser.add_argument("--reason", default=REASON, help="why; kept in the trail")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Make the packet as any export is made, and write it to the file."""
    target: Path = options["out"]
    if not target.parent.is_dir():
        raise CommandError(f"The folder {target.parent} does not exist. Make it, or choose another one.")
    if target.exists():
        raise CommandError(THERE.format(path=target))
    try:
        export = _made(options, out)
    except Refused as refusal:
        raise CommandError(str(refusal)) from refusal
    if export.state == ExportState.WAITING:
        services.give_up(export, LATER, at=clock.database_now())
        raise CommandError(LATER)
    if export.state != ExportState.DONE:
        raise CommandError(export.error)
    services.take_out(export, lambda: shutil.copyfile(storing.path_of(export), target))
    target.chmod(0o600)
    out.write(f"{target}: {export.rows:,} rows as {export.requester} may read them, {export.size:,} bytes.\n")
    out.write(f"SHA-256 {export.digest}\n")
    out.write("Check it, on any machine, with docs/verify_packet.py of this source code and a key that you trust:\n")
    out.write(f"python3 verify_packet.py {target.name} --key {signing.signer().key_id}\n")
    return 0


def _made(options: dict[str, Any], out: TextIO) -> Export:
    starts, ends = moment(options["starts"]), moment(options["ends"], end=True)
    asked = Asked(starts, ends, options["sample"], options["seed"], options["privileged"])
    token, reader, acting = uuid.uuid4(), _reader(options["by"]), current()
    export = services.ask(
        source=Packet.slug,
        format=ExportFormat.PACKET,
        parameters=asked.parameters(),
        by=reader,
        at=clock.database_now(),
        reason=options["reason"],
        token=token,
        asked_by=f"{acting.actor.name}, reading as {reader}" if acting is not None else "",
    )

    def tell(done: int, total: int | None) -> None:
        out.write(f"{done:,} of {total or 0:,} positions\n")

    sweeps.make(services.Held(export, token), now=clock.database_now, tell=tell)
    export.refresh_from_db()
    return export


def _reader(username: str | None) -> User:
    """Return with whose eyes the packet is made: the named account, else the first superuser or administrator."""
    accounts = User.objects.filter(is_active=True).order_by("-is_superuser", "pk")
    if username is not None:
        found = accounts.filter(username=username).first()
        if found is None:
            raise CommandError(f"There is no open account {username}.")
        return found
    found = accounts.filter(Q(is_superuser=True) | Q(groups__name=roles.BY_SLUG["administrator"].name)).first()
    if found is None:
        raise CommandError(NOBODY)
    return found
