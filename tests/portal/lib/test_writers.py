"""Files that open everywhere: CSV for Excel too, workbooks whose texts are texts, a JSON object a line."""

import csv
import json
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.lib import writers
from portal.lib.writers import CsvWriter, JsonlWriter, XlsxWriter
from tests.portal.lib.test_cells import starts_a_formula

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
AT = datetime(2026, 11, 17, 12, tzinfo=UTC)
# Whatever a database may hold, and a little more.
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=30).map(lambda text: text.replace("\x00", ""))
VALUES = st.one_of(TEXTS, st.integers(), st.floats(), st.booleans(), st.none(), st.just(AT))
TABLES = st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=8)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def sheets(path):
    """Return the cells of each sheet as (type, text), read with nothing but zip and XML."""
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        for name in book.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(book.read(name))
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        shared = _shared(book)
        return [_cells(ElementTree.fromstring(book.read(name)), shared) for name in names]


def _shared(book):
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    return ["".join(node.itertext()) for node in root.iter(f"{SHEET}si")]


def _cells(root, shared):
    assert root.find(f".//{SHEET}f") is None, "a formula"
    assert root.find(f".//{SHEET}hyperlink") is None, "a link"
    found = []
    for row in root.iter(f"{SHEET}row"):
        line = []
        for cell in row.iter(f"{SHEET}c"):
            kind = cell.get("t", "n")
            text = "".join(cell.itertext())
            line.append(("text", shared[int(text)]) if kind == "s" else ("text" if kind == "inlineStr" else kind, text))
        found.append(line)
    return found


def write(writer, lines):
    writer.write(lines)
    writer.close()
    return writer


@pytest.fixture
def book(tmp_path):
    def book(lines, columns=("a", "b", "c"), about=(("What", "The trail"),)):
        path = tmp_path / "book.xlsx"
        write(XlsxWriter(path, columns, about=about, name="Trail"), lines)
        return sheets(path)

    return book


@quick
@given(TABLES)
def test_no_cell_of_a_workbook_is_or_starts_a_formula(book, table):
    about, rows = book(table, about=[("Reason", "=1+1")])
    assert len(rows) <= len(table) + 1
    for kind, text in [cell for line in (*about, *rows) for cell in line]:
        assert kind in {"text", "n"}
        assert kind == "n" or not starts_a_formula(text)


@quick
@given(TABLES)
def test_no_cell_of_a_csv_file_starts_a_formula_and_all_of_it_reads_back(tmp_path, table):
    path = tmp_path / "table.csv"
    write(CsvWriter(path, ["a", "b", "=c"]), table)
    with path.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file))
    assert [len(line) for line in read] == [3] * (len(table) + 1)
    assert not any(starts_a_formula(cell) for line in read for cell in line)


@quick
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=5))
def test_a_json_object_a_line_reads_back_as_it_was(tmp_path, objects):
    path = tmp_path / "lines.jsonl"
    write(JsonlWriter(path), objects)
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]] == objects


def test_numbers_stay_numbers_and_texts_stay_texts(book):
    _, rows = book([[7, "7", 2**60], [-1.5, "https://example.org", True]])
    assert rows[1] == [("n", "7"), ("text", "7"), ("text", str(2**60))]
    assert rows[2] == [("n", "-1.5"), ("text", "https://example.org"), ("text", "yes")]


def test_moments_are_told_in_utc(book):
    _, rows = book([[AT, "", ""]])
    assert rows[1] == [("text", "2026-11-17T12:00:00.000000Z")]


def test_a_text_too_long_for_a_cell_says_that_it_was_cut(book):
    _, rows = book([["x" * 40_000, "\U0001f600" * 20_000, ""]])
    for _, text in rows[1]:
        assert len(text.encode("utf-16-le")) // 2 <= writers.CELL_LENGTH
        assert text.endswith("hold all of it)")


def test_a_full_sheet_is_followed_by_another(book, monkeypatch):
    monkeypatch.setattr(writers, "SHEET_ROWS", 3)
    found = book([[str(number), "", ""] for number in range(5)])
    assert [len(sheet) for sheet in found[1:]] == [3, 3, 2]
    assert [sheet[0] for sheet in found[1:]] == [[("text", "a"), ("text", "b"), ("text", "c")]] * 3


def test_a_workbook_of_which_nothing_is_said_begins_with_its_rows(book):
    (rows,) = book([["1", "", ""]], about=())
    assert [line[0] for line in rows] == [("text", "a"), ("text", "1")]


def test_a_csv_file_begins_with_its_mark_and_quotes_every_cell(tmp_path):
    path = tmp_path / "table.csv"
    writer = write(CsvWriter(path, ["who", "n"]), [["Žižek, Ada", 1]])
    assert path.read_bytes() == '\ufeff"who","n"\r\n"Žižek, Ada","1"\r\n'.encode()
    assert writer.rows == 1
