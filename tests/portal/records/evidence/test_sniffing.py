"""What kind of file it is, from its bytes, and what a reader should know before opening it."""

import pytest

from portal.records.evidence.enums import Caution
from portal.records.evidence.sniffing import Sniffer, kind_of

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def sniffed(content, at_once=7):
    found = Sniffer()
    for start in range(0, len(content), at_once):
        found.feed(content[start : start + at_once])
    return found


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "image/png"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        (b"Nov 17 12:00:01 sshd[812]: accepted\n", "text/plain"),
        ("Grüße aus Köln".encode(), "text/plain"),
        (SVG, "image/svg+xml"),
        (b'<?xml version="1.0"?>\n<!-- x --><SVG/>', "image/svg+xml"),
        (b"<!doctype html><p>x", "text/html"),
        (b"\x1f\x8b\x08\x00" + b"\0" * 20, "application/x-gzip"),
        (b"\x00\x01\x02\x03 nobody knows", "application/octet-stream"),
        (b"", "text/plain"),
    ],
)
def test_the_bytes_say_what_it_is(content, kind):
    assert kind_of(content) == kind


def test_a_letter_that_the_end_cuts_in_two_does_no_harm():
    assert kind_of(("a" * 99 + "ü").encode()[:-1]) == "text/plain"


@pytest.mark.parametrize(
    ("content", "name", "cautions"),
    [
        (b"plain words", "a.log", []),
        (SVG, "logo.svg", [Caution.ACTIVE, Caution.SCRIPT]),
        (b"<svg onload = 'x()'/>", "logo.svg", [Caution.ACTIVE, Caution.SCRIPT]),
        (b"<svg><rect/></svg>", "logo.svg", [Caution.ACTIVE]),
        (b"<html>" + b" " * 5000 + b"<ScRiPt>", "a.html", [Caution.ACTIVE, Caution.SCRIPT]),
        (b"MZ" + b"\0" * 64, "setup.exe", [Caution.PROGRAM]),
        (b"MZ" + b"\0" * 64, "photo.png", [Caution.PROGRAM, Caution.NAMED_OTHERWISE]),
        (b"#!/bin/sh\nrm -rf /\n", "run", [Caution.PROGRAM]),
        (b"<html>", "photo.jpg", [Caution.ACTIVE, Caution.NAMED_OTHERWISE]),
        (b"a log that speaks of <script>", "a.log", []),
    ],
)
def test_what_could_do_harm_is_named(content, name, cautions):
    assert sniffed(content).cautions(name) == cautions


def test_script_is_found_where_two_pieces_meet():
    for at_once in range(1, len(SVG)):
        assert Caution.SCRIPT in sniffed(SVG, at_once).cautions("a.svg")
