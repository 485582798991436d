"""Runbooks as other people write them, with what stands in each counted by hand."""

import re
from pathlib import Path

import pytest

from portal.runbooks.markdown.reporting import read_file

OTHERS = Path(__file__).parent / "others"
# Tables, boxes, numbered steps.
COUNTED = {
    "alert-in-setext.md": (0, 0, 4), "aws-style.md": (0, 2, 4), "boxes-in-a-table.md": (1, 4, 0),
    "capital-labels.md": (0, 3, 3), "compliance.md": (1, 3, 3), "emoji.md": (1, 2, 2), "front-matter.md": (1, 2, 3),
    "html-inside.md": (0, 2, 3), "long-numbers.md": (0, 0, 25), "many-titles.md": (0, 0, 8),
    "nested-lists.md": (0, 2, 7), "no-headings.md": (0, 0, 3), "questions.md": (0, 0, 4), "quoted.md": (0, 1, 4),
    "sre-playbook.md": (0, 0, 8), "step-headings.md": (0, 1, 2), "steps-broken-by-code.md": (0, 0, 4),
    "tables-of-all-kinds.md": (6, 0, 0), "tabs.md": (1, 2, 3), "wiki-export.md": (1, 0, 4),
}  # fmt: skip
KINDS = ("tables", "checkboxes", "numbered_steps")
AS_SAVED = {
    "as it is": lambda text: text.encode(),
    "with Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "with old Mac line ends": lambda text: text.replace("\n", "\r").encode(),
    "with a mark before it": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "with blanks at the ends of lines": lambda text: text.replace("\n", "  \n").encode(),
    "in UTF-16": lambda text: text.encode("utf-16"),
    "decoded wrongly once": lambda text: text.encode().decode("latin-1").encode(),
}


@pytest.fixture(params=sorted(COUNTED))
def name(request):
    return request.param


def test_each_file_is_counted():
    assert {path.name for path in OTHERS.iterdir()} == set(COUNTED)


@pytest.mark.parametrize("way", AS_SAVED)
def test_what_was_counted_by_hand_is_found_and_becomes_structure(name, way):
    text = (OTHERS / name).read_text(encoding="utf-8")
    reading = read_file(name, AS_SAVED[way](text))
    report = reading.report()
    assert tuple(report[kind]["found"] for kind in KINDS) == COUNTED[name]
    assert tuple(report[kind]["structured"] for kind in KINDS) == COUNTED[name]
    assert report["characters"]["kept"] == report["characters"]["read"] > 0
    again = read_file(name, reading.written.encode())
    assert (again.text, again.written) == (reading.text, reading.written)


def test_every_line_is_understood_or_reported(name):
    reading = read_file(name, (OTHERS / name).read_bytes())
    told = {line.line for line in reading.kept_as_text} | reading.content.understood
    silent = [
        number
        for number, line in enumerate(reading.source.split("\n"), start=1)
        if re.search(r"[^\W_]", line) and number not in told
    ]
    assert silent == []


def test_boxes_in_a_table_are_steps_of_a_checklist_with_their_owners():
    (found,) = read_file("a.md", (OTHERS / "boxes-in-a-table.md").read_bytes()).content.checklists
    assert [(step.text, step.team) for step in found.steps] == [
        ("Read the log of the last shift", "incoming"), ("Hand over the phone", "outgoing"),
        ("Confirm in chat", "both"),
    ]  # fmt: skip


def test_a_year_that_begins_a_sentence_is_no_step():
    content = read_file("a.md", (OTHERS / "long-numbers.md").read_bytes()).content
    assert content.numbered == 25


def test_what_stands_under_a_procedure_stays_under_it():
    text = "# A\n\n## Shutdown Procedure\n\nBoth halves.\n\n### Drain\n\n1. Drain it\n\n### Halt\n\n1. Halt it\n"
    written = read_file("a.md", text.encode()).text
    assert "### Shutdown Procedure\n\nBoth halves.\n\n#### Drain\n\n1. Drain it\n\n#### Halt\n" in written


def test_a_second_section_of_one_name_keeps_its_heading_under_the_first():
    reading = read_file("a.md", b"# A\n\n## Purpose\n\nOne.\n\n## Purpose\n\nTwo.\n")
    assert "## Purpose\n\nOne.\n\n### Purpose\n\nTwo.\n" in reading.text
    assert [one.what for one in reading.conflicts] == ["Two sections for purpose"]


def test_letters_of_another_encoding_are_read_and_each_line_of_them_is_reported():
    report = read_file("a.md", "# Über\n\nplain\n\nGröße\n".encode("latin-1")).report()
    assert [line["title"] for line in report["sections"]] == ["Über"]
    assert report["repaired"] == [
        {"line": 1, "found": "# \ufffdber", "became": "# Über"},
        {"line": 5, "found": "Gr\ufffd\ufffde", "became": "Größe"},
    ]  # fmt: skip


def test_one_wrong_byte_breaks_none_of_the_letters_that_are_well_written():
    reading = read_file("a.md", "# Über\n\nGröße \n".encode() + b"caf\xe9\n")
    assert reading.report()["repaired"] == [{"line": 4, "found": "caf\ufffd", "became": "café"}]
    assert "Größe" in reading.text


def test_a_letter_that_stands_for_no_letter_is_no_repair():
    assert read_file("a.md", "# A \ufffd\n".encode()).report()["repaired"] == []
