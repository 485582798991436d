"""Twenty thousand steps of what people do with changes in any order, on as many processors as there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, transaction

from portal.audit.actor import acting
from tests.bench.report import note, say
from tests.changes import machine

STEPS = 20_000
PLAYERS = min(4, os.cpu_count() or 1)
PLAYER = (
    "import sys, django; django.setup(); from tests.bench import changes_machine as one; one.play(int(sys.argv[1]))"
)


def run(address: str) -> bool:
    """Let players play, each on a copy of the database; the slowest says how long it took."""
    begun, share = time.perf_counter(), STEPS // PLAYERS
    places = [_copy(address, number) for number in range(PLAYERS)]
    connection.close()
    players = [
        subprocess.Popen(
            [sys.executable, "-c", PLAYER, str(share)], env=os.environ | {"DATABASE_URL": place},
            stdout=subprocess.PIPE,
        )
        for place in places
    ]  # fmt: skip
    said = [_said(player) for player in players]
    for number in range(PLAYERS):
        _execute(f'DROP DATABASE "{_name(address, number)}"')
    steps = sum(one.get("steps", 0) for one in said)
    begun_, refused = (sum((Counter(one.get(what)) for one in said), Counter()) for what in ("begun", "refused"))
    lacks = set.intersection(*(set(one.get("lacks", ["a player ended"])) for one in said))
    note(f"  begun {dict(begun_)}; refused {refused.total()} attempts on {len(refused)} forbidden paths")
    return say(
        "changes.any_order", steps, "steps", limit=STEPS, at_least=True,
        whole=not lacks and not any(player.returncode for player in players), baseline=0, of="changes begun unlawfully",
        seconds=round(time.perf_counter() - begun), players=PLAYERS, begun=dict(begun_), refused=refused.total(),
        paths=len(refused), fewest=min(refused.values(), default=0), lacks=sorted(lacks),
    )  # fmt: skip


def _said(player: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return what a player found; nothing of one that found a broken promise, which it has printed."""
    out, _ = player.communicate()
    if player.returncode:
        note(out.decode())
        return {}
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def _name(address: str, number: int) -> str:
    return f"{urlsplit(address).path.lstrip('/')}_{number}"


def _copy(address: str, number: int) -> str:
    """Copy the migrated database, which nobody else is connected to, and return the address of the copy."""
    _execute(f'CREATE DATABASE "{_name(address, number)}" TEMPLATE "{urlsplit(address).path.lstrip("/")}"')
    return urlsplit(address)._replace(path=f"/{_name(address, number)}").geturl()


def _execute(statement: str) -> None:
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


def play(steps: int) -> None:
    """Play in this process, and print what came of it. A broken promise ends it with the example that broke it."""
    begun = time.perf_counter()

    def told(tally: machine.Tally) -> None:
        note(f"  {tally.steps} steps in {time.perf_counter() - begun:.0f} s, begun {dict(tally.begun)}")

    with acting(by="bench", reason="A benchmark", origin="command"), transaction.atomic():
        machine.settle()
        tally = machine.play(steps=steps, told=told)
        transaction.set_rollback(True)
    found = {"steps": tally.steps, "begun": tally.begun, "refused": tally.refused, "lacks": tally.lacks}
    sys.stdout.write(json.dumps(found))
