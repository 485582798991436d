"""The packet as a PDF: figures and what the seals prove, the sample at a glance, then a page for each record."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from portal.assurance.packets.records import Sampled
from portal.assurance.packets.sampling import WORDS
from portal.lib.cells import in_words

HERE = Path(__file__).parent
LONGEST_WORD = 24
MOST_NAMED = 40
LONGEST_CELL = 600
STATEMENT = (
    "Every row of the trail is sealed soon after it is written: with its place in a chain, a salted digest of its "
    "words, and a digest that ties it to all places before it. The head of the chain is signed from time to time. "
    "From the signed head before this population to the one after it, the packet holds every place: laid open where "
    "the reader may see the row, as a bare link where not. So anybody can compute that no row between the two was "
    "altered, removed, added or moved. "
    "verify_packet.py does so without the portal. Take it from a place that you trust, and name the key that you trust."
)
LIMITS = (
    "That what was written was true. A seal shows that a row was not changed after it was sealed.",
    "What was written past the last anchor, such as a row that came late.",
    "Who wrote this document: the signature covers it, but its words are proven by the JSON files of the records only.",
)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=[str(HERE / "fonts")])


def write(path: Path, about: dict[str, Any], records: Sequence[Sampled], folder: Path) -> None:
    """Write the PDF to `path`; `folder` is for what it is made from."""
    place = folder / "document"
    place.mkdir()
    shutil.copyfile(HERE / "packet.typ", place / "packet.typ")
    (place / "packet.json").write_text(json.dumps(told(about, records), ensure_ascii=False), encoding="utf-8")
    path.write_bytes(typst.compile(str(place / "packet.typ"), root=str(place), font_paths=_fonts()))
    shutil.rmtree(place)


def told(about: dict[str, Any], records: Sequence[Sampled]) -> dict[str, Any]:
    """Return the words of the document: plain texts, in which long words may be broken."""
    chain, sample = about["chain"], about["sample"]
    before, after = chain["before"]["position"], chain["after"]["position"]
    counted = about["population"]["count"]
    found = {
        "about": {name: about[name] for name in ("export", "company", "portal", "asked_by", "query")},
        "count": f"{counted:,}",
        "figures": [
            {"number": f"{counted:,}", "words": "rows in the population"},
            {"number": f"{sample['count']:,}", "words": "records in the sample"},
            {"number": f"{after - before:,}", "words": "positions of the chain"},
            {"number": f"{chain['withheld']:,}", "words": "positions withheld"},
        ],
        "asked": [
            ["Asked for by", about["asked_by"]],
            ["Reason", about["reason"]],
            ["Made", _moment(about["made_at"])],
            ["Period", f"{_moment(about['period']['from'])} until before {_moment(about['period']['to'])}"],
        ],
        "method": [
            ["Population", f"{counted:,} rows, numbered from 1 without a gap in the order of their seals"],
            ["Seed", sample["seed"]],
            ["Method", f"{WORDS}; of these the {sample['asked']:,} smallest"],
            ["Drawn", _drawn(sample["numbers"])],
        ],
        "statement": [STATEMENT],
        "chain": [
            ["From", _end(chain["before"])],
            ["To", _end(chain["after"])],
            ["Laid open", f"{chain['opened']:,} positions"],
            ["Withheld", f"{chain['withheld']:,} positions: the reader may not see these rows"],
            ["Key", about["key"]],
        ],
        "check": [["With Python 3.11", f"python3 verify_packet.py PACKET.zip --key {about['key']}"]],
        "limits": list(LIMITS),
        "records": [_record(record) for record in records],
    }
    broken: dict[str, Any] = _breakable(found)
    return broken


def _moment(text: str) -> str:
    return in_words(datetime.fromisoformat(text))


def _drawn(numbers: Sequence[int]) -> str:
    told = ", ".join(f"{number:,}" for number in numbers[:MOST_NAMED])
    return told if len(numbers) <= MOST_NAMED else f"{told} … and so on: all of them are on the following pages"


def _end(end: dict[str, Any]) -> str:
    if not end["position"]:
        return "the beginning of the chain"
    return f"position {end['position']:,}, signed {_moment(end['signed_at'])} with key {end['key']}"


def _record(record: Sampled) -> dict[str, Any]:
    facts = record.facts()
    what = facts["what"] or facts["object"]
    object_ = f"{facts['kind']} {what} ({facts['object']})" if facts["what"] else facts["object"]
    privileged = ", privileged" if facts["privileged"] else ""
    event = f": {facts['event']}" if facts["event"] else ""
    return {
        "number": f"{record.number:,}",
        "short_when": facts["when"][:19],
        "who": facts["who"] or "nobody named",
        "summary": facts["event"] or f"{facts['action']} {facts['kind']} {what}".strip(),
        "facts": [
            ["When", facts["when"]],
            ["Who", (facts["who"] or "nobody named") + (f" (account {facts['account']})" if facts["account"] else "")],
            ["From where", facts["origin"] or "not known"],
            ["What", f"{facts['action']}{privileged}{event}"],
            ["Of what", object_ or "no record"],
            ["Why", facts["reason"] or "no reason given"],
            ["Gesture", facts["gesture"] or "none"],
        ],
        "no_differences": (
            "The words of this record were destroyed by a tombstone, as the law asks. Its seal still stands."
            if facts["destroyed"]
            else "This record tells of an act, not of a change."
        ),
        "differences": [] if facts["destroyed"] else [found._asdict() for found in facts["differences"]],
        "seal": [
            ["Position", str(facts["position"])],
            ["Row of the trail", str(facts["row"])],
            ["Digest of its words", facts["payload_digest"]],
            ["Link", facts["link"]],
            ["Digest", facts["digest"]],
            ["Proof", facts["file"]],
        ],
    }


def _breakable(value: Any) -> Any:
    """Return the words so that they fit a page: long ones may be broken, very long texts are cut and say so."""
    if isinstance(value, dict):
        return {name: found if name == "seal" else _breakable(found) for name, found in value.items()}
    if isinstance(value, list):
        return [_breakable(found) for found in value]
    return _fitting(value) if isinstance(value, str) else value


def _fitting(text: str) -> str:
    cut = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} … (cut here: the JSON file holds all of it)"
    return re.sub(rf"(\S{{{LONGEST_WORD}}})(?=\S)", "\\1\u200b", cut)
