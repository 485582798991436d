"""Labels mean systems and severities by data, and the lowest position wins."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.intake.mapping import matches, meaning_of
from incidents.intake.report import Report
from incidents.models import IntakeMapping
from tests.factories.directory import make_severity, make_system
from tests.factories.incidents import make_mapping, make_token


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("db-*", "db-1", True),
        ("db-*", "DB-", True),
        ("*", "", True),
        ("*store*", "ticket-store-2", True),
        ("a*b*c", "a-c-b", False),
        ("aa*aa", "aaa", False),
        ("db-?", "db-1", False),
        ("[ab]", "a", False),
        ("[ab]", "[AB]", True),
        ("", "", True),
        ("", "x", False),
    ],
)
def test_only_the_star_is_special_and_capitals_are_not(pattern, value, fits):
    assert matches(pattern, value) is fits


@settings(deadline=None)
@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_the_star_matches_as_in_file_names(pattern, value):
    assert matches(pattern, value) == fnmatchcase(value, pattern)


@settings(deadline=None, max_examples=5)
@given(st.integers(min_value=1000, max_value=5000))
def test_a_pattern_full_of_stars_costs_nothing(length):
    assert not matches("*a" * 90 + "*b", "a" * length)


def read(token, *label_sets):
    return meaning_of(Report(key="k", firing=True, title="t", label_sets=label_sets), token)


@pytest.fixture
def token(db):
    return make_token()[0]


def test_the_lowest_position_wins(token):
    wide, narrow = make_system(), make_system()
    make_mapping("host", "db*", system=wide, position=20)
    make_mapping("host", "db-1", system=narrow, position=10)
    assert read(token, {"host": "db-1"}).systems == [narrow]
    assert read(token, {"host": "db-2"}).systems == [wide]


def test_system_and_severity_are_found_on_their_own(token):
    system = make_system()
    make_mapping("host", "db*", system=system, position=1)
    make_mapping("host", "db*", severity=2, position=2)
    found = read(token, {"host": "db-1"})
    assert (found.systems, found.severity.level) == ([system], 2)


def test_a_mapping_of_another_address_or_out_of_use_counts_nothing(token):
    system = make_system()
    make_mapping("host", "a", system=system, token=make_token()[0])
    make_mapping("host", "b", system=system, active=False)
    make_mapping("host", "c", system=make_system(active=False))
    assert read(token, {"host": "a"}, {"host": "b"}, {"host": "c"}).systems == []
    make_mapping("host", "a", system=system, token=token)
    assert read(token, {"host": "a"}).systems == [system]


@pytest.mark.parametrize("label", ["system", "service", "job"])
def test_a_label_that_names_a_system_needs_no_mapping(token, label):
    system = make_system("ticket-store")
    assert read(token, {label: "Ticket-Store"}).systems == [system]
    assert read(token, {"host": "ticket-store"}).systems == []


def test_several_alerts_name_several_systems(token):
    one, two = make_system("a-one"), make_system("b-two")
    assert read(token, {"system": "a-one"}, {"system": "b-two"}, {"system": "a-one"}).systems == [one, two]


@pytest.mark.parametrize(
    ("word", "level"),
    [("critical", 1), ("High", 2), ("warning", 3), ("medium", 3), ("low", 4), ("info", 4), ("sev-2", 2)],
)
def test_severity_words_and_levels(token, word, level):
    found = read(token, {"severity": word})
    assert (found.severity.level, found.severity_named, found.unknown) == (level, True, [])


def test_the_worst_of_several_severities_counts(token):
    assert read(token, {"severity": "low"}, {"severity": "high"}, {}).severity.level == 2


def test_without_a_word_the_address_decides_and_then_sev_3(token):
    assert read(token, {"severity": "loud"}).severity.level == 3
    assert read(token, {"severity": "loud"}).unknown == ["loud"]
    assert read(make_token(default_severity=make_severity(1))[0], {}).severity.level == 1


def test_words_can_be_mapped_anew(token):
    for row in IntakeMapping.objects.filter(value="critical"):
        row.severity = make_severity(2)
        row.save()
    assert read(token, {"severity": "critical"}).severity.level == 2


@pytest.mark.parametrize(("word", "level"), [("P1", 1), ("p2", 2), ("P3", 3), ("p4", 4), ("P5", 4)])
def test_a_priority_that_nobody_mapped_means_what_its_number_says(token, word, level):
    assert read(token, {"severity": word}).severity.level == level
    make_mapping("severity", "p1", severity=make_severity(3))
    assert read(token, {"severity": "P1"}).severity.level == 3
