"""Evidence packets for tests, checked as an auditor would: by the stand-alone program, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from portal.accounts.models import User
from portal.assurance.exporting import services, sweeps
from portal.assurance.exporting.storing import path_of
from portal.assurance.models import Export
from portal.assurance.packets.asking import Asked
from portal.assurance.packets.container import Container
from portal.audit.canonical import compact
from tests.factories.exports import make_auditor

VERIFIER = Path(__file__).resolve().parents[2] / "docs" / "verify_packet.py"
DAY = timedelta(days=1)
SIGNED_LAST = ("manifest.json", "signature.json")


def make_packet(
    *,
    by: User | None = None,
    starts: datetime | None = None,
    ends: datetime | None = None,
    size: int = 5,
    seed: str = "20261130",
    privileged: bool = False,
    at: datetime | None = None,
) -> Export:
    """A packet of the two days around now, made by the worker."""
    now = at or timezone.now()
    asked = Asked(starts or now - DAY, ends or now + DAY, size, seed, privileged)
    token = uuid.uuid4()
    export = services.ask(
        source="packet",
        format="packet",
        parameters=asked.parameters(),
        by=by or make_auditor(),
        at=now,
        reason="Yearly audit",
        token=token,
    )
    sweeps.make(services.Held(export, token), now=lambda: now)
    export.refresh_from_db()
    return export


def packet_file(export: Export) -> Path:
    """The packet's file."""
    assert export.state == "done", export.error
    return path_of(export)


def verify(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the stand-alone program says of a packet, with neither the portal nor Django in reach."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", str(VERIFIER), str(path), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        env={"PATH": os.defpath, "PYTHONIOENCODING": "utf-8"},
    )


def files_of(path: Path) -> dict[str, bytes]:
    """The files of a packet in their order, without manifest and signature."""
    with zipfile.ZipFile(path) as packet:
        return {
            name: packet.read(name) for name in packet.namelist() if name not in {"manifest.json", "signature.json"}
        }


def pack(path: Path, files: dict[str, bytes], key: Ed25519PrivateKey) -> Path:
    """A packet of these files, with a manifest that names them and the signature of a key: what a forger can do."""
    public = key.public_key().public_bytes_raw()
    with Container(path) as container:
        packed = [container.add(name, content).as_json() for name, content in files.items()]
        manifest = json.dumps({"format": "watchbook-packet-1", "files": packed}).encode()
        signature = {
            "key": hashlib.sha256(public).hexdigest()[:16],
            "public_key": public.hex(),
            "signature": key.sign(b"watchbook-packet-1\n" + manifest).hex(),
        }
        container.add("manifest.json", manifest, plain=True)
        container.add("signature.json", compact(signature).encode() + b"\n", plain=True)
        container.finish()
    return path


def anchor_line(
    position: int, head: str, key: Ed25519PrivateKey, signed_at: str = "2026-11-30T00:00:00.000000Z"
) -> bytes:
    """An anchor as a portal with this key would write it."""
    public = key.public_key().public_bytes_raw()
    statement = {
        "format": "watchbook-anchor-1",
        "portal": "https://watchbook.example.org",
        "position": position,
        "head": head,
        "rows": position,
        "previous": None,
        "signed_at": "2026-11-30T00:00:00.000000Z",
        "key": hashlib.sha256(public).hexdigest()[:16],
        "public_key": public.hex(),
    }
    signature = key.sign(compact(statement).encode()).hex()
    return compact(statement | {"signature": signature}).encode() + b"\n"
