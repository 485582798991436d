"""Where evidence lies: each content once, under its SHA-256, in the folder `evidence` of the data folder. No model.

A file is written aside, hashed while it comes in, flushed to the disk, made read-only and linked into its place; then
the folder is flushed too. Whatever dies on the way leaves a draft, or an object that no row names: `clear_away` removes
both after a safe time, never what a row may still name.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.conf import settings

BLOCK = 1024 * 1024
RESERVE = 64 * 1024 * 1024  # what stays free for the database and the logs
SAFE_AFTER = timedelta(hours=24)
DRAFTS = "incoming"
LOCK = ".lock"
SWEEPING = ".sweeping"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DIGEST = re.compile(r"[0-9a-f]{64}")


class NoRoom(Exception):
    """The disk, or what the portal may use of it, is full."""


class Damaged(Exception):
    """What lies in the place of this content is not this content."""


def folder() -> Path:
    """Return the folder of evidence, made when absent."""
    return _made(Path(settings.DATA_FOLDER) / "evidence")


def path_of(digest: str) -> Path:
    """Return where the content with this SHA-256 lies. ValueError is raised for what is no digest."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest[:80]!r} is no SHA-256.")
    return folder() / digest[:2] / digest[2:4] / digest


def free_bytes() -> int:
    """Return how many bytes more may be taken in."""
    return max(shutil.disk_usage(folder()).free - RESERVE, 0)


def check_room(size: int) -> None:
    """Raise NoRoom unless a file of this size fits."""
    if size > free_bytes():
        raise NoRoom


def is_full(problem: BaseException) -> bool:
    """Tell whether something failed because the disk is full, the database's part of it included."""
    found: BaseException | None = problem
    while found is not None:
        if (isinstance(found, OSError) and found.errno in FULL) or "disk is full" in str(found).lower():
            return True
        found = found.__cause__
    return False


class Draft:
    """A file on its way in: written aside, counted and hashed. What is not kept is discarded when it is closed."""

    def __init__(self) -> None:
        self.path = _made(folder() / DRAFTS) / uuid.uuid4().hex
        self.size = 0
        self._digest = hashlib.sha256()
        with _telling_full():
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._is_open = True

    def write(self, chunk: bytes) -> None:
        """Append bytes; NoRoom is raised when the disk is full."""
        with _telling_full():
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._digest.update(chunk)
        self.size += len(chunk)

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written."""
        return self._digest.hexdigest()

    def settle(self) -> None:
        """Flush it to the disk and make it read-only."""
        with _telling_full():
            os.fsync(self._descriptor)
            os.fchmod(self._descriptor, 0o440)
        self._shut()

    def close(self) -> None:
        """Remove what lies aside. What was kept has a second name by then."""
        self._shut()
        self.path.unlink(missing_ok=True)

    def _shut(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def keep(draft: Draft) -> Path:
    """Put a draft into its place for good and return the place. Content that lies there already is read again.

    NoRoom is raised when the disk is full, Damaged when what lies there was altered.
    """
    draft.settle()
    target = path_of(draft.digest)
    with _telling_full():
        for place in (target.parent.parent, target.parent):
            _made(place)
        try:
            os.link(draft.path, target)
        except FileExistsError:
            if measure(target) != (draft.size, draft.digest):
                raise Damaged(draft.digest) from None
            os.utime(target)  # it is as young as the row that is about to name it
        for place in (target.parent, target.parent.parent, folder()):
            _flush(place)
    draft.close()
    return target


def measure(path: Path, tell: Callable[[int], object] | None = None) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of a file. OSError is raised when it is not there or cannot be read."""
    with path.open("rb") as file:
        return read_through(file, tell)


def read_through(file: BinaryIO, tell: Callable[[int], object] | None = None) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of what is left to read. `tell` is called with each block's length."""
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
        if tell is not None:
            tell(len(block))
    return size, digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A file in the folder: an object under its digest, or, without one, a draft or a stranger."""

    path: Path
    digest: str
    size: int
    age: timedelta

    @property
    def is_draft(self) -> bool:
        """Whether it was on its way in."""
        return self.path.parent.name == DRAFTS

    @property
    def name(self) -> str:
        """Where it lies, below the folder."""
        return str(self.path.relative_to(folder()))


def files(*, at: datetime) -> Iterator[Found]:
    """Yield every file of the folder, with its age at `at`. What goes meanwhile is left out."""
    top = folder()
    for path in sorted(top.rglob("*")):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if not path.is_dir() and path not in {top / LOCK, top / SWEEPING}:
                age = at - datetime.fromtimestamp(max(found.st_mtime, found.st_ctime), at.tzinfo)
                yield Found(path, _digest_at(path, top), found.st_size, age)


def _digest_at(path: Path, top: Path) -> str:
    parts = path.relative_to(top).parts
    name = parts[-1]
    in_place = parts == (name[:2], name[2:4], name) and _DIGEST.fullmatch(name)
    return name if in_place and not path.is_symlink() else ""


@contextmanager
def holding() -> Iterator[None]:
    """Keep whoever clears away out, while an object stands in its place and its row is not written yet."""
    with _locked(fcntl.LOCK_SH):
        yield


def clear_away(is_named: Callable[[str], bool], *, at: datetime, safe_after: timedelta = SAFE_AFTER) -> list[Found]:
    """Remove drafts and objects that nobody names and that are older than `safe_after`; return them.

    Nothing is done while somebody takes a file in. Strangers are left alone: nobody knows whose they are.
    """
    gone: list[Found] = []
    try:
        with _locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            for found in files(at=at):
                left = found.is_draft or (found.digest and not is_named(found.digest))
                if left and found.age > safe_after:
                    found.path.unlink(missing_ok=True)
                    gone.append(found)
    except BlockingIOError:
        pass
    return gone


@contextmanager
def sweeping() -> Iterator[bool]:
    """Tell whether nobody else on this machine sweeps, and keep them out."""
    try:
        with _locked(fcntl.LOCK_EX | fcntl.LOCK_NB, SWEEPING):
            yield True
    except BlockingIOError:
        yield False


@contextmanager
def _locked(how: int, name: str = LOCK) -> Iterator[None]:
    with (folder() / name).open("a") as lock:
        fcntl.flock(lock, how)
        yield


@contextmanager
def _telling_full() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise NoRoom from problem
        raise


def _made(place: Path) -> Path:
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _flush(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
