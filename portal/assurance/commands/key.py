"""`manage.py audit key [--renew]`: show the public key that signs the record, or put a new one in its place."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any, TextIO

from django.conf import settings
from django.core.management import CommandError

from portal import keys
from portal.audit import signing, trail
from portal.audit.enums import Action
from portal.lib import clock

HELP = "Show the public keys that sign the record; with --renew, put a new key in place of the one in the data folder."


def add_arguments(parser: ArgumentParser) -> None:
    """Take --renew."""
    parser.add_argument("--renew", action="store_true", help="Make a new key; the old public key stays known.")


def handle(options: dict[str, Any], out: TextIO) -> int:
    """Show the keys, or renew the portal's."""
    own = signing.signer()
    signing.keep_public_key(at=clock.now())
    if options["renew"]:
        if any(os.environ.get(name, "").strip() for name in ("SEAL_KEY", "SEAL_KEY_FILE")):
            raise CommandError("The key comes from SEAL_KEY or SEAL_KEY_FILE: change it there (docs/operator.md).")
        keys.renew(settings.DATA_FOLDER)
        event = f"Put a new signing key in place of {own.key_id}"
        trail.record(Action.EVENT, event=event, model="audit.signingkey", object_id=own.key_id, privileged=True)
        out.write(
            f"{own.key_id} signs no more. Restart every process of the portal; they then sign with the new key.\n"
        )
        return 0
    now = {own.key_id: " signs now"}
    out.writelines(f"{name} {key}{now.get(name, '')}\n" for name, key in signing.known_keys().items())
    return 0
