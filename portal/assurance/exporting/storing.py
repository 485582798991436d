"""Where the files of exports lie: in the data folder, readable by the portal alone, each named by its SHA-256."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from portal.assurance.models.exports import Export

BLOCK = 1024 * 1024


def folder() -> Path:
    """Return the folder of exports, made when absent."""
    found = Path(settings.DATA_FOLDER) / "exports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(export: Export) -> Path:
    """Return where the finished file of an export lies."""
    return folder() / export.stored_name


def begin(export: Export, token: uuid.UUID) -> Path:
    """Return a folder for the making of one file, empty; what dead workers left of the same export is removed."""
    discard(export)
    found = folder() / str(export.pk) / f"making-{token.hex}"
    found.mkdir(mode=0o700, parents=True)
    return found


def discard(export: Export) -> None:
    """Remove everything of an export. What is not there is no problem."""
    shutil.rmtree(folder() / str(export.pk), ignore_errors=True)


def settle(made: Path) -> tuple[int, str]:
    """Write a finished file to the disk for good, and return its size in bytes and its SHA-256."""
    made.chmod(0o600)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    return measure(made)


def measure(path: Path) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def keep(made: Path, export: Export) -> None:
    """Put a finished file into its place; `export` knows its digest."""
    made.replace(path_of(export))
    with suppress(OSError):
        shutil.rmtree(made.parent)
