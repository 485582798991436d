#!/usr/bin/env python3
"""Checks an evidence packet of Watchbook, without Watchbook: this one file, Python 3.11 or newer, and `cryptography`.

    python3 verify_packet.py FILE [--key KEY]... [--against ANCHORS]

`--key` names the portal's key as you were given it when you first trusted the portal: the public key (64 hexadecimal
digits) or its name (16). Without it the packet is checked against the key that it brings along, and anybody can make
a key. `--against` names a file of anchors that you kept or were sent: their heads are compared with the packet.

It says what it checked and what that does not prove. Exit code 0: the packet verifies; 1: it does not; 2: it could not
be checked. Nothing is written and nothing is fetched. What is read here is defined in docs/packet-format.md and
docs/seal-format.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import heapq
import json
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.stderr.write("The package “cryptography” is needed to check signatures. Install it: pip install cryptography\n")
    sys.exit(2)

FORMAT = "watchbook-packet-1"
ALGORITHM = "sha256-rank-1"
TRAIL = "audit.trailrow"
SEAL, ANCHOR = "watchbook-seal-1", "watchbook-anchor-1"
MANIFEST, SIGNATURE, FACTS = "manifest.json", "signature.json", "packet.json"
CHAIN, DEFINITIONS, POPULATION = "chain.jsonl", "definitions.json", "population.csv"
BEFORE, AFTER = "anchors/before.json", "anchors/after.json"
ONLY_SIGNED = ("README.txt", "packet.pdf", "verify_packet.py")

MOST_FILES = 200_000
MOST_BYTES = 8 * 2**30  # of all files together
MOST_IN_MEMORY = 64 * 2**20  # of a file that is read at once
MOST_TO_PARSE = 8 * 2**20  # of a file of JSON, which takes many times its size once it is read
MOST_SAMPLED = 500  # as many as can be asked for
SHORTEST_LINK = 80  # bytes of the shortest line of the chain
LONGEST_LINE = 4 * 2**20
TIGHTEST = 1100  # deflate packs nothing tighter than about 1 in 1032
MOST_TOLD = 20
BLOCK = 1 << 16

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
HEX = re.compile(r"[0-9a-f]*")
DIGEST, DIGEST_OR_NONE, SOURCE = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{64}|-"), re.compile(r"[a-z0-9_.]+")
# The parts of a row that is laid open, and their forms.
PARTS = {
    "source": SOURCE,
    "shape": DIGEST,
    "history_shape": DIGEST_OR_NONE,
    "payload_digest": DIGEST,
    "history_digest": DIGEST_OR_NONE,
}
LOCAL, CENTRAL, END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
BAD = "This packet DOES NOT VERIFY. Do not rely on it. Keep it as it is, and ask the portal for another."


class Broken(Exception):
    """The packet is not what it should be; the sentence says where."""


class CannotCheck(Exception):
    """A check that was asked for is not possible; the sentence says why."""


# The container: a zip file of which every byte is accounted for.


@dataclass(frozen=True)
class Entry:
    """One file in the container, and where its packed bytes lie."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    start: int


class Container:
    """A zip file as packets are written: one file after the other, nothing between, before or behind them."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.entries = {entry.name: entry for entry in self._directory()}

    def _at(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        found = self.file.read(length)
        if len(found) != length:
            raise Broken("The file ends too early. It was cut, or is no packet.")
        return found

    def _directory(self) -> Iterator[Entry]:
        length = self.file.seek(0, 2)
        if length < END.size:
            raise Broken("This is no packet: the file is too short.")
        end = self._at(length - END.size, END.size)
        mark, _, _, _, count, size, start, _ = END.unpack(end)
        if mark != b"PK\x05\x06":
            raise Broken("This is no packet: it does not end as a zip file ends.")
        if end != END.pack(mark, 0, 0, count, count, size, start, 0) or start + size != length - END.size:
            raise Broken("The end of the zip file is not as packets end: something was added, removed or changed.")
        if count > MOST_FILES or size > MOST_IN_MEMORY:
            raise Broken("The zip file names more files than any packet has. It is not read further.")
        yield from self._walk(self._at(start, size), count, start)

    def _walk(self, directory: bytes, count: int, stop: int) -> Iterator[Entry]:
        """Yield each entry; the bytes of the directory and before each file must be those that packets have."""
        place, offset, total = 0, 0, 0
        names: set[str] = set()
        for _ in range(count):
            head = directory[place : place + CENTRAL.size]
            if len(head) < CENTRAL.size:
                raise Broken("The directory of the zip file is cut.")
            (method,), (crc, packed, size, name_length) = head_of(head)
            raw = directory[place + CENTRAL.size : place + CENTRAL.size + name_length]
            entry = Entry(lawful(raw, names), method, crc, packed, size, offset + LOCAL.size + name_length)
            total += size
            if size > TIGHTEST * packed + BLOCK or total > MOST_BYTES:
                raise Broken(f"{entry.name} would unpack to more than a packet holds. It is not read.")
            common = (method, 0, 0x21, crc, packed, size, name_length)
            if head != CENTRAL.pack(b"PK\x01\x02", 0x314, 20, 0, *common, 0, 0, 0, 0, 0o600 << 16, offset):
                raise Broken(f"The entry of {entry.name} in the zip file is not as packets are written.")
            if self._at(offset, LOCAL.size + name_length) != LOCAL.pack(b"PK\x03\x04", 20, 0, *common, 0) + raw:
                raise Broken(f"The bytes before {entry.name} in the zip file are not as packets are written.")
            yield entry
            place, offset = place + CENTRAL.size + name_length, entry.start + packed
        if place != len(directory) or offset != stop:
            raise Broken("The zip file holds bytes that belong to none of its files.")

    def entry(self, name: str) -> Entry:
        """Return the entry of a file that a packet must have."""
        if name not in self.entries:
            raise Broken(f"{name} is missing.")
        return self.entries[name]

    def packed_blocks(self, entry: Entry) -> Iterator[bytes]:
        """Yield the packed bytes of a file."""
        end = entry.start + entry.packed
        for start in range(entry.start, end, BLOCK):
            yield self._at(start, min(BLOCK, end - start))

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file; Broken is raised at its end when they are not those that were packed."""
        entry, crc, size = self.entry(name), 0, 0
        for block in self._unpacked(entry):
            crc, size = zlib.crc32(block, crc), size + len(block)
            if size > entry.size:
                raise Broken(f"{name} unpacks to more than it says.")
            yield block
        if (crc, size) != (entry.crc, entry.size):
            raise Broken(f"{name} does not unpack to what it says: its bytes were changed.")

    def _unpacked(self, entry: Entry) -> Iterator[bytes]:
        if entry.method == 0:
            yield from self.packed_blocks(entry)
            return
        if entry.method != 8:
            raise Broken(f"{entry.name} is packed in a way that packets do not use.")
        unpacking = zlib.decompressobj(-15)
        try:
            for packed in self.packed_blocks(entry):
                if unpacking.eof:  # reading on would copy all that is left over with each block
                    raise Broken(f"{entry.name} does not end where it says: its bytes were changed.")
                waiting = packed
                while waiting:
                    yield unpacking.decompress(waiting, BLOCK)
                    waiting = unpacking.unconsumed_tail
            yield unpacking.flush()
        except zlib.error as problem:
            raise Broken(f"{entry.name} cannot be unpacked: its bytes were changed.") from problem
        if not unpacking.eof or unpacking.unused_data:
            raise Broken(f"{entry.name} does not end where it says: its bytes were changed.")

    def read(self, name: str, most: int = MOST_TO_PARSE) -> bytes:
        """Return a whole file of moderate size."""
        if self.entry(name).size > most:
            raise Broken(f"{name} is larger than such a file can be.")
        return b"".join(self.blocks(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file, however large it is."""
        rest = b""
        for block in self.blocks(name):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise Broken(f"{name} has a line that is longer than any can be.")
        if rest:
            raise Broken(f"The last line of {name} is cut.")


def head_of(head: bytes) -> tuple[tuple[int], tuple[int, int, int, int]]:
    """Return how a file is packed, and its CRC, packed size, size and length of name, from its directory entry."""
    return struct.unpack_from("<H", head, 10), struct.unpack_from("<3LH", head, 16)  # type: ignore[return-value]


def lawful(raw: bytes, names: set[str]) -> str:
    """Return the name of a file, which is plain, leads nowhere else, and stands once."""
    name = raw.decode("ascii", "replace")
    if not NAME.fullmatch(name):
        raise Broken(f"The zip file holds a name that packets do not use: {name[:80]!r}. It is not read further.")
    if name in names:
        raise Broken(f"{name} stands twice in the zip file.")
    names.add(name)
    return name


# JSON and signatures.


def parsed(raw: bytes, what: str) -> Any:
    """Return JSON; Broken is raised for anything else, and for a name that stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name stands twice")
        return found

    try:
        return json.loads(raw.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as problem:
        raise Broken(f"{what} is no JSON that can be read ({problem}).") from problem


def compact(value: Any) -> bytes:
    """Return the one JSON text of a value: names sorted, no spaces, letters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def name_of(public: str) -> str:
    """Return the name of a public key."""
    return sha(bytes.fromhex(public))[:16]


def is_key(public: str, pin: str) -> bool:
    """Tell whether a pin names this key: by the key itself, by its SHA-256, or by its name."""
    return pin in {public, sha(bytes.fromhex(public)), name_of(public)}


def signed(given: dict[str, Any], message: bytes, what: str) -> str:
    """Return the public key that signed the message; Broken is raised when it did not."""
    public, name, signature = (str(given.get(key, "")) for key in ("public_key", "key", "signature"))
    proper = HEX.fullmatch(public + name + signature) and (len(public), len(signature)) == (64, 128)
    if not proper or name != name_of(public):
        raise Broken(f"The key or the signature of {what} is not written as keys and signatures are.")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError) as problem:
        raise Broken(
            f"The signature of {what} does not fit: what it covers was changed, or it was itself."
        ) from problem
    return public


def anchor_of(line: bytes, what: str) -> dict[str, Any]:
    """Return an anchor whose signature fits."""
    found = parsed(line, what)
    if not isinstance(found, dict) or found.get("format") != ANCHOR or compact(found) != line.strip():
        raise Broken(f"{what} is no anchor as the portal writes them.")
    signed(found, compact({name: value for name, value in found.items() if name != "signature"}), what)
    if type(found["position"]) is not int or not DIGEST.fullmatch(str(found["head"])):
        raise Broken(f"{what} names no position or no head.")
    return found


# Rows as texts (docs/seal-format.md).


def told_texts(definition: dict[str, Any], part: str, text: bytes) -> dict[str, str | None]:
    """Return the columns of one part of a row by name, read back from its text."""
    found: dict[str, str | None] = {}
    rest: bytes | None = text
    for name, kind, of in definition["columns"]:
        if of != part:
            continue
        if rest is None:
            raise Broken("Its text ends before its last column.")
        word, comma, after = rest.partition(b",")
        value: bytes | None = word
        if kind in {"text", "json"} and word != b"-1":
            length = int(word) if word.isdigit() else -1
            value, comma, after = after[: max(length, 0)], after[length : length + 1], after[length + 1 :]
            if len(value) != length or comma not in {b"", b","}:
                raise Broken("A text in it does not have the length that stands before it.")
        elif word == (b"-1" if kind in {"text", "json"} else b"-"):
            value = None
        found[name] = None if value is None else value.decode()
        rest = after if comma else None
    if rest is not None and (found or rest):
        raise Broken("Its text goes on behind its last column.")
    return found


def link_of(row: dict[str, Any]) -> bytes:
    """Return the link of a row that is laid open: the digest of everything that its seal says.

    Each part is held to its form, so that none can say what belongs to another.
    """
    if type(row["row"]) is not int or not all(form.fullmatch(row[name]) for name, form in PARTS.items()):
        raise Broken(f"{CHAIN}: position {row['position']} is not written as seals are.")
    names = ("position", "source", "row", "shape", "history_shape", "payload_digest", "history_digest", "envelope")
    return hashlib.sha256(",".join([SEAL, *(str(row[name]) for name in names)]).encode()).digest()


def comparable(moment: str) -> str:
    """Return a moment of an envelope, of an anchor or of packet.json as text that sorts by time."""
    whole, _, fraction = moment.replace("T", " ").removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}"


# What the checks learn.


@dataclass
class Report:
    """What was checked, what is wrong, and what stays unproven, in sentences."""

    checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    unchecked: str = ""

    def complain(self, sentence: str) -> None:
        """Keep a problem; of very many only the first ones."""
        if len(self.problems) < MOST_TOLD:
            self.problems.append(sentence)

    def attempt(self, check: Callable[[], str]) -> bool:
        """Run a check that returns its sentence; what it raises is a problem. Tell whether it went well."""
        before = len(self.problems)
        try:
            sentence = check()
        except CannotCheck as problem:
            self.unchecked = str(problem)
            return False
        except Broken as problem:
            self.problems.append(str(problem))
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as problem:
            self.problems.append(f"Something in the packet is not written as packets are ({problem!r:.200}).")
        if len(self.problems) > before:
            return False
        self.checked.append(sentence)
        return True


@dataclass
class Packet:
    """An opened packet, and what the checks have learnt of it so far."""

    container: Container
    pins: list[str]
    report: Report = field(default_factory=Report)
    keys: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)  # anchors that the reader kept
    members: dict[int, dict[str, Any]] = field(default_factory=dict)  # sampled rows of the chain, by number
    digests: dict[int, str] = field(default_factory=dict)  # of the positions that somebody asks for
    figures: dict[str, int] = field(default_factory=dict)

    def trust(self, public: str, what: str) -> None:
        """Remember the key of a signature, and refuse one that is not among the pinned ones."""
        self.keys.add(public)
        if self.pins and not any(is_key(public, pin) for pin in self.pins):
            raise Broken(
                f"{what} is signed with key {name_of(public)}, which is not the key that you trust. Somebody else made "
                "or changed it, or the portal has another key since: ask for it, and name both with --key."
            )

    def envelope(self, row: dict[str, Any]) -> dict[str, str | None]:
        """Return the columns of an opened row that its link covers."""
        if row["shape"] not in self.definitions:
            raise Broken(f"{CHAIN}: position {row['position']} names a definition that the packet does not hold.")
        try:
            return told_texts(self.definitions[row["shape"]], "envelope", row["envelope"].encode())
        except Broken as problem:
            raise Broken(f"{CHAIN}: position {row['position']} cannot be read. {problem}") from problem

    def belongs(self, row: dict[str, Any]) -> bool:
        """Tell whether an opened row meets the conditions of the population, by its envelope."""
        if row["source"] != TRAIL:
            return False
        values, period = self.envelope(row), self.facts["period"]
        if not comparable(period["from"]) <= comparable(values["at"] or "") < comparable(period["to"]):
            return False
        return all(values[name] == value for name, value in self.facts["conditions"].items())


# The checks. Each returns the sentence of what holds.


def check_manifest(packet: Packet) -> str:
    """The manifest is signed."""
    raw, line = packet.container.read(MANIFEST, MOST_IN_MEMORY), packet.container.read(SIGNATURE)
    for name in (MANIFEST, SIGNATURE):
        if packet.container.entry(name).method != 0:
            raise Broken(f"{name} is packed in a way that packets do not use.")
    given, names = parsed(line, SIGNATURE), {"key", "public_key", "signature"}
    if not isinstance(given, dict) or compact(given) + b"\n" != line or given.keys() != names:
        raise Broken(f"{SIGNATURE} is not written as the portal writes it.")
    packet.trust(signed(given, FORMAT.encode() + b"\n" + raw, MANIFEST), MANIFEST)
    return f"The manifest is signed with key {given['key']}."


def check_files(packet: Packet) -> str:
    """Every file is the one of the manifest, none is missing, none was added."""
    manifest = parsed(packet.container.read(MANIFEST, MOST_IN_MEMORY), MANIFEST)
    if manifest["format"] != FORMAT:
        raise Broken(f"This packet is of format {manifest['format']!r:.60}; this program reads {FORMAT}.")
    listed = {found["name"]: found for found in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        raise Broken(f"{MANIFEST} names a file twice.")
    there = packet.container.entries.keys() - {MANIFEST, SIGNATURE}
    for name in sorted(listed.keys() - there):
        packet.report.complain(f"{name} is missing.")
    for name in sorted(there - listed.keys()):
        packet.report.complain(f"{name} was added: the manifest does not name it.")
    for name in sorted(there & listed.keys()):
        try:
            check_file(packet.container, name, listed[name])
        except Broken as problem:
            packet.report.complain(str(problem))
    return f"Each of the {len(listed):,} files is the one of the manifest, by SHA-256. None is missing, none was added."


def check_file(container: Container, name: str, listed: dict[str, Any]) -> None:
    """Refuse a file that is not the one of the manifest, and one that was packed anew."""
    entry, packed, whole = container.entry(name), hashlib.sha256(), hashlib.sha256()
    for block in container.packed_blocks(entry):
        packed.update(block)
    for block in container.blocks(name):
        whole.update(block)
    if (whole.hexdigest(), entry.size) != (listed["sha256"], listed["size"]):
        raise Broken(f"{name} is not the file that the manifest names: its SHA-256 differs.")
    if (packed.hexdigest(), entry.packed) != (listed["packed_sha256"], listed["packed"]):
        raise Broken(f"{name} was packed anew: its bytes in the zip file are not those of the manifest.")


def check_facts(packet: Packet) -> str:
    """What the packet says of itself fits together."""
    facts = parsed(packet.container.read(FACTS), FACTS)
    for text in parsed(packet.container.read(DEFINITIONS), DEFINITIONS):
        packet.definitions[sha(text.encode())] = parsed(text.encode(), DEFINITIONS)
    if facts["format"] != FORMAT or facts["sample"]["algorithm"] != ALGORITHM:
        raise Broken(f"{FACTS} names a format or a way of sampling that this program does not know.")
    numbers, count, asked = facts["sample"]["numbers"], facts["population"]["count"], facts["sample"]["asked"]
    if any(type(figure) is not int for figure in (count, asked, *numbers)):
        raise Broken(f"{FACTS} has a figure that is no whole number.")
    if not 0 <= count <= packet.container.entry(CHAIN).size // SHORTEST_LINK:
        raise Broken(f"{FACTS} speaks of {count:,} rows, and {CHAIN} cannot hold so many.")
    if max(len(numbers), asked) > MOST_SAMPLED:
        raise Broken(f"{FACTS} speaks of a larger sample than can be asked for.")
    pages = {f"sample/{number:06d}.{ending}" for number in numbers for ending in ("json", "html")}
    anchors = {AFTER} | ({BEFORE} if facts["chain"]["before"]["position"] else set())
    wanted = {MANIFEST, SIGNATURE, FACTS, CHAIN, DEFINITIONS, POPULATION, *ONLY_SIGNED, *pages, *anchors}
    if different := wanted ^ packet.container.entries.keys():
        raise Broken(f"The files are not those that {FACTS} speaks of: {', '.join(sorted(different))[:300]}.")
    packet.facts = facts
    return f"The packet speaks of {count:,} rows and a sample of {len(numbers):,}, and has the files that it speaks of."


def check_sample(packet: Packet) -> str:
    """The sampled numbers follow from the seed."""
    sample, count = packet.facts["sample"], packet.facts["population"]["count"]
    ranked = ((sha(f"{sample['seed']}:{number}".encode()), number) for number in range(1, count + 1))
    drawn = sorted(number for _, number in heapq.nsmallest(sample["asked"], ranked))
    if drawn != sample["numbers"]:
        raise Broken(f"The sample does not follow from its seed: it would begin with {str(drawn[:10])[1:-1]}.")
    return f"The {len(drawn):,} sampled numbers follow from the seed “{sample['seed'][:80]}” and {count:,} rows."


def check_chain(packet: Packet) -> str:
    """Positions, links and digests between the anchors; who belongs to the population, and that nobody is left out."""
    begin, end = packet.facts["chain"]["before"], packet.facts["chain"]["after"]
    position, digest = begin["position"], bytes.fromhex(begin["digest"])
    if position == 0 and digest != bytes(32):
        raise Broken("The chain does not begin as chains begin: before position 1 stand 32 zero bytes.")
    sampled, tally = set(packet.facts["sample"]["numbers"]), {"number": 0, "opened": 0, "withheld": 0}
    asked = {anchor["position"] for anchor in packet.kept} | {end["position"]}
    packet.digests[position] = begin["digest"]
    for raw in packet.container.lines(CHAIN):
        position += 1
        row = parsed(raw, f"Position {position} in {CHAIN}")
        if row["position"] != position:
            found = row["position"]
            raise Broken(f"{CHAIN}: position {found} stands where {position} belongs. A seal is missing, or was added.")
        digest = hashlib.sha256(digest + count_link(packet, row, tally, sampled)).digest()
        if position in asked or row.get("number") in sampled:
            packet.digests[position] = digest.hex()
    if (position, digest.hex()) != (end["position"], end["digest"]):
        raise Broken(
            f"{CHAIN} does not end as {FACTS} says, but at position {position:,} with digest {digest.hex()[:16]}…: a "
            "row was edited, removed, added, moved or cut off. A link that was changed does not say which row it was."
        )
    if tally["number"] != packet.facts["population"]["count"]:
        packet.report.complain(f"{CHAIN} numbers {tally['number']:,} rows, and {FACTS} says otherwise.")
    packet.figures = tally
    return (
        f"Positions {begin['position'] + 1:,} to {position:,} of the chain follow one another without a gap, and their "
        f"digests were computed anew. The population is numbered 1 to {tally['number']:,} without a gap; of the "
        f"{tally['opened']:,} rows that are laid open, these and no others meet its conditions."
    )


def count_link(packet: Packet, row: dict[str, Any], tally: dict[str, int], sampled: set[int]) -> bytes:
    """Return the link of a position, and count what stands there."""
    if "link" in row:
        tally["withheld"] += 1
        if row.keys() != {"position", "link"} or not DIGEST.fullmatch(row["link"]):
            raise Broken(f"{CHAIN}: position {row['position']} is not written as links are.")
        return bytes.fromhex(row["link"])
    tally["opened"] += 1
    belongs = packet.belongs(row)
    if belongs != ("number" in row):
        verb = "is left out of" if belongs else "does not belong to"
        packet.report.complain(f"{CHAIN}: the row at position {row['position']} {verb} the population.")
    if "number" in row:
        tally["number"] += 1
        if row["number"] != tally["number"]:
            packet.report.complain(f"{CHAIN}: number {row['number']} stands where {tally['number']} belongs.")
        if row["number"] in sampled:
            packet.members[row["number"]] = row
    return link_of(row)


def check_records(packet: Packet) -> str:
    """Each sampled record is the one that was sealed, and what can be read of it is what its bytes say."""
    gone, numbers = [], packet.facts["sample"]["numbers"]
    for number in numbers:
        name = f"sample/{number:06d}.json"
        try:
            if not check_record(packet, number, parsed(packet.container.read(name), name)):
                gone.append(number)
        except Broken as problem:
            packet.report.complain(f"{name}: {problem}")
    if gone:
        listed = ", ".join(map(str, gone[:MOST_TOLD]))
        packet.report.unproven.append(
            f"Who, why and what changed in the sampled records {listed}: a tombstone has destroyed their words."
        )
    return f"Each of the {len(numbers):,} sampled records has the bytes that were sealed, and reads as these bytes say."


def check_record(packet: Packet, number: int, given: dict[str, Any]) -> bool:
    """Check one sampled record; False when a tombstone stands in its place."""
    row = packet.members.get(number)
    if row is None:
        raise Broken("The chain holds no such row.")
    place = f"position {row['position']}"
    for key in ("number", "position", "row", "envelope", *PARTS):
        if given[key] != row[key]:
            raise Broken(f"Its {key.replace('_', ' ')} is not that of {place}.")
    if (given["link"], given["digest"]) != (link_of(row).hex(), packet.digests[row["position"]]):
        raise Broken(f"Its link or digest is not that of {place}.")
    payload, salt = given["payload"].encode(), given["salt"]
    if salt is not None and sha(bytes.fromhex(salt) + payload) != row["payload_digest"]:
        raise Broken(f"Its bytes are not those that were sealed at {place}: it was altered.")
    told = packet.envelope(row) | told_texts(packet.definitions[row["shape"]], "payload", payload)
    if given["record"] != told:
        wrong = sorted(column for column in told if given["record"].get(column, 0) != told[column])
        raise Broken(f"What can be read is not what its bytes say: {', '.join(wrong) or 'it names other columns'}.")
    names = ("field", "old", "new")
    if given["differences"] != [dict(zip(names, c, strict=True)) for c in json.loads(told["changes"] or "[]")]:
        raise Broken("Its differences are not those that its bytes tell.")
    return salt is not None


def check_population(packet: Packet) -> str:
    """The population list says of every row what the chain says."""
    rows = (row for raw in packet.container.lines(CHAIN) if "number" in (row := parsed(raw, CHAIN)))
    csv.field_size_limit(LONGEST_LINE)
    listed = csv.reader((line.decode("utf-8-sig") + "\n" for line in packet.container.lines(POPULATION)), strict=True)
    try:
        next(listed, None)
        for row in rows:
            if not is_listed(packet, row, next(listed, [])):
                packet.report.complain(f"{POPULATION}: the line of number {row['number']} is not what the chain says.")
        if next(listed, None) is not None:
            packet.report.complain(f"{POPULATION} has more lines than the population has rows.")
    except (csv.Error, UnicodeDecodeError) as problem:
        raise Broken(f"{POPULATION} cannot be read ({problem}).") from problem
    return f"{POPULATION} lists each row once, with the moment, action and object that the chain proves."


def is_listed(packet: Packet, row: dict[str, Any], line: list[str]) -> bool:
    """Tell whether a line says what the chain says. An apostrophe before a cell keeps it from being a formula."""
    values = packet.envelope(row)
    when = comparable(values["at"] or "").replace(" ", "T") + "Z"
    told = [str(row["number"]), str(row["position"]), str(row["row"]), when]
    told += [values[name] or "" for name in ("action", "model", "object_id")]
    return [cell.removeprefix("'") for cell in line[:7]] == [word.removeprefix("'") for word in told]


def check_anchors(packet: Packet) -> str:
    """The anchors around the population are signed, and name the digests that were computed."""
    told = []
    for name, key in ((BEFORE, "before"), (AFTER, "after")):
        if name not in packet.container.entries:
            continue
        anchor = anchor_of(packet.container.read(name).removesuffix(b"\n"), name)
        packet.trust(anchor["public_key"], name)
        place = (anchor["position"], anchor["head"])
        if place != (packet.facts["chain"][key]["position"], packet.digests.get(anchor["position"])):
            raise Broken(f"{name} names another head than this packet has at position {anchor['position']:,}.")
        told.append(f"position {anchor['position']:,}, signed {anchor['signed_at']} with key {anchor['key']}")
        weigh(packet, name, anchor["signed_at"])
    return f"The anchors fit the chain: {'; '.join(told)}."


def weigh(packet: Packet, name: str, signed_at: str) -> None:
    """Say what an anchor of that moment leaves open about the period."""
    period = packet.facts["period"]
    if name == BEFORE and comparable(signed_at) > comparable(period["from"]):
        packet.report.unproven.append(
            "That no row of the period stands before the first anchor: it was signed after the period had begun."
        )
    if name == AFTER and comparable(signed_at) < comparable(period["to"]):
        packet.report.unproven.append(
            f"What was recorded in the period after {signed_at}: it was not over when the packet was made."
        )


def read_kept(packet: Packet, path: Path) -> str:
    """The anchors that the reader kept are signed."""
    for number, line in enumerate(filter(None, path.read_bytes().splitlines()), 1):
        what = f"Line {number} of {path.name}"
        packet.kept.append(anchor_of(line, what))
        packet.trust(packet.kept[-1]["public_key"], what)
    return f"The {len(packet.kept):,} anchors in {path.name} are signed."


def check_against(packet: Packet) -> str:
    """The anchors that the reader kept name the same heads."""
    compared = 0
    for anchor in packet.kept:
        mine = packet.digests.get(anchor["position"])
        if mine is not None and mine != anchor["head"]:
            raise Broken(
                f"At position {anchor['position']:,} your own anchor names another head than this packet. "
                "What stands up to there was rewritten after your anchor was made."
            )
        compared += mine is not None
    if not compared:
        ends = packet.facts["chain"]
        span = f"{ends['before']['position']:,} to {ends['after']['position']:,}"
        raise CannotCheck(f"none of your anchors lies in this packet, which reaches from position {span}")
    return f"Your own anchors name the same heads as this packet at {compared:,} of its positions."


# What is said at the end.


def limits(packet: Packet) -> list[str]:
    """Return what this packet cannot prove."""
    found, facts = list(packet.report.unproven), packet.facts
    reader = facts.get("reader", facts["asked_by"])
    if withheld := packet.figures.get("withheld", 0):
        found.append(
            f"What stands at the {withheld:,} positions of which only the link is told: {reader} may "
            "not see those rows. They may belong to the period."
        )
    words = (
        f"The words beside rows that were not sampled in {POPULATION}, the PDF and the HTML pages: only the signature "
        "of the manifest covers them. The record of a sampled row is its JSON file."
    )
    return [
        *found,
        "That what was written was true. A seal shows that a row was not changed since it was sealed.",
        "What was written past the last anchor of this packet, such as a row that came late.",
        words,
        "When something was signed: the portal wrote the times itself. An anchor that you kept at the time proves it.",
    ]


def verify(packet: Packet, against: Path | None) -> None:
    """Run every check that can be run."""
    count = len(packet.container.entries)
    packet.report.checked.append(f"The zip file is whole: {count:,} files, and every byte is accounted for.")
    checks: list[Callable[[Packet], str]] = [check_manifest, check_files, check_facts, check_sample, check_chain]
    checks += [check_records, check_population, check_anchors]
    if against is not None:
        checks = [lambda packet: read_kept(packet, against), *checks, check_against]
    for check in checks:
        if check is check_against and packet.report.problems:
            return
        packet.report.attempt(lambda check=check: check(packet))  # type: ignore[misc]
        if (check is check_facts and not packet.facts) or (check is check_chain and not packet.figures):
            return


def say(packet: Packet, say_line: Callable[[str], None]) -> int:
    """Tell what came of the checks, and return the exit code."""
    facts, report = packet.facts, packet.report
    if facts and not report.problems:
        say_line(f"Evidence packet {facts['export']} of {facts['company']}, {facts['portal']}")
        say_line(f"Asked for by {facts['asked_by']}: {facts['reason']}")
        say_line(f"Made {facts['made_at']}. {facts['query']}\n")
    say_line("Checked")
    for sentence in report.checked:
        say_line(f"  ok     {sentence}")
    for sentence in report.problems[:MOST_TOLD]:
        say_line(f"  WRONG  {sentence}")
    if report.problems:
        say_line(f"\n{BAD}")
        return 1
    if report.unchecked:
        say_line(f"\nThe packet could not be checked in full: {report.unchecked}.")
        return 2
    say_line("\nThis does not prove")
    for sentence in limits(packet):
        say_line(f"  -      {sentence}")
    names = sorted(map(name_of, packet.keys))
    if packet.pins:
        say_line("\nThis packet VERIFIES, with the key that you trust.")
        return 0
    say_line(
        "\nThis packet VERIFIES in itself, BUT ITS KEY IS NOT PINNED: anybody can make one with a key of their own."
    )
    say_line(
        f"Compare the name of its key, {', '.join(names)}, with the one that you were given when you first trusted"
    )
    say_line(f"the portal, and check again with --key {' --key '.join(names)}.")
    if len(names) > 1:
        say_line("Its manifest and its anchors are signed with different keys: ask whether the portal has a new one.")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Check the packet that the command line names."""
    parser = argparse.ArgumentParser(description="Checks an evidence packet of Watchbook, without Watchbook.")
    parser.add_argument("file", type=Path, help="the packet, a zip file")
    parser.add_argument("--key", action="append", default=[], metavar="KEY", help="a key that you trust, or its name")
    parser.add_argument("--against", type=Path, metavar="ANCHORS", help="file of anchors that you kept")
    options = parser.parse_args(arguments)
    pins = [pin.strip().lower().replace(":", "") for pin in options.key]
    if any(not HEX.fullmatch(pin) or len(pin) not in {16, 64} for pin in pins):
        parser.error("a key has 64 hexadecimal digits, its name 16")

    def say_line(words: str) -> None:
        sys.stdout.write(words + "\n")

    try:
        with options.file.open("rb") as file:
            packet = Packet(Container(file), pins)
            verify(packet, options.against)
        return say(packet, say_line)
    except Broken as problem:  # of the container: nothing else can be checked
        say_line(f"Checked\n  WRONG  {problem}\n\n{BAD}")
        return 1
    except OSError as problem:
        sys.stderr.write(f"The packet could not be checked: {problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
