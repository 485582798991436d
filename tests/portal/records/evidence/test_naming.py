"""Names as strangers write them: told in full, and safe to save under."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.records.evidence.enums import Caution
from portal.records.evidence.naming import LONGEST, LONGEST_FILE, ending, file_name, named


@pytest.mark.parametrize(
    ("raw", "told", "file", "cautions"),
    [
        ("auth.log", "auth.log", "auth.log", ()),
        ("Übersicht 2026.pdf", "Übersicht 2026.pdf", "Übersicht 2026.pdf", ()),
        ("../x", "../x", "x", (Caution.PATH,)),
        ("..\\..\\boot.ini", "..\\..\\boot.ini", "boot.ini", (Caution.PATH,)),
        ("..&#x2f;x", "..&#x2f;x", "x", (Caution.PATH,)),
        ("invoice\u202excod.exe", "invoice\\u202excod.exe", "invoicexcod.exe", (Caution.HIDDEN,)),
        ("a\x00b\nc.txt", "a\\u0000b\\u000ac.txt", "abc.txt", (Caution.HIDDEN,)),
        ("zero\u200bwidth", "zero\\u200bwidth", "zerowidth", (Caution.HIDDEN,)),
        ("..", "..", "evidence", ()),
        ("", "evidence", "evidence", ()),
        ("con.txt", "con.txt", "_con.txt", ()),
        ('a"b<c>.txt', 'a"b<c>.txt', "a_b_c_.txt", ()),
    ],
)
def test_a_name_is_told_in_full_and_saved_under_a_harmless_one(raw, told, file, cautions):
    found = named(raw)
    assert (found.told, found.file, found.cautions) == (told, file, cautions)


def test_a_name_that_is_too_long_keeps_its_ending():
    found = named("x" * 400 + ".log")
    assert len(found.told) == LONGEST
    assert found.told.endswith("….log")
    assert found.file.endswith("….log")
    assert found.cautions == (Caution.LONG,)


@given(st.text(max_size=600))
def test_no_name_leads_anywhere_or_hides_anything(raw):
    found = named(raw)
    assert found.told.isprintable()
    assert 0 < len(found.told) <= LONGEST
    file = file_name(raw)
    assert file.isprintable()
    assert 0 < len(file) <= LONGEST_FILE
    assert not set(file) & set('/\\<>:"|?*')
    assert file not in {".", ".."}
    assert file == file.strip(" .") or "…" in file


def test_an_ending_is_short_and_follows_a_name():
    assert ending("a.TAR.gz") == "gz"
    assert ending(".profile") == ""
    assert ending("nothing") == ""
