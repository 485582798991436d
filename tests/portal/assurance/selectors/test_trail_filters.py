"""Every view of the trail is an address, and no address breaks it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.assurance.selectors.trail_filters import Filters, Place, words_of

NAMES = (
    "q", "period", "from", "to", "what", "origin", "person", "part", "model", "object", "action", "field", "before",
    "after", "last",
)  # fmt: skip
ASKED = "q=mail+late&period=7d&origin=web&person=7&model=incidents.incident&object=418&action=changed&field=status"


def read(query):
    return Filters.of(QueryDict(query))


def test_an_address_is_read_and_written_alike():
    filters = read(ASKED)
    assert filters.odd == ""
    assert read(filters.query()) == filters
    assert (filters.person, filters.model, filters.object, filters.field) == (7, "incidents.incident", "418", "status")


def test_a_changed_filter_leads_to_the_first_page():
    filters = read(f"{ASKED}&before=1763370247000000.12")
    assert filters.before == Place(datetime(2025, 11, 17, 9, 4, 7, tzinfo=UTC), 12)
    assert "before" not in filters.address(origin="admin")


def test_what_a_search_form_carries_along_is_everything_but_the_words_and_the_place():
    kept = dict(read(f"{ASKED}&before=1.1").kept())
    assert set(kept) == {"period", "origin", "person", "model", "object", "action", "field"}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("period=always", "“always” is no period."),
        ("from=yesterday", "“yesterday” is no day; write it as 2026-11-17."),
        ("to=2026-02-30", "is no day"),
        ("what=all", "is no kind of act."),
        ("origin=Bureau d'%C3%A0-c%C3%B4t%C3%A9", "is no origin."),
        ("person=amara", "is no account."),
        ("person=-1", "is no account."),
        ("person=9999999999999999999", "is no account."),
        ("model=incident", "is no kind of object."),
        ("object=3", "An object is named with its kind."),
        ("action=vanished", "is no action."),
        ("field=a'; drop table", "is no field."),
        ("before=here", "is no place in the trail."),
        ("after=99999999999999999999.1", "is no place in the trail."),
        ("last=yes", "is no page."),
    ],
)
def test_what_means_nothing_is_said_in_a_sentence(query, sentence):
    filters = read(query)
    assert sentence in filters.odd
    assert filters.narrowed


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=80)))
def test_no_address_breaks_the_filters(values):
    query = QueryDict(mutable=True)
    query.update(values)
    filters = Filters.of(query)
    assert Filters.of(QueryDict(filters.query())).query() == filters.query()
    filters.bounds(datetime(2026, 11, 17, 12, tzinfo=UTC))


@given(st.datetimes(timezones=st.just(UTC), allow_imaginary=False), st.integers(0, 10**18 - 1))
def test_a_place_survives_the_address(moment, key):
    place = Place(moment, key)
    assert Place.of(str(place)) == place


def test_words_are_letters_and_figures_in_small_letters():
    assert words_of("Rollback of INC-000418: „Straße“ 5.14.2!") == [
        "rollback",
        "of",
        "inc",
        "000418",
        "straße",
        "5",
        "14",
        "2",
    ]
    assert words_of(" ,;- ") == []


def test_a_period_begins_at_midnight_of_the_reader():
    now = datetime(2026, 11, 17, 22, 30, tzinfo=UTC)  # already the 18th in Tokyo
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert read("period=today").bounds(now) == (datetime(2026, 11, 17, 15, tzinfo=UTC), None)
        assert read("period=7d").bounds(now)[0] == datetime(2026, 11, 11, 15, tzinfo=UTC)
        assert read("period=quarter").bounds(now)[0] == datetime(2026, 9, 30, 15, tzinfo=UTC)
        assert read("from=2026-11-01&to=2026-11-01").bounds(now) == (
            datetime(2026, 10, 31, 15, tzinfo=UTC),
            datetime(2026, 11, 1, 15, tzinfo=UTC),
        )


def test_days_may_be_open_on_either_side():
    assert read("from=2026-11-01").starts == date(2026, 11, 1)
    assert read("to=2026-11-01").bounds(datetime.now(UTC))[0] is None
    assert read("to=2026-11-01").bounds(datetime.now(UTC))[1] - timedelta(days=1) < datetime(2026, 11, 2, tzinfo=UTC)
