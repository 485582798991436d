"""The zip file of a packet: written so that every one of its bytes is accounted for, by a digest or by being fixed.

An ordinary zip file has bytes that nobody reads, such as dates and attributes; somebody could change them unseen. Here
they are the same in every packet, and the packed bytes of each file have a digest too.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

LOCAL, CENTRAL, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
STORED, DEFLATED = 0, 8
MADE_BY, NEEDS, DATE = 0x314, 20, 0x21  # Unix and version 2.0; 1 January 1980
LARGEST = 2**32 - 2  # of a zip file without extensions
BLOCK = 1 << 20


class TooLarge(ValueError):
    """The packet would be larger than such a file can be."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of the packet, as its manifest names it."""

    name: str
    size: int
    sha256: str
    packed: int
    packed_sha256: str

    def as_json(self) -> dict[str, object]:
        """Return it as the manifest holds it."""
        return {name: getattr(self, name) for name in ("name", "size", "sha256", "packed", "packed_sha256")}


class Container:
    """A zip file that is being written. Names are plain ASCII."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("w+b")
        self._directory: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str, content: bytes | Path, *, plain: bool = False) -> Packed:
        """Add a file, packed unless `plain`, and return its digests. TooLarge is raised."""
        start, raw = self._file.tell(), name.encode("ascii")
        method = STORED if plain else DEFLATED
        self._file.write(bytes(LOCAL.size) + raw)
        crc, size, whole, packed = self._write(content, method)
        fixed = (method, 0, DATE, crc, packed[0], size, len(raw))
        end = self._file.tell()
        if end > LARGEST or size > LARGEST:
            raise TooLarge(name)
        self._file.seek(start)
        self._file.write(LOCAL.pack(b"PK\x03\x04", NEEDS, 0, *fixed, 0))
        self._file.seek(end)
        entry = CENTRAL.pack(b"PK\x01\x02", MADE_BY, NEEDS, 0, *fixed, 0, 0, 0, 0, 0o600 << 16, start)
        self._directory.append(entry + raw)
        return Packed(name, size, whole, *packed)

    def _write(self, content: bytes | Path, method: int) -> tuple[int, int, str, tuple[int, str]]:
        """Write the content; return CRC, size and SHA-256 of it, and size and SHA-256 of what it was packed into."""
        packing = zlib.compressobj(6, zlib.DEFLATED, -15) if method == DEFLATED else None
        whole, packed = hashlib.sha256(), hashlib.sha256()
        crc = size = length = 0
        for block in _blocks(content):
            whole.update(block)
            crc, size = zlib.crc32(block, crc), size + len(block)
            out = packing.compress(block) if packing is not None else block
            packed.update(out)
            length += self._file.write(out)
        if packing is not None:
            out = packing.flush()
            packed.update(out)
            length += self._file.write(out)
        return crc, size, whole.hexdigest(), (length, packed.hexdigest())

    def finish(self) -> None:
        """Write the directory. Nothing can be added then."""
        start, directory, count = self._file.tell(), b"".join(self._directory), len(self._directory)
        if start + len(directory) > LARGEST:
            raise TooLarge("the directory")
        self._file.write(directory + END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0))
        self._file.flush()


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
