"""Where the files of exports lie: in the data folder, readable by the portal alone, each named by its SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from portal.assurance.models.exports import Export

BLOCK = 1024 * 1024
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def folder() -> Path:
    """Return the folder of exports, made when absent."""
    found = Path(settings.DATA_FOLDER) / "exports"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(export: Export) -> Path:
    """Return where the finished file of an export lies."""
    return folder() / export.stored_name


def begin(export: Export, token: uuid.UUID) -> Path:
    """Return a folder for the making of one file, empty. Nothing else is touched: the lease may be lost already."""
    found = folder() / str(export.pk) / f"making-{token.hex}"
    found.mkdir(mode=0o700, parents=True)
    return found


def tidy(export: Export, token: uuid.UUID) -> None:
    """Remove what the making under this token left, whoever holds the export now."""
    place = folder() / str(export.pk)
    shutil.rmtree(place / f"making-{token.hex}", ignore_errors=True)
    with suppress(OSError):  # a finished file lies there, or somebody else is at work
        place.rmdir()


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
    """Put a finished file into its place for good, and remove what dead workers left beside it.

    Only whoever holds the lease may do so, with the row locked; `export` knows the digest of the file.
    """
    target = path_of(export)
    made.replace(target)
    for left in target.parent.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        elif left != target:
            left.unlink()
    place = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def is_full(problem: BaseException) -> bool:
    """Tell whether something failed because the disk, or what the portal may use of it, is full."""
    found: BaseException | None = problem
    while found is not None:
        if any(isinstance(told, OSError) and told.errno in FULL for told in (found, *found.args)):
            return True
        found = found.__cause__ or found.__context__
    return False
