"""What a stranger posts is read within limits, and refused with a sentence."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.intake import reading
from incidents.intake.reading import Unreadable

JOINERS = "\u200c\u200d"


def refusal(call, *arguments) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"\x00", "not JSON"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b'{"a": NaN}', "NaN is not a value of JSON"),
        (b'{"a": -Infinity}', "not a value of JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number in it is too long."),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 40_000, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_answered_400(body, words):
    problem = refusal(reading.read_json, body)
    assert problem.status == 400
    assert words in problem.sentence


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object_is_answered_422(body):
    assert refusal(reading.read_json, body).status == 422


def test_a_body_over_256_kib_is_answered_413():
    assert reading.read_json(b'{"a": "' + b"x" * (256 * 1024 - 9) + b'"}')
    assert refusal(reading.read_json, b" " * (256 * 1024 + 1)).status == 413


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand  spaces ", "two lines and spaces"),
        ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
        ("right\u202eto left\u2066", "rightto left"),
        ("half a pair \ud800", "half a pair \ufffd"),
        ("line\u2028separator", "line separator"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_title_is_one_visible_line(text, shown):
    assert reading.line(text) == shown


def test_a_text_keeps_its_line_breaks_only():
    assert reading.text("one\r\ntwo\x00\rthree\u202e\n\n") == "one\ntwo\nthree"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=300))
def test_clean_text_can_be_stored_and_shown(found):
    for clean in (reading.line(found), reading.text(found).replace("\n", "")):
        clean.encode()
        assert not {unicodedata.category(char) for char in clean if char not in JOINERS} & {
            "Cc",
            "Cf",
            "Cs",
            "Zl",
            "Zp",
        }
    assert reading.line(reading.line(found)) == reading.line(found)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("2026-11-17T12:00:00Z", datetime(2026, 11, 17, 12, tzinfo=UTC)),
        ("2016-08-01T13:27:08.008123456+03:00", datetime(2016, 8, 1, 10, 27, 8, 8123, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("2026-11-17T12:00:00", None),
        ("yesterday", None),
        (5, None),
        (None, None),
    ],
)
def test_a_moment_needs_its_zone_and_sense(found, expected):
    assert reading.moment(found) == expected


@pytest.mark.parametrize("found", [True, None, [], {}, "", "  ", float("inf"), "k" * 5000])
def test_what_is_no_key_is_refused_by_its_field(found):
    problem = refusal(reading.key, found, "groupKey")
    assert problem.status == 422
    assert problem.sentence.startswith("groupKey ")


@pytest.mark.parametrize(("found", "expected"), [("a key", "a key"), (12034567890123456789, "12034567890123456789")])
def test_a_key_is_text_or_a_number(found, expected):
    assert reading.key(found, "groupKey") == expected


@pytest.mark.parametrize("found", [-1, True, 1.5, "3", 10**30])
def test_a_count_is_a_whole_number(found):
    assert refusal(reading.count, found, "truncatedAlerts").status == 422


@pytest.mark.parametrize(("found", "words"), [("UP", "not “UP”"), (1, "not a number"), (None, "is missing")])
def test_a_status_is_firing_or_resolved(found, words):
    assert words in refusal(reading.status, found, "status").sentence


def test_labels_are_a_flat_object():
    assert reading.labels(None, "labels") == {}
    assert reading.labels({"a": 1, "b": True, "c\x00": "x\x00"}, "labels") == {"a": "1", "b": "true", "c": "x"}
    assert "labels.a" in refusal(reading.labels, {"a": {}}, "labels").sentence
    assert "101 entries" in refusal(reading.labels, dict.fromkeys(map(str, range(101)), ""), "labels").sentence


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_json_is_read_or_refused(value):
    with contextlib.suppress(Unreadable):
        reading.read_json(json.dumps(value).encode())
