"""A packet verifies without the portal, and nothing in it is changed unseen: no byte, no row, not by signing anew."""

import csv
import hashlib
import io
import json
import random
import re
import runpy
import struct
import zipfile
import zlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.assurance.packets import document
from portal.assurance.packets.container import Container
from tests.factories.packets import VERIFIER, anchor_line, files_of, pack, verify

# The packet is made in a database, which exists for marked tests only.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]
FORGER = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01")
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x02").public_key().public_bytes_raw().hex()
PLACES = 4  # random bytes changed in each file
often = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture(scope="module")
def files(packet):
    return files_of(packet)


@pytest.fixture(scope="module")
def key(packet):
    with zipfile.ZipFile(packet) as container:
        return json.loads(container.read("signature.json"))["public_key"]


@pytest.fixture
def forged(files, tmp_path):
    """`forged(name, change)`: the packet with one file changed, and everything signed anew by somebody else."""

    def forged(*changes, signed_by=FORGER):
        made = dict(files)
        for name, change in changes:
            content = change(made.get(name, b""))
            if content is None:
                del made[name]
            else:
                made[name] = content
        return pack(tmp_path / "forged.zip", made, signed_by)

    return forged


def lines_changed(change):
    """Change the list of parsed lines of the chain."""

    def changed(content):
        rows = [json.loads(line) for line in content.splitlines()]
        rows = change(rows) or rows
        return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)

    return changed


def json_changed(change):
    def changed(content):
        found = json.loads(content)
        change(found)
        return json.dumps(found, ensure_ascii=False).encode()

    return changed


def sample_of(files, number=0):
    return sorted(name for name in files if name.startswith("sample/") and name.endswith(".json"))[number]


def flipped(content, place, bit):
    return content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]


# A sound packet.


def test_a_packet_verifies_on_a_machine_without_the_portal(packet, key):
    told = verify(packet, "--key", key)
    assert (told.returncode, told.stderr) == (0, "")
    assert "This packet VERIFIES, with the key that you trust." in told.stdout
    assert "WRONG" not in told.stdout


def test_it_says_what_it_checked_and_what_that_does_not_prove(packet, key):
    words = verify(packet, "--key", key).stdout
    for told in ("SHA-256", "follow from the seed", "without a gap", "bytes that were sealed", "anchors fit the chain"):
        assert told in words
    assert "This does not prove" in words
    assert "That what was written was true." in words


def test_the_program_stands_alone():
    source = VERIFIER.read_text()
    assert "django" not in source.lower()
    assert "from portal" not in source
    assert "import portal" not in source


def test_the_key_is_pinned_by_itself_or_by_its_name(packet, key, check, verifier):
    assert check(packet, "--key", verifier.name_of(key))[0] == 0
    assert check(packet, "--key", OTHER_KEY)[0] == 1
    assert "which is not the key that you trust" in check(packet, "--key", OTHER_KEY)[1]


def test_without_a_pinned_key_it_says_so_loudly(packet, key, check, verifier):
    code, words = check(packet)
    assert code == 0
    assert "ITS KEY IS NOT PINNED" in words
    assert f"--key {verifier.name_of(key)}" in words


def test_two_keys_in_one_packet_are_pointed_out(forged, packet, check):
    assert "different keys" in check(forged())[1]
    assert "different keys" not in check(packet)[1]


def test_what_is_no_key_is_refused(packet):
    told = verify(packet, "--key", "nonsense")
    assert told.returncode == 2
    assert "64 hexadecimal digits" in told.stderr


def test_the_copy_in_the_packet_is_the_program_itself(files):
    assert files["verify_packet.py"] == VERIFIER.read_bytes()


def test_the_sample_can_be_drawn_again_by_hand(files):
    facts = json.loads(files["packet.json"])
    count, seed = facts["population"]["count"], facts["sample"]["seed"]
    ranked = sorted(range(1, count + 1), key=lambda n: hashlib.sha256(f"{seed}:{n}".encode()).hexdigest())
    assert facts["sample"]["numbers"] == sorted(ranked[: facts["sample"]["asked"]])


# Not a byte.


def spans(path):
    """The name of each file of a packet with where its bytes begin and end, what stands before it included."""
    with zipfile.ZipFile(path) as container:
        for entry in container.infolist():
            start = entry.header_offset
            yield entry.filename, start, start + 30 + len(entry.filename) + entry.compress_size


def test_no_byte_of_any_file_can_be_changed(small_packet, check, tmp_path):
    whole, chance, target = small_packet.read_bytes(), random.Random(20261130), tmp_path / "flipped.zip"
    names = {name for name, _, _ in spans(small_packet)}
    assert {"anchors/before.json", "anchors/after.json", "chain.jsonl", "manifest.json", "signature.json"} < names
    for name, start, end in spans(small_packet):
        for place in (start, end - 1, *(chance.randrange(start, end) for _ in range(PLACES))):
            target.write_bytes(flipped(whole, place, chance.randrange(8)))
            code, words = check(target)
            assert code == 1, f"byte {place} was changed and nobody saw it: {words}"
            assert "DOES NOT VERIFY" in words
            assert name in words or place < start + 30, words


def test_no_byte_of_the_directory_can_be_changed(small_packet, check, tmp_path):
    whole, target = small_packet.read_bytes(), tmp_path / "flipped.zip"
    start = struct.unpack("<L", whole[-6:-2])[0]
    for place in range(start, len(whole)):
        target.write_bytes(flipped(whole, place, place % 8))
        assert check(target)[0] == 1, place


@often
@given(data=st.data())
def test_nothing_can_be_cut_added_or_overwritten(small_packet, check, tmp_path, data):
    whole = small_packet.read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, min(len(whole), start + 300)))
    put = data.draw(st.binary(max_size=300))
    changed = whole[:start] + put + whole[end:]
    target = tmp_path / "changed.zip"
    target.write_bytes(changed)
    assert check(target)[0] == (0 if changed == whole else 1)


@often
@given(st.binary(max_size=2000))
def test_garbage_is_refused_in_a_sentence(check, tmp_path, content):
    target = tmp_path / "garbage.zip"
    target.write_bytes(content)
    code, words = check(target)
    assert code == 1
    assert "no packet" in words or "zip file" in words


def test_a_changed_byte_is_found_by_the_program_as_a_process(packet, tmp_path):
    whole, chance = packet.read_bytes(), random.Random(1)
    for _ in range(5):
        target = tmp_path / "flipped.zip"
        target.write_bytes(flipped(whole, chance.randrange(len(whole)), chance.randrange(8)))
        told = verify(target)
        assert (told.returncode, told.stderr) == (1, "")
        assert "WRONG" in told.stdout


def test_a_packet_that_an_ordinary_zip_program_packed_anew_says_so(packet, check, tmp_path):
    target = tmp_path / "again.zip"
    with zipfile.ZipFile(packet) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    code, words = check(target)
    assert code == 1
    assert "not as packets" in words


def test_a_file_that_is_not_there_cannot_be_checked(tmp_path):
    told = verify(tmp_path / "nothing.zip")
    assert told.returncode == 2
    assert "could not be checked" in told.stderr


# Not by signing anew.


def test_a_packet_signed_anew_fails_with_the_pinned_key_and_is_flagged_without(forged, key, check):
    made = forged()
    assert check(made, "--key", key)[0] == 1
    assert "NOT PINNED" in check(made)[1]


FORGERIES = {
    "a word of a record": (
        "sample",
        json_changed(lambda record: record["record"].update(reason="Another reason")),
        "What can be read is not what its bytes say: reason",
    ),
    "a record's bytes": (
        "sample",
        json_changed(lambda record: record.update(payload=record["payload"].replace("e", "a", 1))),
        "Its bytes are not those that were sealed",
    ),
    "a difference": (
        "sample",
        json_changed(lambda record: record.update(differences=[])),
        "Its differences are not those that its bytes tell",
    ),
    "a salt": ("sample", json_changed(lambda record: record.update(salt="00" * 16)), "Its bytes are not those"),
    "a moment": (
        "chain.jsonl",
        lines_changed(lambda rows: rows[3].update(envelope=rows[3]["envelope"].replace("20", "19", 1))),
        "does not end as packet.json says",
    ),
    "a row taken away": ("chain.jsonl", lines_changed(lambda rows: rows.pop(4) and None), "position 6 stands where 5"),
    "a row taken away, the rest moved up": (
        "chain.jsonl",
        lines_changed(lambda rows: [row | {"position": n} for n, row in enumerate(rows[1:], 1)]),
        "number 2 stands where 1 belongs",
    ),
    "two rows swapped": (
        "chain.jsonl",
        lines_changed(lambda rows: [rows[1] | {"position": 1}, rows[0] | {"position": 2}, *rows[2:]]),
        "stands where",
    ),
    "the tail cut off": ("chain.jsonl", lines_changed(lambda rows: rows[:-3]), "does not end as packet.json says"),
    "a row left out of the population": (
        "chain.jsonl",
        lines_changed(lambda rows: rows[2].pop("number") and None),
        "is left out of the population",
    ),
    "a gap in the numbers": (
        "chain.jsonl",
        lines_changed(lambda rows: rows[2].update(number=99)),
        "number 99 stands where 3 belongs",
    ),
    "a part that says another's": (
        "chain.jsonl",
        lines_changed(lambda rows: rows[2].update(source=f"audit.trailrow,{rows[2]['row']}")),
        "is not written as seals are",
    ),
    "another seed": (
        "packet.json",
        json_changed(lambda facts: facts["sample"].update(seed="another")),
        "The sample does not follow from its seed",
    ),
    "other numbers": (
        "packet.json",
        json_changed(lambda facts: facts["sample"].update(asked=facts["sample"]["asked"] - 1)),
        "The sample does not follow from its seed",
    ),
    "another period": (
        "packet.json",
        json_changed(lambda facts: facts["period"].update({"from": "2098-01-01T00:00:00Z"} | {"to": "2099-01-01"})),
        "does not belong to the population",
    ),
    "a file added": ("extra.txt", lambda _: b"more", "The files are not those"),
    "a file missing": ("README.txt", lambda _: None, "The files are not those"),
    "a line of the population": (
        "population.csv",
        lambda content: content.replace(b'"created"', b'"deleted"', 1),
        "is not what the chain says",
    ),
    "a line too many": (
        "population.csv",
        lambda content: content + content.splitlines(keepends=True)[-1],
        "more lines than the population has rows",
    ),
    "an anchor": (
        "anchors/after.json",
        lambda content: content.replace(b'"portal":"http', b'"portal":"ftp', 1),
        "The signature of anchors/after.json does not fit",
    ),
    "no JSON": ("packet.json", lambda _: b"{", "is no JSON"),
    "a name twice": ("packet.json", lambda content: content.replace(b"{", b'{"format":1,', 1), "stands twice"),
    "more rows than the chain can hold": (
        "packet.json",
        json_changed(lambda facts: facts["population"].update(count=10**12)),
        "cannot hold so many",
    ),
    "a sample beyond measure": (
        "packet.json",
        json_changed(lambda facts: facts["sample"].update(asked=10**9)),
        "larger sample than can be",
    ),
    "half a row": (
        "packet.json",
        json_changed(lambda facts: facts["population"].update(count=2.5)),
        "no whole number",
    ),
    "a list in place of facts": ("packet.json", lambda _: b"[]", "not written as packets are"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forger_who_signs_anew_is_found_where_he_changed_something(what, forged, files, check):
    name, change, told = FORGERIES[what]
    made = forged((sample_of(files) if name == "sample" else name, change))
    code, words = check(made)
    assert code == 1, words
    assert told in words


def test_the_sentence_names_the_record_that_fails(forged, files, check):
    name = sample_of(files, 3)
    words = check(forged((name, json_changed(lambda record: record.update(position=7)))))[1]
    assert f"{name}: Its position is not that of" in words


def test_somebody_who_has_the_portals_key_is_found_by_an_anchor_that_was_kept(files, check, tmp_path):
    head = "ab" * 32
    rows = [json.loads(line) for line in files["chain.jsonl"].splitlines()]
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(anchor_line(rows[5]["position"], head, FORGER))
    made = pack(tmp_path / "p.zip", files | {"anchors/after.json": anchor_line(*end_of(files), FORGER)}, FORGER)
    assert check(made)[0] == 0
    code, words = check(made, "--against", kept)
    assert code == 1
    assert "rewritten after your anchor was made" in words


def test_an_anchor_that_was_kept_and_fits_is_said_so(files, packet, check, tmp_path, key):
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(files["anchors/after.json"])
    code, words = check(packet, "--against", kept, "--key", key)
    assert code == 0
    assert "Your own anchors name the same heads" in words


def test_an_anchor_of_another_part_of_the_chain_cannot_be_compared(packet, check, tmp_path):
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(anchor_line(10**6, "ab" * 32, FORGER))
    code, words = check(packet, "--against", kept)
    assert code == 2
    assert "none of your anchors lies in this packet" in words


def end_of(files):
    end = json.loads(files["packet.json"])["chain"]["after"]
    return end["position"], end["digest"]


# Containers that would do harm.


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "a\\b", "", "a//b", "C:x", "\u00e4"])
def test_a_name_that_leads_elsewhere_is_refused(name, check, tmp_path):
    target = tmp_path / "evil.zip"
    with zipfile.ZipFile(target, "w") as container:
        container.writestr(zipfile.ZipInfo(name or "x", (1980, 1, 1, 0, 0, 0)), b"evil")
    if not name:
        target.write_bytes(target.read_bytes().replace(b"x", b"\x00"))
    code, words = check(target)
    assert code == 1
    assert "not use" in words or "not as packets" in words


def test_a_bomb_is_not_unpacked(check, tmp_path):
    target = tmp_path / "bomb.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr(zipfile.ZipInfo("a.txt", (1980, 1, 1, 0, 0, 0)), b"")
    entry = struct.pack("<L", 2**32 - 1)
    whole = target.read_bytes()
    at = whole.index(b"PK\x01\x02")
    target.write_bytes(whole[: at + 24] + entry + whole[at + 28 :])
    code, words = check(target)
    assert code == 1
    assert "unpack to more than a packet holds" in words


def test_a_packed_file_that_ends_early_is_not_read_to_its_end(check, tmp_path):
    """One changed bit marks the first block as the last: what follows must not be copied again with every block."""
    chance, target = random.Random(7), tmp_path / "large.zip"
    with Container(target) as container:
        container.add("a.txt", b"".join(b"%x" % chance.getrandbits(256) for _ in range(400_000)))
        container.finish()
    whole, start = target.read_bytes(), 30 + len("a.txt")
    target.write_bytes(whole[:start] + bytes([whole[start] | 1]) + whole[start + 1 :])
    program = runpy.run_path(str(VERIFIER))
    with target.open("rb") as file:
        opened, fed = program["Container"](file), []
        opened.packed_blocks = lambda entry, blocks=opened.packed_blocks: (fed.append(1) or b for b in blocks(entry))
        with pytest.raises(program["Broken"], match="does not end where it says"):
            list(opened.blocks("a.txt"))
    assert len(fed) < 20


def test_the_same_name_twice_is_refused(check, tmp_path):
    target = tmp_path / "twice.zip"
    with Container(target) as container:
        container.add("a.txt", b"one")
        container.add("a.txt", b"two")
        container.finish()
    code, words = check(target)
    assert code == 1
    assert "stands twice" in words


# What it holds.


def test_masked_values_are_nowhere_in_it(packet, files):
    everything = b"".join(files.values()) + packet.read_bytes()
    assert b"+44 20 7946 0999" not in everything


def test_no_cell_of_the_population_starts_a_formula(files):
    table = list(csv.reader(io.StringIO(files["population.csv"].decode("utf-8-sig"), newline="")))
    assert len(table) == json.loads(files["packet.json"])["population"]["count"] + 1
    assert not [cell for line in table for cell in line if cell[:1] in set("=+-@\t\r\n")]


def test_a_page_tells_what_people_wrote_as_text_and_never_as_markup(files):
    pages = [content.decode() for name, content in files.items() if name.endswith(".html")]
    assert len(pages) == json.loads(files["packet.json"])["sample"]["count"]
    assert not [page for page in pages if "<b>" in page or "<script" in page or "http-equiv" in page]


def test_the_pdf_has_a_cover_the_sample_at_a_glance_and_a_page_for_each_record(files):
    assert files["packet.pdf"].startswith(b"%PDF-")
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", unpacked(files["packet.pdf"]))
    count = json.loads(files["packet.json"])["sample"]["count"]
    assert 2 + count <= len(pages) <= 2 + 2 * count  # a record with many differences runs on


def unpacked(pdf):
    """A PDF with its packed parts laid open."""
    parts = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return pdf + b"".join(zlib.decompressobj().decompress(part) for part in parts if part[:1] == b"\x78")


def test_what_the_pdf_tells_names_its_zone_the_kind_of_each_record_and_fits_a_page():
    about = {
        "export": "EXP-000001", "company": "Halyard Desk", "portal": "https://watchbook.example.org", "reason": "Audit",
        "asked_by": "Ada", "query": "All rows", "made_at": "2026-11-30T08:00:00Z", "key": "ab" * 8,
        "period": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}, "population": {"count": 900},
        "sample": {"asked": 500, "count": 500, "seed": "1", "numbers": list(range(1, 501))},
        "chain": {"before": {"position": 0}, "opened": 900, "withheld": 0,
                  "after": {"position": 900, "signed_at": "2026-12-01T00:00:00Z", "key": "ab" * 8}},
    }  # fmt: skip
    told = document.told(about, [])
    assert dict(told["asked"])["Period"] == "1 Nov 2026, 00:00 UTC until before 1 Dec 2026, 00:00 UTC"
    assert "39, 40 … and so on" in dict(told["method"])["Drawn"]
    assert told["check"][0][1].endswith("--key " + "ab" * 8)
    assert document._fitting("x" * 700).replace("\u200b", "").startswith("x" * 600 + " … (cut here")
